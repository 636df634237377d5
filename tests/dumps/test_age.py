"""Age files are read at any offset as pyrage reads them whole, and nothing changed passes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.dumps.aging import PIECE, SEALED, Key, encrypt, identities, pieces_of
from tests.dumps.helpers import BytesSource

from pgconsole.dumps.age_file import AgeFile
from pgconsole.dumps.age_keys import read_identities
from pgconsole.dumps.age_write import Sealer
from pgconsole.errors import DamagedError, SealedError

KEY, OTHER = Key(), Key()
SIZES = (0, 1, 100, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 3 * PIECE + 17)


def content(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def opened(file: bytes, *keys: Key) -> AgeFile:
    return AgeFile(BytesSource(file), identities(*(keys or (KEY,))))


def read_all(file: bytes, request: int = 100_000) -> bytes:
    age = opened(file)
    return b"".join(age.read_at(at, request) for at in range(0, age.size, request))


@pytest.mark.parametrize("size", SIZES)
def test_what_pyrage_writes_is_read(size: int) -> None:
    file = encrypt(content(size), OTHER, KEY)
    for key in (KEY, OTHER):
        age = opened(file, key)
        assert age.size == size
        assert age.read_at(0, size + 10) == content(size)
        assert age.read_at(size, 10) == b""


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SIZES), st.data())
def test_any_range_is_what_pyrage_reads_there(size: int, data: st.DataObject) -> None:
    file = FILES[size]
    age = opened(file)
    whole = KEY.decrypt(file)
    for _ in range(data.draw(st.integers(1, 5))):
        offset = data.draw(st.integers(0, size + 5))
        length = data.draw(st.integers(0, size + 5))
        assert age.read_at(offset, length) == whole[offset : offset + length]


FILES = {size: encrypt(content(size), KEY) for size in SIZES}


def test_a_range_reads_the_pieces_that_it_lies_in_and_no_others() -> None:
    source = BytesSource(encrypt(content(100 * PIECE), KEY))
    age = AgeFile(source, identities(KEY))
    source.bytes_read = 0
    age.read_at(50 * PIECE - 1, 2)
    assert source.bytes_read == 2 * SEALED
    age.read_at(50 * PIECE + 1, 10)  # goes on where it was
    assert source.bytes_read == 2 * SEALED
    age.read_at(51 * PIECE, 10)
    assert source.bytes_read == 3 * SEALED


@pytest.mark.parametrize("size", SIZES)
def test_what_the_sealer_writes_is_an_age_file(size: int) -> None:
    sealer = Sealer([KEY.recipient, OTHER.recipient])
    file = bytearray()
    parts = [content(size)[at : at + 777] for at in range(0, size, 777)]
    sealer.write(iter([b"", *parts, b""]), file.extend)
    assert KEY.decrypt(bytes(file)) == OTHER.decrypt(bytes(file)) == content(size)
    own = AgeFile(BytesSource(bytes(file)), [sealer.identity])
    assert own.read_at(0, size) == content(size)
    with pytest.raises(SealedError):
        opened(bytes(file), Key())


def test_a_piece_is_asked_for_when_nearly_all_before_it_is_written() -> None:
    written = 0

    def write(data: bytes) -> None:
        nonlocal written
        written += len(data)

    def pieces() -> Iterator[bytes]:
        for number in range(100):
            yield bytes(100_000)
            assert written >= 100_000 * (number + 1) - 2 * PIECE

    Sealer([KEY.recipient]).write(pieces(), write)
    assert written > 10_000_000


class Boom(BaseException):
    pass


def test_what_the_pieces_or_the_disk_raise_comes_out() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x" * 200_000
        raise Boom

    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(Boom):
        Sealer([KEY.recipient]).write(pieces(), lambda _: None)
    with pytest.raises(OSError, match="No space left"):
        Sealer([KEY.recipient]).write(iter([b"x"]), full)


@pytest.mark.parametrize("size", SIZES)
def test_every_cut_is_noticed(size: int) -> None:
    file = FILES[size]
    header, pieces = pieces_of(file)
    ends = {len(header) + SEALED * number for number in range(len(pieces))}
    cuts = ends | {end + more for end in ends for more in (1, 15, 16, 17)}
    for cut in sorted({*cuts, 0, 10, 100, len(header) - 1, len(file) - 1}):
        if cut < len(file):
            with pytest.raises(DamagedError):
                read_all(file[:cut])


def test_pieces_that_were_moved_or_doubled_are_noticed() -> None:
    header, pieces = pieces_of(FILES[3 * PIECE + 17])
    _, foreign = pieces_of(encrypt(content(3 * PIECE + 17), KEY))
    first, second, third, last = pieces
    for others in (
        [second, first, third, last],
        [first, third, last],
        [first, first, second, third, last],
        [first, second, third, last, last],
        [first, second, third],
        [first, second, last],
        [first, foreign[1], third, last],
        [first, second, third, last[:-1]],
        [first, second, third, last + b"\0" * 16],
        [first, second, third, last + b"\0" * 70_000],
    ):
        with pytest.raises(DamagedError):
            read_all(header + b"".join(others))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 8 * len(FILES[PIECE + 1]) - 1))
@example(0)
def test_no_bit_can_be_turned(bit: int) -> None:
    changed = bytearray(FILES[PIECE + 1])
    changed[bit // 8] ^= 1 << bit % 8
    # A turned bit in a stanza may look as if the file were for others; never like a good file.
    with pytest.raises((DamagedError, SealedError)):
        read_all(bytes(changed))


def test_bits_of_the_header_one_by_one() -> None:
    file = FILES[100]
    header, _ = pieces_of(file)
    for bit in range(8 * len(header)):
        changed = bytearray(file)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises((DamagedError, SealedError)):
            read_all(bytes(changed))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400), st.binary(max_size=60))
def test_what_is_no_age_file_is_said_to_be_damaged(junk: bytes, more: bytes) -> None:
    for file in (junk, b"age-encryption.org/v1\n" + junk, b"age-encryption.org/v1\n-> " + more):
        with pytest.raises((DamagedError, SealedError)):
            read_all(file)


def test_another_key_opens_nothing_and_the_error_names_it() -> None:
    with pytest.raises(SealedError) as caught:
        opened(encrypt(b"x", KEY), OTHER)
    assert OTHER.recipient in str(caught.value)
    assert "BACKUP_AGE_IDENTITY_FILE" in str(caught.value)
    assert "AGE-SECRET" not in str(caught.value)


def test_a_passphrase_and_armor_are_refused_by_name() -> None:
    with pytest.raises(SealedError, match="passphrase"):
        opened(pyrage.passphrase.encrypt(b"x", "secret"))
    with pytest.raises(DamagedError, match="armored"):
        opened(encrypt(b"x", KEY, armored=True))
    with pytest.raises(DamagedError, match="no age file"):
        opened(b"\x1f\x8b whatever")


def test_an_identity_file_may_hold_several_keys_and_comments(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"# mine\n\n  {OTHER.secret}  \r\n{KEY.secret.lower()}")
    assert read_identities(path) == identities(OTHER, KEY)
    assert "scalar" not in repr(KEY.identity)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("", "no key in it"),
        ("# nothing\n", "no key in it"),
        (f"{KEY.recipient}\n", "line 1"),
        (f"# x\n{KEY.secret[:-1]}\n", "line 2"),
        ("AGE-SECRET-KEY-PQ-1QQQQ\n", "line 1"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "an SSH key"),
    ],
    ids=["empty", "a comment", "a public key", "cut short", "post-quantum", "SSH"],
)
def test_another_identity_file_is_refused_without_showing_it(
    tmp_path: Path, what: str, words: str
) -> None:
    path = tmp_path / "key"
    path.write_text(what)
    with pytest.raises(SealedError, match=words) as caught:
        read_identities(path)
    assert str(path) in str(caught.value)
    assert KEY.secret[:40] not in str(caught.value)


def test_a_protected_identity_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(pyrage.passphrase.encrypt(KEY.secret.encode(), "secret"))
    with pytest.raises(SealedError, match="protected by a passphrase"):
        read_identities(path)
    with pytest.raises(SealedError, match="No such file"):
        read_identities(tmp_path / "none")

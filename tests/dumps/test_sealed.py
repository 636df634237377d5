"""An encrypted dump is one age file with the same .sql.gz in it, proven and indexed alike."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.dumps import strategies
from tests.dumps.aging import SEALED, Key, pieces_of
from tests.dumps.helpers import BytesSource, assembled, copy_block, manifest_of, write

from pgconsole.dumps.age_file import AgeFile
from pgconsole.dumps.integrity import check_bytes, check_sealed
from pgconsole.dumps.manifest import Manifest, SectionKind
from pgconsole.dumps.reader import DumpReader
from pgconsole.errors import DamagedError, SealedError

KEY, OTHER = Key(), Key()
ROWS = b"".join(
    b"%d\t%s\n" % (i, hashlib.md5(b"%d" % i).hexdigest().encode()) for i in range(90_000)
)
DUMP, _ = assembled(
    copy_block(b"public.first", ROWS),
    copy_block(b"public.little", b"1\t\\N\n2\tx\n"),
    copy_block(b"public.last", ROWS),
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Manifest]:
    path = tmp_path_factory.mktemp("sealed") / "dump.sql.gz.age"
    written = write(DUMP, path, KEY.recipient, OTHER.recipient)
    return path.read_bytes(), manifest_of(written)


def check(data: bytes, manifest: Manifest | None, key: Key = KEY) -> None:
    checked = check_sealed(BytesSource(data), manifest, [key.identity], lambda _: None)
    assert (checked.sha256, checked.compressed_bytes) == (
        hashlib.sha256(data).hexdigest(),
        len(data),
    )


def test_what_is_in_it_is_what_it_would_be_unencrypted(
    file: tuple[bytes, Manifest], tmp_path: Path
) -> None:
    data, manifest = file
    plain = write(DUMP, tmp_path / "dump.sql.gz")
    assert KEY.decrypt(data) == OTHER.decrypt(data) == (tmp_path / "dump.sql.gz").read_bytes()
    assert manifest.sections == plain.sections
    assert manifest.gzip_bytes == plain.compressed_bytes
    assert manifest.compressed_bytes == len(data)
    assert manifest.sha256 == hashlib.sha256(data).hexdigest()
    assert len(data) < 1.001 * plain.compressed_bytes + 1000


def test_gzip_reads_it_when_it_is_decrypted(file: tuple[bytes, Manifest]) -> None:
    gz = KEY.decrypt(file[0])
    assert subprocess.run(["zcat"], input=gz, capture_output=True, check=True).stdout == DUMP


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(strategies.dumps)
def test_any_dump(tmp_path: Path, made: tuple[bytes, list[tuple[SectionKind, int]]]) -> None:
    path = tmp_path / "dump.sql.gz.age"
    path.unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgconsole.dumps.pipeline.BLOCK_SIZE", 128)
        written = write(made[0], path, KEY.recipient)
    data = path.read_bytes()
    assert written.raw_bytes == len(made[0])
    check(data, manifest_of(written))


def test_one_table_reads_little_of_the_file(file: tuple[bytes, Manifest]) -> None:
    data, manifest = file
    source = BytesSource(data)
    reader = DumpReader(AgeFile(source, [OTHER.identity]), manifest, request=1 << 14)
    little = reader.find_table("public", "little")
    assert little is not None
    assert b"".join(reader.rows(little)) == b"1\t\\N\n2\tx\n"
    assert source.bytes_read < (16 << 10) + 16 + 2 * SEALED


def test_all_is_proven_by_whoever_has_a_key(file: tuple[bytes, Manifest]) -> None:
    data, manifest = file
    for key in (KEY, OTHER):
        check(data, manifest, key)
        check(data, None, key)
    with pytest.raises(SealedError):
        check(data, manifest, Key())


def test_the_bytes_are_proven_by_anybody(file: tuple[bytes, Manifest]) -> None:
    data, manifest = file
    seen: list[int] = []
    assert check_bytes(BytesSource(data), manifest, seen.append) == manifest.sha256
    for changed in (data[:-1], data + b"x", data[:500] + b"\0" + data[501:]):
        with pytest.raises(DamagedError, match="SHA-256"):
            check_bytes(BytesSource(changed), manifest, lambda _: None)


def test_a_change_of_the_file_is_damage(file: tuple[bytes, Manifest]) -> None:
    data, manifest = file
    header, pieces = pieces_of(data)
    assert len(pieces) > 3
    for changed in (
        data[:-1],
        header + b"".join(pieces[:-1]),
        header + b"".join([pieces[1], pieces[0], *pieces[2:]]),
        data + pieces[-1],
        data[: len(data) // 2] + b"\0" + data[len(data) // 2 + 1 :],
    ):
        for known in (manifest, None):
            with pytest.raises(DamagedError):
                check(changed, known)


def test_the_same_dump_encrypted_again_is_not_the_file_that_was_written(
    file: tuple[bytes, Manifest], tmp_path: Path
) -> None:
    """Whoever has the public key can encrypt anything to it."""
    _, manifest = file
    path = tmp_path / "again.sql.gz.age"
    write(DUMP, path, KEY.recipient, OTHER.recipient)
    check(path.read_bytes(), None)
    with pytest.raises(DamagedError, match="SHA-256"):
        check(path.read_bytes(), manifest)

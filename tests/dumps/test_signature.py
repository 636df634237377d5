"""A signature fits the manifest that was signed, however it is written down, and no other."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgconsole.dumps.manifest import Manifest, Member, Section, SectionKind, parse_manifest
from pgconsole.dumps.naming import BackupClass
from pgconsole.dumps.signature import fits, new_signing_key, read_signing_key
from pgconsole.errors import ConfigurationError, DamagedError

KEY = new_signing_key()
NOW = datetime(2026, 2, 1, 2, 0, 0, 123456, tzinfo=UTC)
MANIFEST = Manifest(
    database="tëst", classes=(BackupClass.DAILY,), taken_at=NOW, started_at=NOW, finished_at=NOW,
    verified_at=NOW, host="h", actor="a", server_host="s", server_version="16",
    pg_dump_version="16", options=("--clean",), raw_bytes=30, compressed_bytes=10, sha256="ab" * 32,
    sections=(
        Section(kind=SectionKind.BEFORE, raw_bytes=10, members=(Member(0, 10, 0),)),
        Section(
            kind=SectionKind.DATA, schema="p", table="t\n\U0001f600", columns=("a",),
            copy_statement="COPY p.t", rows=3, raw_bytes=20, members=(Member(5, 20, 3),),
        ),
    ),
)  # fmt: skip
SIGNED = KEY.sign(MANIFEST)
DOCUMENT = json.loads(SIGNED.to_json())


def holds(data: bytes) -> bool:
    signature = parse_manifest(data, "m").signature
    assert signature is not None
    return fits(data, signature)


def test_what_was_signed_fits_and_nothing_is_lost() -> None:
    assert holds(SIGNED.to_json())
    assert SIGNED.model_copy(update={"signature": None}) == MANIFEST
    assert KEY.sign(MANIFEST).signature == SIGNED.signature


def test_how_it_is_written_down_does_not_matter() -> None:
    assert holds(json.dumps(DOCUMENT, indent=3, sort_keys=True, ensure_ascii=False).encode())
    backwards = dict(reversed(DOCUMENT.items()))
    assert holds(json.dumps(backwards).encode())
    assert holds(parse_manifest(SIGNED.to_json(), "m").to_json())


def test_what_a_later_version_adds_is_kept_and_signed() -> None:
    later = json.loads(SIGNED.to_json()) | {"colour": {"of": ["sky", None], "deep": 1.5}}
    later["sections"][0]["weight"] = 7
    signed = KEY.sign(parse_manifest(json.dumps(later).encode(), "m"))
    written_again = parse_manifest(signed.to_json(), "m").to_json()
    assert holds(written_again)
    assert json.loads(written_again)["colour"] == later["colour"]
    assert not holds(written_again.replace(b'"sky"', b'"sea"'))


def test_a_field_that_is_null_is_as_if_it_were_not_there() -> None:
    assert holds(json.dumps(DOCUMENT | {"new_in_version_9": None}).encode())
    without = {name: value for name, value in DOCUMENT.items() if value is not None}
    assert holds(json.dumps(without).encode())


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["sha256"], "cd" * 32),
        (["database"], "other"),
        (["classes"], ["daily", "weekly"]),
        (["taken_at"], "2026-02-02T02:00:00Z"),
        (["verified_at"], None),
        (["compressed_bytes"], 11),
        (["sections", 1, "rows"], 4),
        (["sections", 1, "members"], [[5, 20, 4]]),
        (["encryption"], {"recipients": [], "gzip_bytes": 1}),
        (["more"], 1),
        (["signature", "algorithm"], "none"),
        (["signature", "key"], "A" * 43 + "="),
        (["signature", "key"], "not base64"),
        (["signature", "value"], "AAAA"),
        (["signature", "value"], ""),
    ],
)
def test_any_change_is_noticed(path: list[str | int], value: object) -> None:
    changed = json.loads(SIGNED.to_json())
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not holds(json.dumps(changed).encode())


def test_a_field_that_comes_twice_is_refused() -> None:
    """What one reader takes, the first or the last, another need not."""
    text = SIGNED.to_json()
    assert not holds(text[:-1] + b',"sha256":' + json.dumps(MANIFEST.sha256).encode() + b"}")


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 8 * len(SIGNED.to_json()) - 1))
def test_no_bit_can_be_turned(bit: int) -> None:
    data = bytearray(SIGNED.to_json())
    data[bit // 8] ^= 1 << bit % 8
    try:
        found = parse_manifest(bytes(data), "m")
    except DamagedError:
        return
    # A field of null may have any name, and base64 some bits to spare: nothing comes of them.
    same = meaning(found) == meaning(SIGNED)
    assert same or found.signature is None or not fits(bytes(data), found.signature)


def meaning(manifest: Manifest) -> object:
    return manifest.model_dump(exclude_none=True, exclude={"signature"})


def test_a_key_is_read_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY.pem())
    assert read_signing_key(path).public == KEY.public
    described = subprocess.run(
        ["openssl", "pkey", "-in", path, "-noout", "-text"], capture_output=True, check=True
    )
    assert b"ED25519" in described.stdout.upper()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:x"], "passphrase"),
        (["genpkey", "-algorithm", "x25519"], "no Ed25519 key"),
        (["genpkey", "-algorithm", "rsa"], "no Ed25519 key"),
        (["version"], "no private key"),
    ],
)
def test_another_key_is_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    made = subprocess.run(["openssl", *arguments], capture_output=True, check=True).stdout
    path = tmp_path / "key"
    path.write_bytes(made)
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_signing_key(path)
    assert made.decode()[40:80] not in str(caught.value)


def test_a_key_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_signing_key(tmp_path / "none")

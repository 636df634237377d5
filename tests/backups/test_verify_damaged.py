"""Nothing that is damaged verifies: each says what is wrong, and at which byte."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.backups.helpers import RICH_SCHEMA, Recorder
from tests.conftest import MakeSettings, create_database, drop_database
from tests.damaged import damaged, damaged_files, flipped
from tests.dumps.helpers import BytesSource
from tests.guide import guide_backup

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import load_manifest, local_backups
from pgconsole.backups.evidence import Proof, latest, read_evidence
from pgconsole.backups.verify import VerifyRequest, run_verify
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import Manifest, parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import DamagedError, VerifyError
from pgconsole.settings import Settings

AT = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)
FLIPS = 200


@pytest.fixture(scope="module")
def rich(postgres16: PostgresServer) -> Iterator[str]:
    create_database(postgres16, "verify_rich", RICH_SCHEMA)
    yield "verify_rich"
    drop_database(postgres16, "verify_rich")


@pytest.fixture(params=["indexed", "gzip -9"])
def goods(
    request: pytest.FixtureRequest,
    postgres16: PostgresServer,
    rich: str,
    make_settings: MakeSettings,
    recorder: Recorder,
) -> list[Path]:
    """Two backups of a database with everything in it, in one of the forms."""
    settings = make_settings(postgres16, rich)
    if request.param == "gzip -9":
        times = (AT, AT - timedelta(days=1))
        return [guide_backup(postgres16, rich, settings.backup_dir, at) for at in times]
    return [
        Path(run_backup(settings, BackupRequest("alice", at), recorder).paths[0])
        for at in (AT, AT - timedelta(days=1))
    ]


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


def check(data: bytes, manifest: Manifest | None) -> DamagedError | None:
    try:
        check_dump(BytesSource(data), manifest, lambda _: None)
    except DamagedError as error:
        return error
    return None


def assert_told(what: str, error: DamagedError | None) -> None:
    """It is refused, and in one sentence it is said what is wrong, where, and what to do."""
    assert error is not None, what
    assert re.search(r"\bbyte [0-9]", str(error)), (what, str(error))
    assert error.cause
    assert error.fix


def test_no_damaged_dump_is_taken_for_a_whole_one(goods: list[Path]):
    good, other = (path.read_bytes() for path in goods)
    assert check(good, None) is None
    seen = 0
    for what, data in damaged(good, other, flips=FLIPS):
        assert_told(what, check(data, None))
        seen += 1
    assert seen > FLIPS + 30


@pytest.mark.parametrize("goods", ["indexed"], indirect=True)
def test_nor_with_a_manifest_beside_it(goods: list[Path]):
    good, other = (path.read_bytes() for path in goods)
    manifest = manifest_of(goods[0])
    assert check(good, manifest) is None
    for what, data in damaged(good, other, flips=FLIPS):
        assert_told(what, check(data, manifest))
    # With a manifest not even what means nothing may change: every bit of the file counts.
    for byte in range(0, len(good), len(good) // 500):
        changed = bytearray(good)
        changed[byte] ^= 1 << byte % 8
        error = check(bytes(changed), manifest)
        assert error is not None, byte
        if check(bytes(changed), None) is not None:
            assert_told(f"bit {byte % 8} of byte {byte}", error)
        else:
            assert "SHA-256 of the file" in error.cause


def manifest_of(path: Path) -> Manifest:
    beside = path.with_name(path.name + MANIFEST_SUFFIX)
    return parse_manifest(beside.read_bytes(), str(beside))


@pytest.mark.parametrize("goods", ["gzip -9"], indirect=True)
def test_what_no_checksum_of_gzip_covers_is_told_from_damage(goods: list[Path]):
    """The header of a member of which nothing else is known.

    gzip has no checksum over it. Turned there, a bit makes it unreadable, or stands in a time stamp
    or in the name of a system: then every byte of the dump is what it was, and that is proven.
    What gzip itself refuses is refused.
    """
    good = goods[0].read_bytes()
    sql = gzip.decompress(good)
    harmless = set()
    for bit in range(80):
        changed = bytearray(good)
        changed[bit // 8] ^= 1 << bit % 8
        tested = subprocess.run(["gzip", "-t"], input=changed, capture_output=True, check=False)
        error = check(bytes(changed), None)
        assert (error is None) == (tested.returncode == 0), (bit, error)
        if error is None:
            assert gzip.decompress(changed) == sql
            harmless.add(bit)
        else:
            assert_told(f"bit {bit}", error)
    text_or_binary = 3 * 8
    assert harmless == {text_or_binary, *range(4 * 8, 10 * 8)}


def test_every_damaged_file_is_named_and_remembered(
    goods: list[Path], settings: Settings, recorder: Recorder
):
    made = damaged_files(goods[0], goods[1], goods[0].parent, flips=4)
    bad = {path: what for what, path in made}
    paths = tuple(map(str, [*goods, *bad]))
    with pytest.raises(VerifyError) as caught:
        run_verify(settings, VerifyRequest(paths, (), "bob"), recorder)
    assert [one.problem for one in caught.value.problems] == [f"{path} is damaged" for path in bad]
    for problem in caught.value.problems:
        assert isinstance(problem, DamagedError)
        assert_told(bad[Path(problem.problem.removesuffix(" is damaged"))], problem)
    proofs = read_evidence(settings)
    for backup in local_backups(settings).backups:
        proof = latest(proofs, settings, backup)
        assert proof is not None
        good = Path(backup.location) in goods
        assert proof.proof is (Proof.COMPLETE if good else Proof.DAMAGED)
        assert bool(proof.problem) is not good
        assert (load_manifest(settings, backup) is not None) is good  # none for what is damaged


@pytest.mark.parametrize("goods", ["gzip -9"], indirect=True)
def test_the_corpus_itself_is_damaged(goods: list[Path]):
    """By other means than ours: none of it is a file whose SQL is that of the good dump."""
    good, other = (path.read_bytes() for path in goods)
    sql = gzip.decompress(good)
    assert len(list(flipped(good, FLIPS))) == FLIPS
    found = list(damaged(good, other, flips=FLIPS))
    assert len({data for _, data in found}) == len(found)
    for what, data in found:
        done = subprocess.run(["zcat"], input=data, capture_output=True, check=False)
        assert done.returncode != 0 or done.stdout != sql, what

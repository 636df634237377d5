"""Dumps that grow without an end, lie about what they hold, or consist of nothing."""

from __future__ import annotations

import json
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.faults import bait, hostile
from tests.faults.bombs import BOMBS, MIB
from tests.faults.readers import bounded_memory
from tests.faults.recorder import Fault, Faults, Group

from pgconsole.backups.looking import Look, look_from_front
from pgconsole.dumps import survey
from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import Manifest, parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, parse_name
from pgconsole.dumps.reader import DumpReader
from pgconsole.errors import DamagedError, PgconsoleError, StorageError
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.storage.local_file import LocalFile

pytestmark = pytest.mark.slow  # see `make test-slow`

BOMB = Fault(
    Group.HOSTILE,
    "dumps that are gzip bombs, endless strings, rows, names or members, or lie about their size",
    "read to the end or refused with the place, in less than 150 MB and in time that grows with "
    "what is decoded; nothing is believed that was not counted",
)
TABLES = Fault(
    Group.HOSTILE,
    "a dump of more tables than a manifest can describe",
    "refused with words, in less than 600 MB",
)
LYING = Fault(
    Group.HOSTILE,
    "manifests whose members overlap, lie outside, or are larger or smaller than they say",
    "no byte outside the member is taken for its content, and nothing more is decoded than said",
)
TYPED = Fault(
    Group.HOSTILE,
    "the same dumps, and `verify`, `show`, `rows`, `sql`, `restore`",
    "each ends within 40 s and 600 MB, with an exit code of ours and no traceback",
)
NAME = "app_daily_20260225_020000.sql.gz"
# What takes 1 s for a MiB: a token a byte.
SLOW = ("a long string", "parentheses", "millions of statements", "members", "each byte")
MANY = "a hundred thousand tables"
SPEED = 0.2 * MIB  # bytes a second of this process's time, on the slowest machine


def stored(path: Path) -> StoredBackup:
    name = parse_name(path.name)
    assert name is not None
    size = path.stat().st_size
    return StoredBackup(name, Place.LOCAL, str(path), size, datetime.now(UTC), False)


def looked_into(path: Path) -> None:
    """Read tables, rows and objects as whoever opens it without a manifest."""
    with closing(LocalFile(str(path))) as source:
        manifest = look_from_front(source, stored(path), lambda _: None)
        look = Look(source, manifest)
        for table in manifest.tables[:2]:
            look.page(table, 0, 100)
            for _ in look.csv(table, 0, 100):
                pass
        for _ in look.objects():
            pass


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("what", [what for what in BOMBS if what != MANY])
def test_bombs(what: str, faults: Faults, tmp_path: Path) -> None:
    write, whole = BOMBS[what]
    slow = any(word in what for word in SLOW)
    size = faults.times(1, 40) * MIB // 2 if slow else faults.times(2, 200) * MIB
    path = tmp_path / NAME
    write(path, size)
    with faults.trial(BOMB) as trial, bounded_memory(150 * MIB):
        began = time.process_time()
        with closing(LocalFile(str(path))) as source:
            if whole:
                assert check_dump(source, None, lambda _: None).compressed_bytes == source.size
            else:
                with pytest.raises(DamagedError, match="byte"):
                    check_dump(source, None, lambda _: None)
        try:
            looked_into(path)
        except DamagedError:
            assert not whole or "row" in what
        assert time.process_time() - began < 10 + 4 * size / SPEED
        trial.happened("read whole" if whole else "refused, with the place")


def test_too_many_tables(faults: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not faults.long:
        monkeypatch.setattr(survey, "MAX_SECTIONS", 20_000)
    path = tmp_path / NAME
    BOMBS[MANY][0](path, faults.times(1, 8) * MIB)
    with faults.trial(TABLES) as trial, bounded_memory(600 * MIB):
        with closing(LocalFile(str(path))) as source, pytest.raises(StorageError, match="tables"):
            check_dump(source, None, lambda _: None)
        with pytest.raises(StorageError, match="more than a manifest can describe"):
            looked_into(path)
        trial.happened("refused with words")


@pytest.mark.timeout(1200)
def test_ten_gigabytes_of_zeros(faults: Faults, tmp_path: Path) -> None:
    path = tmp_path / NAME
    size = faults.times(256, 10 << 10) * MIB
    with faults.trial(BOMB) as trial:
        for what in ("a gzip bomb of zeros", "zeros, not compressed"):
            BOMBS[what][0](path, size)
            with bounded_memory(64 * MIB), closing(LocalFile(str(path))) as source:
                began = time.process_time()
                with pytest.raises(DamagedError):
                    check_dump(source, None, lambda _: None)
                assert time.process_time() - began < 1
        trial.happened("refused at the first zero", 2)


def _read_all(source: LocalFile, manifest: Manifest) -> None:
    reader = DumpReader(source, manifest)
    for one in reader.sections:
        for _ in reader.raw(one):
            pass


LIES = {
    "a member of 2^62 bytes": lambda members: [[0, 1 << 62, 0], *members[1:]],
    "a member smaller than it is": lambda members: [[0, 1, 0], *members[1:]],
    "a member that begins in another": lambda members: [members[0], [1, *members[1][1:]]],
    "a member that begins behind the end": lambda members: [members[0], [1 << 40, 1, 0]],
    "a member before the file": lambda members: [[-5, *members[0][1:]], *members[1:]],
    "members in the wrong order": lambda members: members[::-1],
    "a member without bytes": lambda members: [[0, 0, 0], *members],
    "the same member many times": lambda members: [members[0]] * 100_000,
    "rows that are not there": lambda members: [[one[0], one[1], one[2] + 5] for one in members],
}


@pytest.mark.parametrize("lie", LIES)
@pytest.mark.parametrize("section", [0, 1])
def test_manifests_that_lie_about_members(
    lie: str, section: int, faults: Faults, tmp_path: Path
) -> None:
    path = bait.lay_good(tmp_path, NAME)
    beside = path.with_name(NAME + MANIFEST_SUFFIX)
    manifest = parse_manifest(beside.read_bytes(), "good")
    content = manifest.model_dump(mode="json", by_alias=True)
    members = content["sections"][section]["members"] * 2
    changed = LIES[lie](members)
    # As whole as a liar can make it: the sums are right.
    content["sections"][section] |= {
        "members": changed,
        "raw_bytes": min(sum(one[1] for one in changed), (1 << 63) - 1),
        "rows": sum(one[2] for one in changed),
    }
    with faults.trial(LYING) as trial, bounded_memory(400 * MIB):
        lying = parse_manifest(json.dumps(content).encode(), "lying")
        with closing(LocalFile(str(path))) as source:
            with pytest.raises(DamagedError):
                check_dump(source, lying, lambda _: None)
            with pytest.raises(DamagedError):
                _read_all(source, lying)
        trial.happened("refused")


@pytest.mark.timeout(1200)
def test_commands_on_bombs(make_settings: MakeSettings, faults: Faults, tmp_path: Path) -> None:
    settings = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
    daily = settings.backup_dir / "daily"
    daily.mkdir()
    path = daily / NAME
    chance = faults.random("commands on bombs")
    typed = [
        ("show", NAME), ("rows", NAME, "users"), ("sql", NAME), ("verify", NAME),
        ("show", NAME), ("list",), ("restore", "--latest", "--yes"),
    ]  # fmt: skip
    for what in chance.sample(sorted(BOMBS), faults.times(1, len(BOMBS))):
        with faults.trial(TYPED) as trial:
            BOMBS[what][0](path, 4 * MIB)
            said = hostile.run(settings, typed, tmp_path / "out")
            assert "Traceback" not in hostile.journals(settings), what
            assert said[3].code == (0 if BOMBS[what][1] else 1), (what, said[3])
            trial.happened("ended, and verified as it should")
        path.with_name(NAME + MANIFEST_SUFFIX).unlink(missing_ok=True)


def test_a_row_that_is_endless_is_printed_in_bounded_memory(
    make_settings: MakeSettings, faults: Faults, tmp_path: Path
) -> None:
    """One cell of nothing but escapes, which once took fifty times its size."""
    settings = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
    path = settings.backup_dir / "daily" / NAME
    path.parent.mkdir()
    size = faults.times(8, 64) * MIB
    BOMBS["a row of nothing but escapes"][0](path, size)
    with faults.trial(BOMB) as trial:
        (said,) = hostile.run(
            settings, [("rows", NAME, "users")], tmp_path / "out", memory=200 * MIB
        )
        assert said.code == 0
        assert len(said.out) > size // 2
        trial.happened("printed as it is read")


def test_what_a_liar_leaves_is_not_used(faults: Faults, tmp_path: Path) -> None:
    """A manifest of the largest size that is read, full of the smallest things."""
    head, tail = _manifest_around(tmp_path)
    with faults.trial(LYING) as trial, bounded_memory(3000 * MIB):
        for item in (b"0", b"[]", b'"x"'):
            count = faults.times(1 << 18, (60 * MIB) // (len(item) + 1))
            with pytest.raises(PgconsoleError):
                parse_manifest(head + b",".join([item] * count) + tail, "endless")
        trial.happened("refused at the first wrong item", 3)


def _manifest_around(directory: Path) -> tuple[bytes, bytes]:
    """A manifest before and after what is in its list of sections."""
    path = bait.lay_good(directory, NAME)
    content = path.with_name(NAME + MANIFEST_SUFFIX).read_bytes()
    begin = content.index(b'"sections":[') + len(b'"sections":[')
    return content[:begin], b"]}"

"""A store whose keys are traps, and whose answers lie, never end or make no sense."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults import bait, hostile
from tests.faults.hostile_store import (
    KEY,
    Answer,
    HostileStore,
    Lists,
    beginning,
    commands,
    entry,
    head_of,
    listing,
    of_key,
    part_of,
)
from tests.faults.readers import bounded_memory
from tests.faults.recorder import Fault, Faults, Group

from pgconsole.backups.catalog import s3_storage
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.storage import s3_answers
from pgconsole.storage.base import Listing
from pgconsole.storage.s3 import S3Storage

pytestmark = pytest.mark.slow  # see `make test-slow`

KEYS = Fault(
    Group.HOSTILE,
    "S3 keys with `../`, absolute, of 1,024 bytes, with control codes, wide and right-to-left "
    "characters, no UTF-8",
    "a backup only if the key is exactly that of one; else shown as foreign, escaped, kept",
)
LISTS = Fault(
    Group.HOSTILE,
    "a bucket's list that never ends, repeats itself, is of other keys, or lies about sizes and "
    "times",
    "listed once, or refused with words (one without an end after 300,000 objects), in less than "
    "150 MB (that one: 600 MB)",
)
TYPED = Fault(
    Group.HOSTILE,
    "the same stores, and every command that asks S3",
    "each ends within 40 s and 600 MB, with an exit code of ours and no traceback; nothing is "
    "written outside BACKUP_DIR/restored",
)
MIB = 1 << 20


def just(key: bytes) -> Lists:
    """A list of this one key, whatever its bytes are."""
    return lambda query: Answer(
        of_key(key) if key.startswith(query["prefix"][0].encode()) else listing()
    )


DAILY = b"backups/daily/"
NAME = b"app_daily_20260225_020000.sql.gz"
# Keys below the prefix, and whether they are a backup's.
TRAPS: dict[bytes, bool] = {
    DAILY + b"../" + NAME: False,
    DAILY + b"../../../../etc/" + NAME: False,
    DAILY + b"/etc/" + NAME: False,
    DAILY + b"./" + NAME: False,
    DAILY + b"x/../" + NAME: False,
    DAILY + b"..": False,
    DAILY + b"../../restored/app_daily_20260225_020000.sql.gz": False,
    DAILY + b"..\\" + NAME: True,  # a database can be called so, and a file as well
    DAILY + b"x" * (1024 - len(DAILY)): False,
    DAILY + b"x" * (1024 - len(DAILY + NAME) + 3) + NAME[3:]: True,
    DAILY + b"a\x00b" + NAME[3:]: False,
    DAILY + b"a\nb" + NAME[3:]: False,
    DAILY + b"\x1b[2J\x07" + NAME[3:]: False,
    DAILY + "\u202e".encode() + NAME[3:]: False,
    DAILY + "a\u2028b".encode() + NAME[3:]: False,
    DAILY + b"caf\xe9" + NAME[3:]: False,
    DAILY + "データベース".encode() + NAME[3:]: True,
    DAILY + "ｗｉｄｅ".encode() + NAME[3:]: True,
    DAILY + "قاعدة".encode() + NAME[3:]: True,
    DAILY + b"$(touch x)" + NAME[3:]: True,
    DAILY + b"%2e%2e%2f" + NAME: True,
    DAILY + b"-rf" + NAME[3:]: True,
    DAILY + b"[red]" + NAME[3:]: True,
    DAILY + b"weekly/" + NAME: False,
    DAILY + b"app_weekly_20260225_020000.sql.gz": False,
    DAILY + b"app_daily_99991231_235959.sql.gz": False,
    DAILY + MANIFEST_SUFFIX.encode(): False,
}


def test_keys_that_are_a_trap(
    store_settings: Settings, store: HostileStore, faults: Faults
) -> None:
    storage = s3_storage(store_settings)
    for key, real in TRAPS.items():
        with faults.trial(KEYS) as trial:
            store.says.lists = just(key)
            whole = storage.listing()
            text = key.decode(errors="replace")
            assert [one.location for one in whole.backups] == ([text] if real else [])
            assert [one.location for one in whole.foreign] == ([] if real else [text])
            assert [one for page in storage.listing_pages() for one in page.backups] == list(
                whole.backups
            )
            assert all(one.name.filename.isprintable() for one in whole.backups)
            trial.happened("told apart")


@pytest.mark.timeout(1200)
def test_commands_on_keys_that_are_a_trap(
    store_settings: Settings, store: HostileStore, faults: Faults, tmp_path: Path
) -> None:
    """Whoever copies such a key from the list, and any command after it."""
    bait.lay_good(store_settings.backup_dir / "daily")
    good = (store_settings.backup_dir / "daily" / NAME.decode()).read_bytes()
    store.says.head = lambda _: head_of(len(good))
    store.says.get = lambda _, asked: part_of(good, asked)
    chosen = faults.random("keys").sample(sorted(TRAPS), faults.times(1, len(TRAPS)))
    written = ["backups/restored", "backups/.pgconsole", "out"]
    line_separator = next(
        key for key in TRAPS if b"\xe2\x80\xa8" in key
    )  # `pin` printed it as it is
    for key in dict.fromkeys([line_separator, *chosen]):
        with faults.trial(TYPED) as trial:
            store.says.lists = just(key)
            before = hostile.contents(tmp_path, but=written)
            text = key.decode(errors="replace").replace("\0", "")
            said = hostile.run(store_settings, commands(text), tmp_path / "out")
            assert "Traceback" not in hostile.journals(store_settings), key
            assert hostile.contents(tmp_path, but=written) == before, key
            assert said[0].code == 0, said[0]
            assert len(json.loads(said[1].out)) == TRAPS[key]
            trial.happened("ended, nothing written outside")


# Lists

OTHER = "backups/daily/other_daily_20260225_020000.sql.gz"


def _without_an_end(page: int) -> Callable[[], Lists]:
    """Pages of so many objects, each a new one, one page after the other."""

    def make() -> Lists:
        numbers = itertools.count()

        def lists(query: dict[str, list[str]]) -> Answer:
            prefix = query["prefix"][0]
            found = [entry(f"{prefix}{next(numbers):09}") for _ in range(page)]
            more = f"<NextContinuationToken>{next(numbers)}</NextContinuationToken>"
            return Answer(listing(*found, more=more, truncated="true"))

        return lists

    return make


def _in_a_circle(pages: int) -> Lists:
    """Pages that begin again, and not with the first."""
    tokens = itertools.count(1)

    def lists(query: dict[str, list[str]]) -> Answer:
        number = int(query.get("continuation-token", ["0"])[0])
        page = 0 if number == 0 else 1 + number % pages
        more = f"<NextContinuationToken>{next(tokens)}</NextContinuationToken>"
        return Answer(listing(entry(f"{query['prefix'][0]}{page}"), more=more, truncated="true"))

    return lists


def _size(text: str | None) -> Lists:
    return beginning(entry(size=text))


def _time(text: str | None) -> Lists:
    return beginning(entry(modified=text))


# What is listed of it (backups), or None if it has to be refused.
LISTINGS: dict[str, tuple[Callable[[], Lists], int | None]] = {
    "new objects without an end": (_without_an_end(1000), None),
    "empty pages without an end": (_without_an_end(0), None),
    "pages that begin again": (lambda: _in_a_circle(3), None),
    "a page for ever": (
        lambda: lambda query: Answer(
            listing(
                entry(query["prefix"][0] + "x"),
                more="<NextContinuationToken>same</NextContinuationToken>", truncated="true",
            )
        ),
        None,
    ),
    "a beginning without a word how it goes on": (
        lambda: lambda query: Answer(listing(entry(query["prefix"][0] + "x"), truncated="true")),
        None,
    ),
    "a million elements in it": (
        lambda: lambda _: Answer(listing(more="<x/>" * 1_000_000)), None
    ),
    "the same object twice": (lambda: beginning(entry(), entry()), 1),
    "objects in the wrong order": (lambda: beginning(entry(OTHER), entry()), 2),
    "objects of another class": (lambda: lambda _: Answer(listing(entry())), None),
    "objects outside the prefix": (
        lambda: lambda _: Answer(listing(entry("daily/" + NAME.decode()))), None
    ),
    "an absolute key": (lambda: lambda _: Answer(listing(entry("/etc/passwd"))), None),
    "a key that climbs": (lambda: lambda _: Answer(listing(entry("../../../x"))), None),
    "a key of nothing": (lambda: lambda _: Answer(listing(entry(""))), None),
    "a negative size": (lambda: _size("-1"), None),
    "a size of 2^63": (lambda: _size(str(1 << 63)), None),
    "a size of 2^62": (lambda: _size(str(1 << 62)), 1),
    "a size of ten thousand digits": (lambda: _size("9" * 10_000), None),
    "a size in words": (lambda: _size("large"), None),
    "a size that is no whole number": (lambda: _size("1.5"), None),
    "no size": (lambda: _size(None), None),
    "no key": (
        lambda: beginning(entry().replace("<Key>" + KEY + "</Key>", "")), None
    ),
    "no ETag": (lambda: beginning(entry(etag=None)), None),
    "no time": (lambda: _time(None), None),
    "the year 1": (lambda: _time("0001-01-01T00:00:00Z"), 1),
    "the year 9999": (lambda: _time("9999-12-31T23:59:59-14:00"), 1),
    "the year 10000": (lambda: _time("10000-01-01T00:00:00Z"), None),
    "the 30th of February": (lambda: _time("2026-02-30T00:00:00Z"), None),
    "a time in words": (lambda: _time("yesterday"), None),
    "a time of ten thousand digits": (lambda: _time("1" * 10_000), None),
    "a time without a zone": (lambda: _time("2026-02-25T02:00:00"), 1),
}  # fmt: skip


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("what", LISTINGS)
def test_lists(
    what: str,
    store_settings: Settings,
    store: HostileStore,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not faults.long:
        monkeypatch.setattr(s3_answers, "MOST_OBJECTS", 3_000)
        monkeypatch.setattr(s3_answers, "MOST_PAGES", 100)
    make, backups = LISTINGS[what]
    storage = s3_storage(store_settings)
    storage.check()  # boto3 is there
    asked = [storage.listing, lambda: _joined(storage)]
    endless = faults.long and "new objects" in what  # 300,000 are listed until then: minutes
    with faults.trial(LISTS) as trial, bounded_memory((600 if endless else 150) * MIB):
        for ask in asked[:1] if endless else asked:
            store.says.lists = make()
            if backups is None:
                with pytest.raises(StorageError, match="can't be listed") as caught:
                    ask()
                assert len(str(caught.value)) < 1000
                assert caught.value.fix
            else:
                assert len(ask().backups) == backups
        trial.happened("refused with words" if backups is None else "listed, each object once")


def _joined(storage: S3Storage) -> Listing:
    pages = list(storage.listing_pages())
    return Listing(
        tuple(one for page in pages for one in page.backups),
        tuple(one for page in pages for one in page.foreign),
        tuple(one for page in pages for one in page.leftovers),
    )

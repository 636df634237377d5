"""A store whose answers make no sense, never end, or are of other objects than it says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from tests.faults import bait, hostile
from tests.faults.hostile_store import (
    KEY,
    Answer,
    HostileStore,
    Lists,
    Says,
    beginning,
    commands,
    entry,
    head_of,
    listing,
    of_length,
    part_of,
)
from tests.faults.readers import bounded_memory
from tests.faults.recorder import Fault, Faults, Group

from pgconsole.backups.catalog import s3_storage
from pgconsole.backups.fetch import FetchRequest, run_fetch
from pgconsole.errors import PgconsoleError, StorageError
from pgconsole.settings import Settings
from pgconsole.storage import s3_bodies
from pgconsole.storage.s3_probe import S3Probe

pytestmark = pytest.mark.slow  # see `make test-slow`

ANSWERS = Fault(
    Group.HOSTILE,
    "a web console, JSON, nothing, half an answer, an endless one or an error of a gigabyte where "
    "S3 should answer",
    "an error that says so, in less than 150 MB; one that never ends is given up after a minute",
)
OBJECTS = Fault(
    Group.HOSTILE,
    "S3 objects of another size, version or content than the store says",
    "never taken for the object; nothing under its final name in BACKUP_DIR/restored",
)
TYPED = Fault(
    Group.HOSTILE,
    "S3 stores whose answers make no sense, and every command that asks them",
    "each ends within 40 s and 600 MB, with an exit code of ours and no traceback",
)
MIB = 1 << 20

HTML = b"<!DOCTYPE html><html><head><title>Login</title></head><body>Sign in</body></html>"


def _endless(begin: bytes = b"", unit: bytes = b"x") -> Callable[[], Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        yield begin
        while True:
            yield unit * (65536 // len(unit))

    return pieces


def _dribbling() -> Iterator[bytes]:
    """An answer that never ends, and never is silent for long."""
    yield listing()[:50]
    while True:
        time.sleep(0.05)  # the rate of a slow line: what is tried
        yield b" "


def _error(message: bytes | Callable[[], Iterator[bytes]], status: int = 403) -> Answer:
    if isinstance(message, bytes):
        message = b"<Error><Code>Strange</Code><Message>" + message + b"</Message></Error>"
    return Answer(message, status)


_LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 10)
)
RESPONSES: dict[str, Answer] = {
    "a web console": Answer(HTML, headers={"Content-Type": "text/html", "Content-Length": "81"}),
    "JSON": Answer(b'{"objects": []}'),
    "nothing": Answer(b""),
    "half an answer": Answer(listing(entry())[:-60]),
    "another document": Answer(b"<ListBuckets><Buckets/></ListBuckets>"),
    "a list of garbage": Answer(b"<ListBucketResult>" + bytes(range(1, 256)) * 100),
    "no UTF-8": Answer(listing(entry()).replace(b"daily", b"d\xe9ily")),
    "gigantic numbers": Answer(listing().replace(b"1000", b"9" * 5000)),
    "elements in elements": Answer(b"<a>" * 1_000_000),
    "a billion laughs": Answer(
        b'<!DOCTYPE l [<!ENTITY l0 "ha">' + _LAUGHS + b"]><ListBucketResult>&l9;</ListBucketResult>"
    ),
    "a file of ours": Answer(
        b'<!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd">]><ListBucketResult>'
        b"<IsTruncated>false</IsTruncated><Name>&f;</Name></ListBucketResult>"
    ),
    "more than it says": Answer(listing() * 2, headers={"Content-Length": "40"}),
    "less than it says": Answer(
        listing()[:-9], headers={"Content-Length": str(len(listing())), "Connection": "close"}
    ),
    "a negative length": Answer(
        listing()[:-9], headers={"Content-Length": "-1", "Connection": "close"}
    ),
    "an answer without an end": Answer(_endless(b"<ListBucketResult>")),
    "an answer that comes byte by byte, without an end": Answer(_dribbling),
    "an error without an end": _error(_endless(b"<Error><Code>x</Code><Message>")),
    "an error that is an HTML page": Answer(HTML, 500),
    "an error of five megabytes": _error(b"long " * MIB),
    "an error that acts on terminals": _error("\u202e&#x85;&#x9b;2J[red]\n\n".encode()),
    "an error of nothing": Answer(b"", 400),
    "no such status": Answer(b"", 999),
    "a redirect to nowhere": Answer(b"", 301, {"Location": "file:///etc/passwd"}),
    "a redirect to another store": Answer(b"", 307, {"Location": "http://192.0.2.1/"}),
}


def saying(answer: Answer) -> Says:
    """A store that answers so to everything but HEAD."""
    return Says(lambda _: answer, lambda _: head_of(100), lambda _key, _asked: answer)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", RESPONSES)
def test_answers(
    what: str,
    store_settings: Settings,
    store: HostileStore,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not faults.long:
        monkeypatch.setattr(s3_bodies, "LONGEST", 0.5)
    storage, probe = s3_storage(store_settings), S3Probe(store_settings)
    storage.check()
    store.says = saying(RESPONSES[what])
    asked: list[Callable[[], object]] = [
        storage.check, storage.listing, lambda: list(storage.pages()), lambda: storage.find(KEY),
        probe.contact, lambda: probe.backups_of("app"), lambda: storage.read_small(KEY),
    ]  # fmt: skip
    chance = faults.random("answers", what)
    if "byte by byte" in what:  # takes a minute for each
        asked = chance.sample(asked, 1)
    elif not faults.long:
        asked = chance.sample(asked, 2)
    with faults.trial(ANSWERS) as trial, bounded_memory(150 * MIB):
        for ask in asked:
            began = time.monotonic()
            with pytest.raises(StorageError) as caught:
                ask()
            assert time.monotonic() - began < 2 * s3_bodies.LONGEST + 30
            said = str(caught.value)
            assert "root:" not in said
            assert caught.value.cause
            assert caught.value.fix
            assert len(said) < 1500
        trial.happened("refused with words", len(asked))


# Objects


def _settled(size: int) -> Lists:
    return beginning(entry(quote(KEY), size=str(size)))


LIES: dict[str, Callable[[Says, bytes], None]] = {
    "a length that is too large": lambda says, dump: _sized(says, len(dump) + 1000),
    "a length of 2^62": lambda says, dump: _sized(says, 1 << 62),
    "a length that is too small": lambda says, dump: _sized(says, len(dump) - 30),
    "a length of nothing": lambda says, dump: _sized(says, 0),
    "a negative length": lambda says, dump: _headers(says, {"Content-Length": "-5"}),
    "a length in words": lambda says, dump: _headers(says, {"Content-Length": "large"}),
    "no ETag": lambda says, dump: _headers(says, {"Content-Length": str(len(dump))}),
    "another ETag in each answer": lambda says, dump: _get(
        says, lambda asked: part_of(dump, asked, '"other"')
    ),
    "the whole object for each range": lambda says, dump: _get(
        says, lambda _: Answer(dump + b"x", 200, of_length(len(dump) + 1))
    ),
    "an object without an end": lambda says, dump: _get(
        says, lambda _: Answer(_endless(), 200, {"ETag": '"e"'})
    ),
    "other bytes": lambda says, dump: _get(says, lambda asked: part_of(dump[::-1], asked)),
    "zeros": lambda says, dump: _get(says, lambda asked: part_of(bytes(len(dump)), asked)),
    "a dump cut short": lambda says, dump: _get(
        says, lambda asked: part_of(dump[: len(dump) // 2], asked)
    ),
    "a web console": lambda says, dump: _get(says, lambda _: Answer(HTML)),
}


def _sized(says: Says, size: int) -> None:
    says.head, says.lists = lambda _: head_of(size), _settled(size)


def _headers(says: Says, headers: dict[str, str]) -> None:
    says.head = lambda _: Answer(headers=headers)


def _get(says: Says, get: Callable[[str], Answer]) -> None:
    says.get = lambda _key, asked: get(asked)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("lie", LIES)
def test_objects_that_are_not_what_the_store_says(
    lie: str, store_settings: Settings, store: HostileStore, faults: Faults, tmp_path: Path
) -> None:
    dump = bait.lay_good(tmp_path).read_bytes()
    store.says = Says(
        lists=_settled(len(dump)),
        head=lambda _: head_of(len(dump)),
        get=lambda _, asked: part_of(dump, asked),
    )
    LIES[lie](store.says, dump)
    with faults.trial(OBJECTS) as trial, bounded_memory(150 * MIB):
        with pytest.raises(PgconsoleError) as caught:
            run_fetch(store_settings, FetchRequest((KEY,), "test"), lambda _: None)
        assert len(str(caught.value)) < 1500
        restored = store_settings.backup_dir / "restored"
        assert not list(restored.glob("*.gz"))
        assert all(one.stat().st_size <= 8 * MIB for one in restored.glob("*"))
        trial.happened("refused, nothing under its final name")


@pytest.mark.timeout(1200)
def test_commands_on_stores_that_make_no_sense(
    store_settings: Settings, store: HostileStore, faults: Faults, tmp_path: Path
) -> None:
    chance = faults.random("typed")
    slow = "byte by byte"  # takes a minute for each question, as it should
    names = [what for what in RESPONSES if slow not in what]
    for what in chance.sample(names, faults.times(1, len(names))):
        with faults.trial(TYPED) as trial:
            store.says = saying(RESPONSES[what])
            typed = commands(KEY) if faults.long else chance.sample(commands(KEY), 3)
            said = hostile.run(store_settings, [("list", "--s3"), *typed], tmp_path / "out")
            assert "Traceback" not in hostile.journals(store_settings), what
            assert said[0].code == 1, said[0]
            assert not list(store_settings.backup_dir.glob("restored/*.gz"))
            trial.happened("ended, nothing taken for a backup")


def test_what_a_store_says_is_printed_escaped(
    store_settings: Settings, store: HostileStore, faults: Faults, tmp_path: Path
) -> None:
    """`pin` once passed it on to the terminal."""
    store.says = saying(RESPONSES["an error that acts on terminals"])
    with faults.trial(TYPED) as trial:
        typed = [("list", "--s3"), ("doctor",), ("pin", "app_daily_20260225_020000.sql.gz")]
        said = hostile.run(store_settings, typed, tmp_path / "out")
        assert "\\u202e" in said[0].err
        assert "\\u202e" in said[2].err
        trial.happened("printed, escaped")

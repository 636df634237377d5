"""What the writer writes is the dump, cut into members, proven and indexed."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from tests.dumps import strategies
from tests.dumps.aging import Key
from tests.dumps.helpers import HEADER, TRAILER, assembled, copy_block, write
from tests.support import wait_until

from pgconsole.dumps.manifest import Section, SectionKind
from pgconsole.dumps.writer import WrittenDump, write_dump
from pgconsole.errors import Cancelled, DamagedError, StorageError

ROWS = b"".join(b"%d\tname of %d\n" % (i, i * 7919) for i in range(300_000))
BIG, _ = assembled(
    b"CREATE TABLE t (a int);\n",
    copy_block(b"public.big", ROWS),
    copy_block(b"public.none", b""),
    copy_block(b'public."Two"', b"1\t\\N\n2\tx\n"),
)

sealed = pytest.mark.parametrize("recipients", [[], [Key().recipient]], ids=["plain", "encrypted"])


def members_of(path: Path, section: Section, next_offset: int) -> list[bytes]:
    """The section's members, each decoded on its own by Python's zlib."""
    data = path.read_bytes()
    offsets = [member.offset for member in section.members]
    return [
        gzip.decompress(data[start:end])
        for start, end in itertools.pairwise([*offsets, next_offset])
    ]


def check_index(written: WrittenDump, path: Path, dump: bytes) -> None:
    """Every section's members hold its bytes and rows, and nothing else."""
    starts = [s.members[0].offset for s in written.sections] + [written.compressed_bytes]
    pos = 0
    for section, after in zip(written.sections, starts[1:], strict=True):
        members = members_of(path, section, after)
        raw = b"".join(members)
        assert raw == dump[pos : pos + section.raw_bytes]
        assert [len(text) for text in members] == [m.raw_bytes for m in section.members]
        if section.kind is SectionKind.DATA:
            assert raw.endswith(b"\\.\n")
            ends_of_rows = [text.count(b"\n") for text in members]
            ends_of_rows[-1] -= 1
            assert [m.rows for m in section.members] == ends_of_rows
            assert section.rows == sum(ends_of_rows)
        else:
            assert {m.rows for m in section.members} == {0}
        pos += section.raw_bytes
    assert pos == len(dump) == written.raw_bytes


def test_every_gzip_reader_reads_the_dump(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql.gz"
    written = write(BIG, path)

    subprocess.run(["gzip", "-t", path], check=True)
    assert subprocess.run(["zcat", path], check=True, capture_output=True).stdout == BIG
    assert written.compressed_bytes == path.stat().st_size
    assert written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (written.server_version, written.pg_dump_version) == ("18.4 (Debian 18.4-1)", "18.4")


def test_members_are_cut_at_sections_and_rows(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql.gz"
    written = write(BIG, path)

    check_index(written, path, BIG)
    assert [(s.kind, s.schema_name, s.table, s.rows) for s in written.sections] == [
        (SectionKind.BEFORE, None, None, 0),
        (SectionKind.DATA, "public", "big", 300_000),
        (SectionKind.BETWEEN, None, None, 0),
        (SectionKind.DATA, "public", "none", 0),
        (SectionKind.BETWEEN, None, None, 0),
        (SectionKind.DATA, "public", "Two", 2),
        (SectionKind.AFTER, None, None, 0),
    ]
    big = written.sections[1]
    assert len(big.members) > 2
    assert big.copy_statement == "COPY public.big (id, name) FROM stdin;"
    assert big.columns == ("id", "name")
    for text in members_of(path, big, written.sections[2].members[0].offset):
        assert text.endswith(b"\n")


def test_the_same_dump_makes_the_same_file(tmp_path: Path) -> None:
    write(BIG, tmp_path / "a")
    write(BIG, tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_it_is_small(tmp_path: Path) -> None:
    # The goal is measured on a real database by `make bench`; here only that nothing is lost to
    # the cutting itself.
    written = write(BIG, tmp_path / "dump.sql.gz")
    assert written.compressed_bytes < 1.25 * len(gzip.compress(BIG, 9))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(strategies.dumps)
def test_any_dump_in_small_blocks(
    tmp_path: Path, made: tuple[bytes, list[tuple[SectionKind, int]]]
) -> None:
    dump, ends = made
    path = tmp_path / "dump.sql.gz"
    path.unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        # Blocks of this size bring every border of a block within a few rows.
        patch.setattr("pgconsole.dumps.pipeline.BLOCK_SIZE", 128)
        written = write(dump, path)
    check_index(written, path, dump)
    assert [s.kind for s in written.sections] == [kind for kind, _ in ends]


def test_a_row_larger_than_a_block_is_one_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pgconsole.dumps.pipeline.BLOCK_SIZE", 1 << 16)
    row = b"1\t" + os.urandom(400_000).hex().encode() + b"\n"
    dump, _ = assembled(copy_block(b"public.t", b"0\t\n" + row + b"2\t\n" + row * 2))
    path = tmp_path / "dump.sql.gz"
    written = write(dump, path)

    check_index(written, path, dump)
    assert max(member.raw_bytes for member in written.sections[1].members) > len(row)


CUT = {
    "no trailer": HEADER + b"SELECT 1;\n",
    "within rows": BIG[: len(BIG) // 2],
    "at the end of a row": BIG[: BIG.index(b"\n", len(BIG) // 2) + 1],
    "within the marker": BIG[: BIG.index(b"\n\\.\n") + 2],
    "right after the marker": BIG[: BIG.index(b"\n\\.\n") + 4],
    "within a COPY statement": BIG[: BIG.index(b"FROM stdin")],
    "within the trailer": BIG[: -len(TRAILER) + 40],
}


@sealed
@pytest.mark.parametrize("dump", CUT.values(), ids=CUT)
def test_a_cut_off_dump_is_damaged(tmp_path: Path, dump: bytes, recipients: list[str]) -> None:
    with pytest.raises(DamagedError, match=f"byte {len(dump)}"):
        write(dump, tmp_path / "dump.sql.gz", *recipients)
    assert_nothing_runs()


@pytest.mark.parametrize("dump", [b"", HEADER[:20], b"pg_dump: error: connection failed\n"])
def test_what_is_no_dump_is_damaged(tmp_path: Path, dump: bytes) -> None:
    with pytest.raises(DamagedError, match="no dump of pg_dump"):
        write(dump, tmp_path / "dump.sql.gz")


def test_progress_and_written_bytes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql.gz"
    source, sink = os.pipe()
    seen: list[tuple[int, str | None]] = []
    written: list[int] = []
    half = len(BIG) // 2

    def deliver() -> None:
        with os.fdopen(sink, "wb", buffering=0) as pipe:
            pipe.write(BIG[:half])
            wait_until(lambda: seen and seen[-1] == (half, "public.big"))
            pipe.write(BIG[half:])

    thread = threading.Thread(target=deliver)
    thread.start()
    started = time.monotonic()
    with os.fdopen(source, "rb") as pipe:
        write_dump(
            pipe.fileno(),
            path,
            on_progress=lambda done, table: seen.append((done, table)),
            on_written=lambda size: written.append(min(size, path.stat().st_size)),
        )
    thread.join()
    assert len(seen) <= (time.monotonic() - started) / 0.2 + 1
    assert written == sorted(written)
    assert written[-1] == path.stat().st_size


def test_an_existing_file_is_never_touched(tmp_path: Path) -> None:
    path = tmp_path / "dump.sql.gz"
    path.write_bytes(b"precious")
    with pytest.raises(StorageError, match="File exists"):
        write(BIG, path)
    assert path.read_bytes() == b"precious"

    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        write(BIG, link)
    assert not (tmp_path / "elsewhere").exists()


@sealed
def test_what_the_disk_gives_back_is_compared(tmp_path: Path, recipients: list[str]) -> None:
    path = tmp_path / "dump.sql.gz"

    def spoil(size: int) -> None:
        with path.open("r+b") as file:
            file.seek(size // 2)
            byte = file.read(1)
            file.seek(size // 2)
            file.write(bytes([byte[0] ^ 0x10]))

    with pytest.raises(DamagedError, match="byte"):
        write_from_file(BIG, path, on_written=spoil, recipients=recipients)
    assert_nothing_runs()


def test_a_header_that_the_disk_changed_is_noticed(tmp_path: Path) -> None:
    # The operating system's byte is in no member's CRC.
    path = tmp_path / "dump.sql.gz"

    def spoil(size: int) -> None:
        with path.open("r+b") as file:
            file.seek(9)
            file.write(b"\x07")

    with pytest.raises(DamagedError, match="not what was written"):
        write_from_file(BIG, path, on_written=spoil)


@sealed
def test_a_file_that_cannot_grow_is_an_error_that_says_so(
    tmp_path: Path, recipients: list[str]
) -> None:
    script = """
import os, resource, sys
from pathlib import Path
from pgconsole.dumps.writer import write_dump
from pgconsole.errors import StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_dump(
        0, Path(sys.argv[1]), on_progress=lambda *_: None, on_written=lambda _: None,
        recipients=sys.argv[2:],
    )
except StorageError as error:
    print(error)
"""
    path = tmp_path / "dump.sql.gz"
    run = subprocess.run(
        [sys.executable, "-c", script, path, *recipients],
        input=BIG,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert run.stdout.decode().startswith(f"{path} can't be written: File too large"), run.stderr


@sealed
@pytest.mark.parametrize("where", ["on_progress", "on_written"])
def test_what_a_callback_raises_comes_out(
    tmp_path: Path, where: str, recipients: list[str]
) -> None:
    def refuse(*_: object) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        write_from_file(BIG, tmp_path / "dump.sql.gz", recipients=recipients, **{where: refuse})
    assert_nothing_runs()


def test_a_failure_is_noticed_while_the_pipe_is_silent(tmp_path: Path) -> None:
    def refuse(_: int) -> None:
        raise RuntimeError("no")

    source, sink = os.pipe()

    def deliver() -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(sink, BIG)  # some blocks, fewer than there are; and no end

    thread = threading.Thread(target=deliver)
    thread.start()
    try:
        with pytest.raises(RuntimeError, match="no"):
            write_dump(source, tmp_path / "dump", on_progress=lambda *_: None, on_written=refuse)
    finally:
        os.close(source)
        thread.join()
        os.close(sink)
    assert_nothing_runs()


@sealed
def test_a_cancelled_writer_leaves_no_thread_and_no_descriptor(
    tmp_path: Path, recipients: list[str]
) -> None:
    """Whatever the calling thread does at the moment at which the signal comes."""
    script = """
import os, random, signal, sys, time
from pathlib import Path
import pgconsole.dumps.age_write  # as settings with recipients do; its module can't be cancelled
from pgconsole.dumps.writer import write_dump
from pgconsole.errors import Cancelled

def cancel(signum, frame):
    raise Cancelled

signal.signal(signal.SIGALRM, cancel)
path = Path(sys.argv[1])
dump = open(sys.argv[2], "rb")
cancelled = 0
for turn in range(120):
    dump.seek(0)
    before = set(os.listdir("/proc/self/fd"))
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0001, 0.05))
        try:
            write_dump(
                dump.fileno(), path, on_progress=lambda *_: None, on_written=lambda _: None,
                recipients=sys.argv[3:],
            )
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except Cancelled:
        cancelled += 1
    deadline = time.monotonic() + 10
    while len(os.listdir("/proc/self/task")) > 1:  # one may just be coming to life
        assert time.monotonic() < deadline
        time.sleep(0.001)
    after = set(os.listdir("/proc/self/fd"))
    assert after == before, (before, after)
    path.unlink(missing_ok=True)
print(cancelled)
"""
    dump = tmp_path / "dump.sql"
    dump.write_bytes(BIG)
    run = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "dump.sql.gz", dump, *recipients],
        capture_output=True, check=False, timeout=100,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    assert int(run.stdout) > 20


def write_from_file(
    dump: bytes,
    path: Path,
    on_progress: Callable[[int, str | None], None] = lambda *_: None,
    on_written: Callable[[int], None] = lambda _: None,
    recipients: Sequence[str] = (),
) -> WrittenDump:
    source = path.with_suffix(".source")
    source.write_bytes(dump)
    with source.open("rb") as file:
        return write_dump(
            file.fileno(), path, on_progress=on_progress, on_written=on_written,
            recipients=recipients,
        )  # fmt: skip


def assert_nothing_runs() -> None:
    assert not [t for t in threading.enumerate() if t.name.startswith("dump-")]

"""The dump stage: pg_dump's output into an indexed, verified partial file, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from pgconsole.backups.dump_process import DUMP_OPTIONS, DumpProcess
from pgconsole.backups.preflight import Preflight
from pgconsole.backups.s3_copy import S3Copy
from pgconsole.backups.stall import Stall
from pgconsole.dumps.writer import WrittenDump, write_dump
from pgconsole.errors import DamagedError
from pgconsole.postgres.tools import command_line, tool_conninfo, tool_environment
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings

_APPLICATION = "pgconsole pg_dump"
_END_TIMEOUT = 60.0  # seconds that pg_dump may take to exit after its last byte
_DAMAGE_TIMEOUT = 5.0  # seconds to learn whether pg_dump's end explains a damaged stream


def dump(
    settings: Settings,
    ready: Preflight,
    path: Path,
    copy: S3Copy | None,
    report: Report,
    phase: str = "dump",
) -> WrittenDump:
    """Run pg_dump into `path`. When this returns, every byte on the disk was read back and fits.

    Call it from the main thread: pg_dump is tied to the thread that starts it.

    Args:
        settings: The database, and who can read the file if it is to be encrypted.
        ready: What preflight found out.
        path: The partial file; it is made here and stays on failure.
        copy: Uploads the file while it grows; None if it is to stay here.
        report: Progress, and what pg_dump says.
        phase: The stage that it is reported as.

    Raises:
        ToolError: pg_dump failed, in its own last words.
        DamagedError: What it wrote is no whole dump, or the disk gave back something else.
        StorageError: The file can't be written.
    """
    target = f"--dbname={tool_conninfo(settings)}"
    argv = [str(ready.pg_dump.path), *DUMP_OPTIONS, "--no-password", target]
    report(Event(phase, command_line(settings, argv)))
    environment = tool_environment(settings, application_name=_APPLICATION)
    process = DumpProcess(argv, environment)
    stall = Stall(settings, report, phase, "pg_dump", _APPLICATION)
    progress = _Progress(report, phase, process, copy, stall, ready.estimate.raw_bytes)
    with ExitStack() as stack:
        stack.callback(process.stop)
        on_written = copy.advance if copy else _nothing
        written = _write(process, path, progress, on_written, settings.age_recipients)
        progress.say_new_lines()
        stall.look(written.raw_bytes)  # of a small dump nothing was seen after the silence
    for warning in written.warnings:
        report(Event(phase, warning, Level.WARNING))
    return written


def _write(
    process: DumpProcess,
    path: Path,
    progress: _Progress,
    on_written: Callable[[int], None],
    recipients: Sequence[str],
) -> WrittenDump:
    source = process.start()
    try:
        written = write_dump(
            source, path, on_progress=progress, on_written=on_written, recipients=recipients
        )
    except DamagedError as damage:
        # A pg_dump that failed is why its output is cut off: its own words say more.
        if process.wait(_DAMAGE_TIMEOUT) and (failure := process.failure()) is not None:
            progress.say_new_lines()
            raise failure from damage
        raise
    process.wait(_END_TIMEOUT)
    if (failure := process.failure()) is not None:
        progress.say_new_lines()
        raise failure
    return written


class _Progress:
    """Turns the writer's calls into events."""

    def __init__(
        self,
        report: Report,
        phase: str,
        process: DumpProcess,
        copy: S3Copy | None,
        stall: Stall,
        expected_bytes: int,
    ) -> None:
        self._report = report
        self._phase = phase
        self._process = process
        self._copy = copy
        self._stall = stall
        self._expected_bytes = expected_bytes

    def __call__(self, raw_bytes: int, table: str | None) -> None:
        self.say_new_lines()
        if self._copy is not None:
            self._copy.look()
        self._stall.look(raw_bytes)
        # A dump that has outgrown its estimate has none.
        expected = self._expected_bytes if raw_bytes <= self._expected_bytes else None
        self._report(Event(self._phase, bytes_done=raw_bytes, bytes_expected=expected, table=table))

    def say_new_lines(self) -> None:
        """Report what pg_dump wrote to stderr."""
        for line in self._process.new_lines():
            self._report(Event(self._phase, line, Level.WARNING))


def _nothing(_written_bytes: int) -> None:
    """Nobody waits for the file's bytes."""

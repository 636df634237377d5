"""Headless commands. stdout is data, stderr is narration, exit codes are an API.

Every command imports what it needs when it runs: `pgconsole list` must not pay for the console.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pgconsole import __version__
from pgconsole.cli.explain import explain
from pgconsole.errors import ExitCode, PgconsoleError

if TYPE_CHECKING:
    from pgconsole.redact import Redactor

# Commands that live in modules of their own, imported only when they are called or listed.
_COMMANDS = {
    "verify": "pgconsole.cli.verify:verify",
    "show": "pgconsole.cli.look:show",
    "rows": "pgconsole.cli.look:rows",
    "sql": "pgconsole.cli.look:sql",
    "restore": "pgconsole.cli.restore:restore",
    "prune": "pgconsole.cli.prune:prune",
    "delete": "pgconsole.cli.delete:delete",
    "download": "pgconsole.cli.delete:download",
    "pin": "pgconsole.cli.pins:pin",
    "unpin": "pgconsole.cli.pins:unpin",
    "schedule": "pgconsole.cli.schedule:schedule",
    "pause": "pgconsole.cli.schedule:pause",
    "resume": "pgconsole.cli.schedule:resume",
    "status": "pgconsole.cli.status:status",
    "doctor": "pgconsole.cli.doctor:doctor",
    "keygen": "pgconsole.cli.keygen:keygen",
    "wal-push": "pgconsole.cli.wal:wal_push",
}


class _LazyGroup(click.Group):
    """Finds the commands of `_COMMANDS` when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *_COMMANDS])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option(
    "--read-only", is_flag=True, help="Refuse what changes something, as PGCONSOLE_READ_ONLY=true."
)
@click.option(
    "--low-bandwidth", is_flag=True, help="Paint less often, as PGCONSOLE_LOW_BANDWIDTH=true."
)
@click.pass_context
def cli(context: click.Context, read_only: bool, low_bandwidth: bool) -> None:
    """See, run, verify and restore PostgreSQL backups.

    Without a command, the console opens. Settings come from the environment and from .env;
    `pgconsole info` shows them.

    Exit codes: 0 done, 1 failed, 2 wrong arguments or settings, 3 busy (somebody else is
    working on the database), 4 partly failed (local backup good, a copy missing),
    130 cancelled.
    """
    if read_only:
        os.environ["PGCONSOLE_READ_ONLY"] = "true"  # above .env, and for all that we start
    if low_bandwidth:
        os.environ["PGCONSOLE_LOW_BANDWIDTH"] = "true"
    if context.invoked_subcommand is None:
        _console()


def _console() -> None:
    from pgconsole.settings import load_settings  # noqa: PLC0415

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError(
            "The console needs a terminal. In scripts use a command: `pgconsole list`, "
            "`pgconsole backup`, ... (`pgconsole --help` shows all)."
        )
    settings = load_settings()
    from pgconsole.app import run_console  # noqa: PLC0415
    from pgconsole.cli.first_run import welcome_for  # noqa: PLC0415
    from pgconsole.screens.welcome import Choice  # noqa: PLC0415

    if run_console(settings, welcome_for(settings)) is Choice.DEMO:
        from pgconsole.demo.run import run_demo  # noqa: PLC0415

        sys.exit(run_demo(None))


@cli.command()
def backup() -> None:
    """Take a backup now, and follow it until it is verified and published.

    The backup runs as a job of its own: it goes on if this terminal is closed. Ctrl-C cancels it.
    Prints the path of the new backup.
    """
    from pgconsole.cli.running import run_and_follow  # noqa: PLC0415
    from pgconsole.settings import load_settings  # noqa: PLC0415

    sys.exit(run_and_follow("backup", {"database": load_settings().pgdatabase}))


@cli.command()
@click.argument("filename")
def upload(filename: str) -> None:
    """Copy a local backup to S3, e.g. after a backup that was partly failed (exit code 4).

    FILENAME is the name that `pgconsole list` shows.
    """
    from pgconsole.cli.running import run_and_follow  # noqa: PLC0415

    sys.exit(run_and_follow("upload", {"filename": Path(filename).name}))


@cli.command("list")
@click.option("--s3", "in_s3", is_flag=True, help="List the bucket instead of BACKUP_DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_backups(in_s3: bool, as_json: bool) -> None:
    """List the backups, the newest first."""
    from pgconsole.cli.listing import print_backups  # noqa: PLC0415

    print_backups(in_s3=in_s3, as_json=as_json)


@cli.command()
@click.argument("job_id", required=False)
@click.option("--follow", is_flag=True, help="With JOB_ID: print its log until it ends.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def jobs(job_id: str | None, follow: bool, as_json: bool) -> None:
    """List the jobs, the newest first; or, with JOB_ID, show one with its log."""
    from pgconsole.cli.jobs import print_job, print_jobs  # noqa: PLC0415

    if job_id is None:
        print_jobs(as_json=as_json)
    else:
        sys.exit(print_job(job_id, follow=follow, as_json=as_json))


@cli.command()
@click.argument("job_id")
def cancel(job_id: str) -> None:
    """Cancel a running job. What it began is removed; nothing half-made stays."""
    from pgconsole.cli.jobs import cancel_job  # noqa: PLC0415

    sys.exit(cancel_job(job_id))


@cli.command()
def info() -> None:
    """Print the effective settings with the source of each, and all paths. Secrets are masked."""
    from pgconsole.cli.info import print_info  # noqa: PLC0415

    print_info()


@cli.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep everything in this directory; the same directory again continues there.",
)
def demo(keep: Path | None) -> None:
    """Try everything on an embedded PostgreSQL and S3 server. Nothing of yours is touched."""
    from pgconsole.demo.run import run_demo  # noqa: PLC0415

    sys.exit(run_demo(keep))


def main() -> None:
    """The console script: runs a command and turns our errors into text and exit code."""
    # Importing makes many objects and no garbage: looking for it was 15 % of a start.
    gc.set_threshold(10_000)
    os.umask(0o077)  # also what a library makes is for the eyes of its owner only
    try:
        cli(prog_name="pgconsole")
    except PgconsoleError as error:
        redact = _redactor()  # a server or a store may have said anything
        explain(redact(error.problem), redact(error.cause), redact(error.fix))
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `pgconsole list | head`
        sys.stderr.close()
        sys.exit(ExitCode.FAILED)


def _redactor() -> Redactor:
    """Hides the secrets of the settings; of settings that can't be used, the error hides them."""
    from pgconsole.redact import Redactor  # noqa: PLC0415
    from pgconsole.settings import load_settings  # noqa: PLC0415

    try:
        return load_settings().redactor
    except PgconsoleError:
        return Redactor([])

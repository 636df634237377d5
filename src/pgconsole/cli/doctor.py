"""`pgconsole doctor`: everything that a backup needs, looked at before it is missing."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict
from types import FrameType

import click

from pgconsole.errors import ConfigurationError
from pgconsole.status.checks.base import CheckResult, CheckState

_MARKS = {
    CheckState.OK: "ok",
    CheckState.WARNING: "warning",
    CheckState.FAILED: "FAILED",
    CheckState.UNKNOWN: "unknown",
    CheckState.NOT_SET_UP: "-",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Check server, tools, directory, schedule and bucket; say cause and fix of what is wrong.

    Writes a probe into BACKUP_DIR and one into the bucket, and removes both. Exit codes: 0 nothing
    failed (there may be warnings), 1 something failed, 2 something is unknown and nothing failed.
    """
    results = []
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)
    with closing(_run()) as found:
        for result in found:
            results.append(result)
            if not as_json:
                _print(result)
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=2))
    sys.exit(exit_code(results))


def exit_code(results: list[CheckResult]) -> int:
    """0 if nothing failed and all is known, 1 if something failed, 2 if something is unknown."""
    states = {result.state for result in results}
    if CheckState.FAILED in states:
        return 1
    return 2 if CheckState.UNKNOWN in states else 0


def _run() -> Generator[CheckResult, None, None]:
    """All checks; without valid settings there is only one."""
    from pgconsole.settings import load_settings  # noqa: PLC0415
    from pgconsole.status.doctor import run_checks  # noqa: PLC0415

    try:
        settings = load_settings()
    except ConfigurationError as error:
        yield CheckResult("settings", CheckState.FAILED, error.problem, error.cause, error.fix)
        return
    yield from run_checks(settings)


def _print(result: CheckResult) -> None:
    click.echo(f"{_MARKS[result.state]:<8} {result.name:<16} {result.found}")
    if result.cause:
        click.echo(f"{'':<25} cause: {result.cause}")
    if result.fix:
        click.echo(f"{'':<25} next:  {result.fix}")


def _leave(number: int, _frame: FrameType | None) -> None:
    """Leave through the checks' own cleaning up."""
    sys.exit(128 + number)

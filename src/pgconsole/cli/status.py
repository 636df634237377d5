"""`pgconsole status`: for monitoring, and for whoever wants the answer in one line."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import click

from pgconsole.cli.explain import shown


@click.command()
@click.option("--local", is_flag=True, help="Leave S3 alone: judge what lies in BACKUP_DIR.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(local: bool, as_json: bool) -> None:
    """Say whether the backups are good: what the schedule promised is there, and verified.

    Exit codes: 0 fresh, 1 stale or failed, 2 unknown (also for wrong settings). Ends within about
    15 seconds, whatever hangs.
    """
    from pgconsole.settings import load_settings  # noqa: PLC0415
    from pgconsole.status.as_json import as_json as as_json_of  # noqa: PLC0415
    from pgconsole.status.gather import gather  # noqa: PLC0415
    from pgconsole.status.lines import lines_of  # noqa: PLC0415
    from pgconsole.status.report import report_of  # noqa: PLC0415

    settings = load_settings()
    now = datetime.now(UTC)
    report = report_of(gather(settings, now, ask_s3=not local), now)
    code = report.verdict.state.exit_code
    if as_json:
        click.echo(json.dumps(as_json_of(report, code), indent=2))
    else:
        for line in lines_of(report):
            click.echo(shown(line))
    sys.exit(code)

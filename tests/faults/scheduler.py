"""The scheduler at another time, with or without a plan.

`python -m tests.faults.scheduler <plan, or nothing> <seconds ahead>`
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import partial

import click
from tests.faults.supervisor import supervised

if __name__ == "__main__":
    if sys.argv[1]:
        supervised(sys.argv[1])
    from pgconsole.schedule.service import run_scheduler
    from pgconsole.settings import load_settings

    ahead = timedelta(seconds=float(sys.argv[2]))
    sys.exit(
        run_scheduler(
            load_settings(),
            partial(click.echo, err=True),
            lambda: datetime.now(UTC) + ahead,
        )
    )

"""The scheduler at another time: `python -m tests.faults.scheduler <plan or ''> <seconds ahead>`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

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
            lambda line: print(line, file=sys.stderr, flush=True),
            lambda: datetime.now(UTC) + ahead,
        )
    )

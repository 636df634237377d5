"""The runner of a job under a plan, which the job's request has as `plan`."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.faults.supervisor import supervised

from pgconsole.jobs import runner
from pgconsole.jobs.spec import read_spec

if __name__ == "__main__":
    supervised(str(read_spec(Path(sys.argv[1])).request["plan"]))
    sys.exit(runner.main(sys.argv[1:]))

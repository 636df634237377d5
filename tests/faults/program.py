"""`pgconsole` under a plan: `python -m tests.faults.program <plan> <arguments>`."""

from __future__ import annotations

import sys

from tests.faults.supervisor import supervised

if __name__ == "__main__":
    supervised(sys.argv.pop(1))
    from pgconsole.cli import main

    main()

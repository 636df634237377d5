"""Everything that a backup needs, looked at before it is missing: `run_checks`."""

from __future__ import annotations

import time
from collections.abc import Generator
from datetime import UTC, datetime
from functools import partial

from pgconsole.errors import NoAnswerError, PgconsoleError
from pgconsole.jobs.texts import one_line
from pgconsole.settings import Settings
from pgconsole.status.checks import (
    bucket,
    directory,
    keys,
    past,
    program,
    server,
    timetable,
    tools,
    wal,
)
from pgconsole.status.checks.base import (
    Check,
    CheckResult,
    CheckState,
    Finding,
    failed,
    unknown,
)
from pgconsole.status.checks.context import context_of
from pgconsole.status.pending import Pending

__all__ = ["CHECKS", "CheckResult", "CheckState", "run_checks"]

_TIMEOUT = 20.0  # seconds for all checks together; each has shorter ones of its own
_CLEAN_UP_TIMEOUT = 30.0  # seconds

CHECKS = (
    Check("settings", program.settings),
    Check("versions", program.versions),
    Check("server", server.reachable),
    Check("credentials", server.credentials),
    Check("database", server.database),
    Check("privileges", server.privileges),
    Check("server clock", server.clock),
    Check("pg_dump", tools.pg_dump),
    Check("psql", tools.psql),
    Check("backup directory", directory.directory),
    Check("disk", directory.disk),
    Check("leftovers", directory.leftovers),
    Check("schedule", timetable.schedule),
    Check("scheduler", timetable.scheduler),
    Check("fresh backups", past.fresh),
    Check("last backup", past.last_backup),
    Check("verification", past.verified),
    Check("retention", past.retention),
    Check("encryption", keys.encryption),
    Check("signatures", keys.signatures),
    Check("S3", bucket.listable),
    Check("S3 writing", bucket.writable, cleans_up=True),
    Check("S3 clock", bucket.clock),
    Check("S3 leftovers", bucket.leftovers),
    Check("S3 retention", bucket.retention),
    Check("S3 versions", bucket.versions),
    Check("WAL archive", wal.archive),
)
"""All checks, in the order in which they are shown."""


def run_checks(settings: Settings) -> Generator[CheckResult, None, None]:
    """Run all checks side by side, and yield their results in the order of `CHECKS`.

    No check raises, and none takes longer than 20 s: what hangs until then is `unknown`. Close the
    iterator to leave early; what checks have written is removed then too.
    """
    context = context_of(settings, datetime.now(UTC))
    running = [(check, Pending(partial(check.function, context))) for check in CHECKS]
    deadline = time.monotonic() + _TIMEOUT
    try:
        for check, pending in running:
            finding = _finding(pending, deadline)
            texts = (finding.found, finding.cause, finding.fix)
            yield CheckResult(
                check.name, finding.state, *(one_line(text, settings.redactor) for text in texts)
            )
    finally:
        patience = time.monotonic() + _CLEAN_UP_TIMEOUT
        for check, pending in running:
            if check.cleans_up:
                pending.ended(patience)


def _finding(pending: Pending[Finding], deadline: float) -> Finding:
    try:
        return pending.result(deadline)
    except TimeoutError:
        return unknown(
            "There was no answer in time",
            f"it took longer than {_TIMEOUT:.0f} s",
            "look whether the host, the disk or the network hangs, then try again",
        )
    except NoAnswerError as error:
        return unknown(error.problem, error.cause, error.fix)
    except PgconsoleError as error:
        return failed(error.problem, error.cause, error.fix)
    except Exception as error:  # one broken check must not hide the others
        return unknown(
            "The check met a fault in pgconsole",
            f"{type(error).__name__}: {error}",
            "report it; the other checks are not affected",
        )

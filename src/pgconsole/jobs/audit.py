"""One line for each action that changed something or was refused."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from pgconsole.durable import make_directory, open_to_append
from pgconsole.jobs.texts import json_line
from pgconsole.settings import Settings

AUDIT_LOG = "audit.log"


def audit(settings: Settings, actor: str, action: str, subject: str, result: str) -> None:
    """Append one line of JSON to `state_dir/audit.log`: time, actor, action, subject, result.

    A single write at the end of the file: lines of several processes never mix. Secrets are
    masked, control characters escaped.

    Args:
        settings: Where the log is, and which secrets to hide.
        actor: Who, as `current_actor` says it.
        action: What was asked, e.g. `backup` or `cancel`.
        subject: To what: a job, a database, a file.
        result: How it ended, e.g. `done`, or `refused: ...`.

    Raises:
        OSError: The log can't be written.
    """
    redact = settings.redactor
    line = json_line(
        {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "actor": redact(actor),
            "action": redact(action),
            "subject": redact(subject),
            "result": redact(result),
        }
    )
    make_directory(settings.state_dir)
    fd = open_to_append(settings.state_dir / AUDIT_LOG)
    try:
        os.write(fd, line)
        os.fsync(fd)
    finally:
        os.close(fd)

"""What would be lost if the database died now."""

from __future__ import annotations

from datetime import datetime, timedelta

from pgconsole.backups.evidence import Proof
from pgconsole.status.facts import Facts, Holdings
from pgconsole.status.words import precise

CLOCK_SLACK = timedelta(minutes=5)  # between two hosts' clocks
_OPEN = (Proof.LISTED, Proof.INTACT)


def loss(facts: Facts, holdings: Holdings, since: datetime | None, now: datetime) -> str:
    """The loss in a sentence; empty if nothing can be said.

    Args:
        facts: All that is known.
        holdings: What lies in the backup directory.
        since: When the last good backup was taken; None: there is none.
        now: The time.
    """
    if since is None:
        return "If the database died now you would lose all of it." if _nothing(facts) else ""
    if since > now + CLOCK_SLACK:
        return ""
    # A later backup that nobody verified may be good too; one that is damaged is not.
    later = (backup for backup in holdings.backups if backup.name.taken_at > since)
    hope = any(backup.size > 0 and holdings.proof(backup) in _OPEN for backup in later)
    most = "up to " if hope else ""
    return f"If the database died now you would lose {most}{precise(now - since)}."


def _nothing(facts: Facts) -> bool:
    """Whether it is known that there is no backup at all, good or not."""
    if facts.local.value is None or facts.local.value.backups:
        return False
    if not facts.s3_enabled:
        return True
    s3 = facts.s3
    return s3 is not None and s3.problem is None and s3.value is not None and not s3.value.backups

"""Which work changes something, and its refusal in read-only mode. No other place decides it."""

from __future__ import annotations

from pgconsole.errors import ConfigurationError
from pgconsole.settings import Settings

# Only reads backups. Verifying notes what it found beside them and alters none of them; an export
# writes a file of the operator's own. Whatever is not named here counts as changing something.
_READING = frozenset({"verify", "export"})


class ReadOnlyError(ConfigurationError):
    """Read-only mode refuses this; nothing was tried."""


def mutates(work: str) -> bool:
    """Whether this work changes backups, databases, pins, jobs or the schedule.

    Args:
        work: The kind of a job, or `cancel`, `pin`, `unpin`, `pause`, `resume`, `schedule`.
    """
    return work not in _READING


def refuse_if_read_only(settings: Settings, work: str) -> None:
    """Let work pass that may be done.

    Args:
        settings: Say whether this is read-only mode.
        work: As for `mutates`.

    Raises:
        ReadOnlyError: It changes something, and this is read-only mode.
    """
    if settings.read_only and mutates(work):
        raise ReadOnlyError(
            f"The {work} is refused",
            cause="pgconsole is read-only: PGCONSOLE_READ_ONLY or --read-only is set",
            fix="unset it, if you may change things: PGCONSOLE_READ_ONLY=false",
        )

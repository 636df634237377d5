"""Read-only mode's refusals, written down."""

from __future__ import annotations

from contextlib import suppress

from pgconsole.jobs.audit import audit
from pgconsole.mutations import ReadOnlyError, refuse_if_read_only
from pgconsole.settings import Settings


def permit(settings: Settings, actor: str, work: str, subject: str) -> None:
    """Let work pass that may be done; audit the refusal of what may not.

    Args:
        settings: Say whether this is read-only mode.
        actor: Who asks, as `current_actor` says it.
        work: As for `mutations.mutates`.
        subject: To what: a job, a database, a file.

    Raises:
        ReadOnlyError: It changes something, and this is read-only mode.
    """
    try:
        refuse_if_read_only(settings, work)
    except ReadOnlyError as error:
        with suppress(OSError):  # who may not write here can't write the log either
            audit(settings, actor, work, subject, f"refused: {error.cause}")
        raise

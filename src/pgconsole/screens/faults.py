"""Errors that nobody foresaw, in the form of all others: a thread must not die without a word."""

from __future__ import annotations

from pgconsole.errors import PgconsoleError
from pgconsole.redact import Redactor


def fault(what: str, error: Exception, redact: Redactor) -> PgconsoleError:
    """Say what could not be done, and that the fault is ours.

    Args:
        what: A sentence without a final full stop.
        error: What was raised.
        redact: Hides secrets in its text.
    """
    return PgconsoleError(
        what,
        cause=redact(f"{type(error).__name__}: {error}"),
        fix="this is a fault of pgconsole: please report it",
    )

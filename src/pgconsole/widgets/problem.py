"""A problem with its cause and what to do next, as every state of error shows it. Pure."""

from __future__ import annotations

from pgconsole.errors import PgconsoleError
from pgconsole.widgets.line import Part
from pgconsole.widgets.words import clean


def problem_text(problem: PgconsoleError) -> list[Part]:
    """Three lines at most."""
    parts: list[Part] = [(f"✗ {clean(problem.problem)}", "$text-error bold")]
    if problem.cause:
        parts.append(f"\nCause: {clean(problem.cause)}")
    if problem.fix:
        parts.append(f"\nNext: {clean(problem.fix)}")
    return parts

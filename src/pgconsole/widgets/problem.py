"""A problem with its cause and what to do next, as every state of error shows it."""

from __future__ import annotations

from textual.message_pump import MessagePump
from textual.notifications import SeverityLevel

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


def notify_problem(
    node: MessagePump,
    problem: PgconsoleError,
    *,
    severity: SeverityLevel = "error",
    timeout: float = 20,
) -> None:
    """Say it in a toast.

    Args:
        node: A widget or screen of the app, or the app.
        problem: What is wrong.
        severity: How grave it is.
        timeout: Seconds until the toast goes.
    """
    parts = (problem.cause, f"Next: {problem.fix}")
    text = "\n".join(clean(part) for part in parts if part)
    title = clean(problem.problem)
    node.app.notify(text, title=title, severity=severity, timeout=timeout, markup=False)

"""What the list of jobs says about itself, in every state. Pure."""

from __future__ import annotations

from datetime import datetime

from pgconsole.screens.job_list import JobRows
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Part
from pgconsole.widgets.pane import age_text
from pgconsole.widgets.problem import problem_text
from pgconsole.widgets.words import counted

_NONE = (
    "No job has run yet. In the main screen b takes a backup; its job is listed here, like those "
    "of the scheduler and of everybody else"
)


def notice(known: Known[JobRows], shown: int, now: datetime, *, only_wrong: bool) -> list[Part]:
    """What there is to say above the list; nothing if it says all.

    Args:
        known: The list.
        shown: How many rows there are, before any filter.
        now: The time.
        only_wrong: Whether they are only those that went wrong.
    """
    if known.problem is not None:
        again = f"\nctrl+r reads again · {age_text(known, now)}"
        return [*problem_text(known.problem), (again, "$muted")]
    text = _state(known, shown, now, only_wrong=only_wrong)
    return [(text, "$muted")] if text else []


def _state(known: Known[JobRows], shown: int, now: datetime, *, only_wrong: bool) -> str:
    rows = known.so_far or known.value
    if rows is None:
        return f"Reading the jobs …\n{age_text(known, now)}".rstrip()
    read = len(rows.items)
    if not read and not rows.unread:
        return _NONE
    if rows.unread and known.so_far is not None:
        return f"Reading older jobs: {read:,} of {read + rows.unread:,} …"
    if rows.unread:
        all_of_them = f"{read + rows.unread:,}"
        return f"The newest {read:,} of {all_of_them}; older ones come as you go down, sort, filter"
    if only_wrong and not shown:
        return f"Nothing went wrong in {counted(read, 'job')}"
    return ""

"""The table of what a restore expected and what it found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rich.cells import cell_len

from pgconsole.jobs.texts import JSON
from pgconsole.widgets.line import Part
from pgconsole.widgets.words import clean, clipped, counted

_WHAT_WIDTH, _NAME_WIDTH, _COUNT_WIDTH = 17, 26, 11  # together they fit into 80 columns


class CheckRow(NamedTuple):
    """One line of the table."""

    what: str
    name: str
    expected: str
    found: str

    @property
    def is_right(self) -> bool:
        """Whether it was found as expected."""
        return self.expected == self.found


def checks_of(result: Mapping[str, JSON]) -> list[CheckRow]:
    """The checks in a job's result; empty if there are none."""
    checks = result.get("checks")
    if not isinstance(checks, list):
        return []
    return [
        CheckRow(*(_text(check.get(field)) for field in CheckRow._fields))
        for check in checks
        if isinstance(check, dict)
    ]


def summary(checks: list[CheckRow]) -> str:
    """`all 12 checks as expected`, or how many are not."""
    wrong = sum(not check.is_right for check in checks)
    if wrong:
        return f"{wrong} of {counted(len(checks), 'check')} not as expected"
    return f"all {counted(len(checks), 'check')} as expected"


def checks_text(checks: list[CheckRow]) -> list[Part]:
    """The table; what is not as expected comes first."""
    wrong = any(not check.is_right for check in checks)
    parts: list[Part] = [
        (summary(checks).capitalize(), "$text-error bold" if wrong else "$text-success bold"),
        (f"\n\n  {_line(CheckRow('WHAT', 'NAME', 'EXPECTED', 'FOUND'))}", "$muted"),
    ]
    for check in sorted(checks, key=lambda check: check.is_right):
        sign, style = ("✓", "$text-success") if check.is_right else ("✗", "$text-error bold")
        parts += [(f"\n{sign} ", style), (_line(check), "" if check.is_right else style)]
    return parts


def _line(check: CheckRow) -> str:
    name = clipped(check.name, _NAME_WIDTH)
    space = " " * max(0, _NAME_WIDTH - cell_len(name))
    what = f"{clipped(check.what, _WHAT_WIDTH):<{_WHAT_WIDTH}}"
    return f"{what} {name}{space}{check.expected:>{_COUNT_WIDTH}}{check.found:>{_COUNT_WIDTH}}"


def _text(value: JSON) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else clean(str(value))

"""What the plan of a restore shows: its lines, its table, its checks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pgconsole.planning.checks import Check, Outcome
from pgconsole.planning.facts import Facts
from pgconsole.planning.fates import Fate, TableFate
from pgconsole.planning.forecast import forecast
from pgconsole.planning.loss import Weight
from pgconsole.planning.moments import moment, newest_text
from pgconsole.planning.plan import Plan
from pgconsole.storage.base import Place
from pgconsole.widgets.cells import visible
from pgconsole.widgets.grid import Column, Item
from pgconsole.widgets.health import GLYPHS, STYLES, Level
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Part
from pgconsole.widgets.words import ago, clean, counted, size, span

COLUMNS = (
    Column("TABLE", flex=True),
    Column("NOW", right=True, descending=True),
    Column("BACKUP", right=True, descending=True),
    Column("AFTER"),
    Column("NEWEST NOW", spare=True, descending=True),
    Column("BY COLUMN", spare=True),
)
GRAVEST_FIRST = 3  # AFTER, upwards
HEADINGS = (
    "Careful", "What", "Target", "Cuts off", "Safety", "Download", "Takes", "Failure", "Grants",
    "Objects", "Backup", "Taken", "Command",
)  # fmt: skip
CHECKS = (
    "Copy", "Integrity", "Server", "Nobody else", "Compatible", "Newer objects", "Safety backup",
)  # fmt: skip

_ROOMY, _WIDE = 80, 120  # cells
_SLOW = timedelta(seconds=3)  # an answer that takes longer is worth a word
_SIGNS = {
    Outcome.PASSED: ("✓", "$text-success"),
    Outcome.FAILED: ("✗", "$text-error bold"),
    Outcome.UNKNOWN: ("?", "$text-warning"),
    Outcome.ASKING: ("…", "$muted"),
}
_LEVELS = {
    Weight.NONE: Level.GOOD, Weight.SOME: Level.WARNING, Weight.UNKNOWN: Level.UNKNOWN,
}  # fmt: skip
_WORDS = {
    Fate.STAYS: ("stays", "table--dim"),
    Fate.ELSEWHERE: ("elsewhere", "table--dim"),
    Fate.EXTENSION: ("extension", "table--dim"),
    Fate.BLOCKS: ("✗ fails", "table--bad"),
}


def source_text(plan: Plan, now: datetime, width: int) -> list[Part]:
    """When the backup was taken, how large it is, what was proven of it: one line or two."""
    facts = plan.facts
    taken = facts.taken_at
    content = facts.content.value
    raw = content.raw_bytes if content is not None else None
    text = f"Taken {moment(taken, facts.settings.backup_timezone)}, {ago(taken, now)}"
    text += f", {size(facts.copy.size)}" + (f" ({size(raw)} of SQL)" if raw is not None else "")
    integrity = next(check for check in plan.checks if check.name == "Integrity")
    # Of what follows, the checks have all.
    proven = integrity.text.partition(";")[0].partition(". Next:")[0]
    sign, style = _SIGNS[integrity.outcome]
    between = " · " if width >= _WIDE else "\n"
    return [clean(text), between, (sign, style), f" {clean(proven)}"]


def title_text(facts: Facts, *, only_plan: bool) -> list[Part]:
    """Which copy it is about, and whether the target is protected."""
    name = facts.copy.location.rpartition("/")[2]
    place = "in S3" if facts.copy.place is Place.S3 else "here"
    what = "Plan to restore" if only_plan else "Restore"
    settings = facts.settings
    modes = ("READ-ONLY", settings.read_only), ("PROTECTED", settings.protected)
    parts: list[Part] = []
    for word, holds in modes:  # first: a long name must not push them out of sight
        parts += [" ", (f" {word} ", "bold reverse")] if holds else []
    return [*parts, (f" {what} {clean(name)} ", "bold"), f" {place} "]


def verdict_text(plan: Plan, facts: Facts, now: datetime) -> list[Part]:
    """What would be lost, why it can't be done, and who of those that were asked is silent."""
    parts: list[Part] = []
    found = plan.loss
    failed = [check for check in plan.checks if check.outcome is Outcome.FAILED]
    if failed:
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        why = f": {clean(failed[0].brief)}{more}\n"
        parts += [("✗ Can't be restored", "$text-error bold"), why]
    if found.weight is Weight.ASKING:
        parts.append((clean(found.text), "$muted"))
    else:
        level = _LEVELS[found.weight]
        parts += [(GLYPHS[level], f"{STYLES[level]} bold"), f" {clean(found.text)}"]
    silent = _silent(facts, now)
    return [*parts, (f"\n{silent}", "$text-warning")] if silent else parts


def table_text(table: TableFate | None, text: str) -> list[Part]:
    """The selected table's sentence."""
    if table is None:
        return []
    warns = (table.change or 0) < 0 or table.fate is Fate.BLOCKS
    return [(clean(text), "" if warns else "$muted")]


def table_items(tables: Iterable[TableFate], facts: Facts) -> list[Item]:
    """A row for each table."""
    return [_item(table, facts) for table in tables]


def check_rows(found: Iterable[Check]) -> Mapping[str, list[Part]]:
    """The checks by name."""
    return {
        check.name: [(_SIGNS[check.outcome][0], _SIGNS[check.outcome][1]), f" {clean(check.text)}"]
        for check in found
    }


def course_rows(facts: Facts, now: datetime) -> Mapping[str, list[Part]]:
    """What will happen, by heading."""
    styles = {"Careful": "$text-warning bold"}
    return {
        heading: [(clean(text), styles.get(heading, ""))] for heading, text in forecast(facts, now)
    }


def tab_texts(plan: Plan, width: int) -> dict[str, str]:
    """The tabs, with how much there is and whether that is bad, as far as there is room."""
    tables, found = plan.tables, plan.checks
    losing = sum((table.change or 0) < 0 for table in tables)
    failed = sum(check.outcome is Outcome.FAILED for check in found)
    asking = sum(check.outcome is Outcome.ASKING for check in found)
    checks = f"✗ {failed} failed" if failed else f"{asking} to come" if asking else "✓ passed"
    if not failed and not asking:
        unknown = sum(check.outcome is Outcome.UNKNOWN for check in found)
        checks = f"? {unknown} not known" if unknown else checks
    of_tables = f" · {counted(len(tables), 'table')}" if tables else ""
    of_tables = f" · {losing:,} of {len(tables):,} lose rows" if losing else of_tables
    of_tables = of_tables if width >= _ROOMY else ""
    return {
        "tables": f"1 Tables{of_tables}",
        "checks": f"2 Checks · {checks}",
        "course": "3 What happens",
    }


def _item(table: TableFate, facts: Facts) -> Item:
    word, css = _after(table)
    newest = table.newest
    when = newest_text(newest, facts.settings.backup_timezone) if newest is not None else ""
    now = table.now.count if table.now is not None else None
    texts = (
        visible(table.name), _now(table), "–" if table.held is None else f"{table.held:,}", word,
        visible(when), visible(newest.column) if newest is not None else "",
    )  # fmt: skip
    keys = (
        table.name.lower(), -1 if now is None else now, -1 if table.held is None else table.held,
        table.severity, when, texts[5].lower(),
    )  # fmt: skip
    dim = "" if table.is_certain else "table--dim"
    return Item(table.name, texts, keys, ("", dim, "", css, "", "table--dim"))


def _now(table: TableFate) -> str:
    if table.now is None or table.fate is Fate.ELSEWHERE:
        return "–"
    if table.now.count is None:
        return "?" if table.now.why else "…"
    return f"{table.now.count:,}" if table.now.exact else f"~{table.now.count:,}"


def _after(table: TableFate) -> tuple[str, str]:
    if table.fate in _WORDS:
        return _WORDS[table.fate]
    change = table.change
    if change is None:
        return "? unknown", "table--warning"
    about = "" if table.is_certain else "~"
    if table.fate is Fate.MADE:
        return f"+{change:,} made", "table--good"
    if table.fate is Fate.GOES:
        return f"{about}-{-change:,} goes", "table--bad"
    if change == 0:
        return f"{about}= same", "table--dim"
    return f"{about}{change:+,}", "table--bad" if change < 0 else ""


def _silent(facts: Facts, now: datetime) -> str:
    """Who has not answered for a while."""
    answers: tuple[tuple[str, Any], ...] = (
        ("the copy", facts.content), ("the backup directory", facts.host),
        ("the server", facts.target), ("the server", facts.fitness),
    )  # fmt: skip
    for whose, known in answers:
        if isinstance(known, Known) and known.waiting(now) > _SLOW:
            return f"No answer from {whose} for {span(known.waiting(now))}"
    return ""

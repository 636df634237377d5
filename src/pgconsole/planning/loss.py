"""What a restore would lose, in sentences: for one table, and for all of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pgconsole.errors import MissingDatabaseError
from pgconsole.planning.facts import Facts, is_pending
from pgconsole.planning.fates import Fate, Rows, TableFate
from pgconsole.planning.moments import moment, newest_text
from pgconsole.postgres.explain import where
from pgconsole.settings import Settings
from pgconsole.status.words import counted

_NAMED = 3  # tables, in a sentence
_BECOMES = {
    Fate.STAYS: "stays as it is",
    Fate.GOES: "goes with {about}, which is replaced: all its rows are lost",
    Fate.MADE: "is made",
    Fate.BLOCKS: "it is {about}, so PostgreSQL refuses to drop it and the restore fails",
    Fate.ELSEWHERE: "its rows are on another server and stay there",
    Fate.EXTENSION: "extension {about} brings its rows anew; others come from the backup",
}


class Weight(StrEnum):
    """How grave it is."""

    NONE = "none"  # nothing is lost
    SOME = "some"  # something is lost, and it is known what
    UNKNOWN = "unknown"
    ASKING = "asking"


@dataclass(frozen=True, slots=True)
class Loss:
    """What would be lost, in words.

    Attributes:
        weight: How grave it is.
        text: One or two sentences, without a final full stop.
    """

    weight: Weight
    text: str


def sentence(table: TableFate, settings: Settings) -> str:
    """All that is known of one table."""
    parts = [f"{table.name}: {_now(table)}"]
    if table.fate not in (Fate.ELSEWHERE, Fate.BLOCKS):
        parts.append(f", {_held(table)}")
    parts.append(f": {_becomes(table)}")
    if table.newest is not None:
        newest = newest_text(table.newest, settings.backup_timezone)
        parts.append(f"; newest row {newest} ({table.newest.column})")
    return "".join(parts)


def loss(facts: Facts, tables: Sequence[TableFate]) -> Loss:
    """What the target would lose.

    Args:
        facts: What is known.
        tables: What becomes of each table, as `fates` has it.
    """
    if (unknown := _without_target(facts)) is not None:
        return unknown
    if all(table.now is None for table in tables):
        return _of_empty(facts)
    if is_pending(facts.content):
        return Loss(Weight.ASKING, f"Reading what the backup holds. {_all_now(tables)} now …")
    content = facts.content.value
    if content is None or content.rows is None:
        return Loss(Weight.UNKNOWN, _of_unknown(facts, tables))
    if all(table.fate in (Fate.STAYS, Fate.ELSEWHERE, Fate.MADE) for table in tables):
        return Loss(Weight.NONE, _of_strangers(facts, tables))
    return _of_known(facts, tables)


def _without_target(facts: Facts) -> Loss | None:
    """What there is to say as long as the target is not known; None if it is."""
    problem = facts.target.problem
    if not facts.database:
        return Loss(Weight.UNKNOWN, "Into which database? Name one")
    if isinstance(problem, MissingDatabaseError):
        text = f"Nothing is there to be lost: {facts.database!r} does not exist on the server"
        return Loss(Weight.NONE, text)
    if problem is not None:
        return Loss(Weight.UNKNOWN, f"What would be lost is not known: {problem.problem}")
    if facts.target.value is None:
        server = where(facts.settings)
        return Loss(Weight.ASKING, f"Asking {server} what is in {facts.database!r} now …")
    return None


def _of_empty(facts: Facts) -> Loss:
    assert facts.target.value is not None
    objects = facts.target.value.relations.large_objects
    if objects:
        text = f"{facts.database!r} has no tables, but {counted(objects, 'large object')}: those "
        return Loss(Weight.UNKNOWN, f"{text}of the backup replace the ones of the same number")
    return Loss(Weight.NONE, f"No rows are lost: {facts.database!r} has no tables")


def _of_unknown(facts: Facts, tables: Sequence[TableFate]) -> str:
    content, problem = facts.content.value, facts.content.problem
    why = problem.problem if problem is not None else "it has no manifest"
    if content is not None and content.manifest_problem is not None:
        why = content.manifest_problem.problem
    return (
        f"What the backup holds is not known: {why}. {_all_now(tables)} now, and any of them may "
        "be lost"
    )


def _of_strangers(facts: Facts, tables: Sequence[TableFate]) -> str:
    staying = sum(table.now is not None for table in tables)
    made = sum(table.fate is Fate.MADE for table in tables)
    there = f"{facts.database!r} ({counted(staying, 'table')})"
    return (
        f"No rows are lost: the backup has nothing of what is in {there}, so that stays; it makes "
        f"{counted(made, 'table')}"
    )


def _of_known(facts: Facts, tables: Sequence[TableFate]) -> Loss:
    losing = sorted(
        (table for table in tables if (table.change or 0) < 0), key=lambda one: one.change or 0
    )
    unknown = [table for table in tables if table.change is None and table.fate in _UNCERTAIN]
    waiting = sum(table.is_waiting for table in tables)
    if losing:
        rows = -sum(table.change or 0 for table in losing)
        # Rows that were deleted since come back, and hide as many that are lost.
        about = "at least" if all(table.is_certain for table in losing) else "about"
        named = _names([f"{table.name} {-(table.change or 0):,}" for table in losing])
        text = f"Loses {about} {counted(rows, 'row')} ({named})"
    else:
        text = "No table has fewer rows afterwards"
    text += _changes(facts, losing=bool(losing))
    if unknown:
        names = _names([table.name for table in unknown])
        text += f"; not known for {counted(len(unknown), 'table')} ({names})"
    if waiting:
        text += f"; {counted(waiting, 'table')} still to be counted"
    return Loss(Weight.UNKNOWN if unknown else Weight.SOME, text)


_UNCERTAIN = (Fate.REPLACED, Fate.GOES, Fate.UNKNOWN, Fate.BLOCKS)


def _names(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _changes(facts: Facts, *, losing: bool) -> str:
    """Equal numbers of rows don't mean equal rows."""
    if facts.of_database not in ("", facts.database):
        return f". Careful: it is a backup of {facts.of_database!r}, not of {facts.database!r}"
    taken = facts.taken_at
    since = moment(taken, facts.settings.backup_timezone)
    if losing:
        return f" and every change since {since}"
    return f", but every change since {since} is lost"


def _all_now(tables: Sequence[TableFate]) -> str:
    """How much is there now."""
    there = [table.now for table in tables if table.now is not None]
    known = [rows.count for rows in there if rows.count is not None]
    about = "" if all(rows.exact for rows in there) else "about "
    text = f"{about}{counted(sum(known), 'row')} in {counted(len(there), 'table')}"
    unknown = len(there) - len(known)
    text += f", of {counted(unknown, 'table')} not known" if unknown else ""
    return f"{text[0].upper()}{text[1:]}"


def _now(table: TableFate) -> str:
    if table.fate is Fate.ELSEWHERE:
        return "a foreign table"
    if table.now is None:
        return "not there now"
    rows: Rows = table.now
    why = f" ({rows.why})" if rows.why else ""
    if rows.count is None:
        return f"rows now not known{why or ' yet'}"
    return f"{'' if rows.exact else 'about '}{counted(rows.count, 'row')} now{why}"


def _held(table: TableFate) -> str:
    if table.held is not None:
        return f"{table.held:,} in the backup"
    if table.fate in (Fate.STAYS, Fate.GOES):
        return "not in the backup"
    return "rows in the backup not known"


def _becomes(table: TableFate) -> str:
    if table.fate in _BECOMES:
        return _BECOMES[table.fate].format(about=table.about)
    change = table.change
    if change is None:
        return "what is lost of it is not known"
    about = "" if table.is_certain else "about "
    if change == 0:
        return f"{about}as many rows"
    return f"{about}{counted(abs(change), 'row')} {'more' if change > 0 else 'fewer'}"

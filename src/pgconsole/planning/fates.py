"""What a restore does to each table: rows now against rows in the backup. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pgconsole.dumps.head import RELATIONS, Head
from pgconsole.planning.content import Content, Name
from pgconsole.postgres.relations import Kind, Relation, Relations
from pgconsole.postgres.rows_now import NOT_SEEN, Newest, Seen

_KINDS = {
    Kind.TABLE: "table", Kind.PARTITIONED: "table", Kind.VIEW: "view",
    Kind.MATERIALIZED: "materialized view", Kind.FOREIGN: "foreign table",
}  # fmt: skip


class Fate(StrEnum):
    """What becomes of a table."""

    REPLACED = "replaced"  # by that of the backup
    MADE = "made"  # it is not there now
    STAYS = "stays"  # the backup does not know it
    GOES = "goes"  # the backup does not know it, and it is a part of what is replaced
    BLOCKS = "blocks"  # it is of another kind in the backup, so PostgreSQL refuses to drop it
    ELSEWHERE = "elsewhere"  # its rows are on another server
    EXTENSION = "extension"  # an extension brings its rows
    UNKNOWN = "unknown"  # what the backup has of it is not known


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of a table now.

    Attributes:
        count: How many; None if nothing is known of that.
        exact: Whether they were counted.
        why: Why they were not; empty if they were, or while their turn has not come.
    """

    count: int | None
    exact: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class TableFate:
    """One table.

    Attributes:
        name: `schema.table`.
        fate: What becomes of it.
        now: Its rows now; None if it is not there.
        held: Its rows in the backup; None if it is not in there, or if that is not known.
        newest: Its newest row now.
        about: What the fate is about: the parent it goes with, its kind now, its extension.
    """

    name: str
    fate: Fate
    now: Rows | None
    held: int | None
    newest: Newest | None = None
    about: str = ""

    @property
    def change(self) -> int | None:
        """Rows more afterwards, negative if fewer; None if that is not known."""
        if self.fate in (Fate.STAYS, Fate.ELSEWHERE):
            return 0
        before = 0 if self.now is None else self.now.count
        if before is None or self.fate in (Fate.EXTENSION, Fate.BLOCKS, Fate.UNKNOWN):
            return None
        if self.fate is Fate.GOES:
            return -before
        return None if self.held is None else self.held - before

    @property
    def severity(self) -> float:
        """Its place among the others, the gravest the least: what fails, what loses most rows."""
        if self.fate is Fate.BLOCKS:
            return float("-inf")
        if self.fate is Fate.EXTENSION:
            return 0.0
        return -0.5 if self.change is None else float(self.change)

    @property
    def is_certain(self) -> bool:
        """Whether the rows now were counted."""
        return self.now is None or self.now.exact

    @property
    def is_waiting(self) -> bool:
        """Whether its rows will still be counted."""
        return self.now is not None and not self.now.exact and not self.now.why and (
            self.fate is not Fate.ELSEWHERE
        )  # fmt: skip


def fates(
    content: Content | None, there: Relations | None, seen: Mapping[int, Seen], why: str = ""
) -> tuple[TableFate, ...]:
    """What becomes of every table, those of the target first.

    Args:
        content: What the copy holds; None if that is not known.
        there: What is in the target; None if that is not known.
        seen: What is seen of its tables, by oid.
        why: Why it is not known what is in the target; empty while that is being asked.
    """
    return tuple(_Fates(content, there, seen, why).all())


class _Fates:
    """The tables of both sides, side by side."""

    def __init__(
        self,
        content: Content | None,
        there: Relations | None,
        seen: Mapping[int, Seen],
        why: str,
    ) -> None:
        self._why = why
        self._head: Head | None = content.head if content is not None else None
        self._held = _by_full_name(content, there)
        self._there = there
        self._seen = seen
        self._shown: set[Name] = set()
        dropped = self._head.dropped if self._head is not None else ()
        self._dropped = {(o.schema, o.name): o.kind for o in dropped if o.kind in RELATIONS}
        made = self._head.made if self._head is not None else ()
        self._known = {(o.schema, o.name) for o in made if o.kind == "table"} | self._dropped.keys()

    def all(self) -> Iterator[TableFate]:
        if self._there is not None:
            for relation in self._there.all:
                fate = self._of(relation)
                if fate is not None:
                    self._shown.add((relation.schema, relation.name))
                    yield fate
        for name, rows in (self._held or {}).items():
            if name not in self._shown:
                yield self._of_backup(name, rows)

    def _of_backup(self, name: Name, rows: int) -> TableFate:
        """A table of the backup that was not found in the target."""
        if self._there is None:
            return TableFate(_full(name), Fate.UNKNOWN, Rows(None, why=self._why), rows)
        if name[0] is None and any(one.name == name[1] for one in self._there.all):
            why = "several tables are called so, and the backup names no schema"
            return TableFate(_full(name), Fate.UNKNOWN, Rows(None, why=why), rows)
        return TableFate(_full(name), Fate.MADE, None, rows)

    def _of(self, relation: Relation) -> TableFate | None:
        """None of what has no rows of its own and is in nobody's way."""
        name = relation.schema, relation.name
        held = self._held.get(name) if self._held is not None else None
        kind = _KINDS[relation.kind]
        in_backup = self._dropped.get(name) or ("table" if held is not None else kind)
        if in_backup != kind:
            fate, about = Fate.BLOCKS, f"a {kind} now and a {in_backup} in the backup"
        elif not self._has_rows(relation, held):
            return None
        else:
            fate, about = self._fate(relation, held)
        newest = self._seen.get(relation.oid, NOT_SEEN).newest
        full = f"{relation.schema}.{relation.name}"
        return TableFate(full, fate, self._now(relation), held, newest, about)

    def _has_rows(self, relation: Relation, held: int | None) -> bool:
        """Whether it is listed: each row once, and what is made from others' rows not at all."""
        if relation.kind is Kind.TABLE:
            return not self._is_shown_above(relation)
        if relation.kind is Kind.PARTITIONED:
            return held is not None
        return relation.kind is Kind.FOREIGN

    def _fate(self, relation: Relation, held: int | None) -> tuple[Fate, str]:
        if relation.kind is Kind.FOREIGN:
            return Fate.ELSEWHERE, ""
        if relation.extension:
            return Fate.EXTENSION, relation.extension
        if held is not None or (relation.schema, relation.name) in self._known:
            return Fate.REPLACED, ""
        return self._of_unknown(relation)

    def _of_unknown(self, relation: Relation) -> tuple[Fate, str]:
        """The fate of a table that the backup does not have."""
        if self._head is None and self._held is None:
            return Fate.UNKNOWN, ""
        assert self._there is not None
        above = list(self._there.above(relation))
        for parent in above:
            if (parent.schema, parent.name) in self._known or self._has_part_of(parent):
                return Fate.GOES, f"{parent.schema}.{parent.name}"
        return (Fate.UNKNOWN, "") if above and self._head is None else (Fate.STAYS, "")

    def _has_part_of(self, parent: Relation) -> bool:
        """Whether the backup has a partition of it, and so the partitioned table too."""
        assert self._there is not None
        parts = self._there.parts(parent)
        return any((part.schema, part.name) in (self._held or {}) for part in parts)

    def _is_shown_above(self, relation: Relation) -> bool:
        """Whether its rows count as those of a table above it that has rows in the backup."""
        assert self._there is not None
        return any(
            (parent.schema, parent.name) in (self._held or {})
            for parent in self._there.above(relation)
        )

    def _now(self, relation: Relation) -> Rows:
        if relation.kind not in (Kind.TABLE, Kind.PARTITIONED):
            return Rows(None)
        if relation.kind is Kind.PARTITIONED:
            assert self._there is not None
            return _sum(map(self._now, self._there.parts(relation)))
        seen = self._seen.get(relation.oid, NOT_SEEN)
        if seen.rows is not None:
            return Rows(seen.rows, exact=True)
        why = seen.why or ("" if relation.readable else "no right to read it")
        return Rows(relation.rows, why=why)


def _by_full_name(content: Content | None, there: Relations | None) -> dict[Name, int] | None:
    """Rows by schema and table; where the dump names no schema, that of the only such table."""
    if content is None or content.rows is None:
        return None
    tables = [one for one in there.all if one.kind is Kind.TABLE] if there is not None else []
    of_name = {table.name: table.schema for table in tables}
    often = Counter(table.name for table in tables)
    return {
        (of_name[name] if schema is None and often[name] == 1 else schema, name): rows
        for (schema, name), rows in content.rows.items()
    }


def _sum(parts: Iterator[Rows]) -> Rows:
    count, exact, why = 0, True, ""
    known = True
    for part in parts:
        known = known and part.count is not None
        count += part.count or 0
        exact = exact and part.exact
        why = why or part.why
    return Rows(count if known else None, exact, why)


def _full(name: Name) -> str:
    schema, table = name
    return f"{schema}.{table}" if schema else table

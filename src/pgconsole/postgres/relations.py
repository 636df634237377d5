"""The tables of a database and what else is called like one, from its catalogs alone.

No table is opened: nothing here waits for a lock, and nothing is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple

from pgconsole.postgres.server import visit
from pgconsole.settings import Settings

PLANNING = "pgconsole plan"  # the application name of whoever only looks before a restore

# `reltuples` is what the last VACUUM or ANALYZE saw; a table that neither has seen has -1 there, or
# 0 without pages. Then the statistics know what was written since they were last reset.
_RELATIONS = r"""
    SELECT c.oid::int8, nspname, relname, relkind::text,
           CASE WHEN reltuples > 0 OR reltuples = 0 AND relpages > 0 THEN reltuples::int8
                WHEN pg_stat_get_live_tuples(c.oid) > 0 THEN pg_stat_get_live_tuples(c.oid)
           END,
           greatest(relpages, 0),
           has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT'),
           (SELECT inhparent::int8 FROM pg_inherits WHERE inhrelid = c.oid AND relispartition),
           (SELECT extname FROM pg_depend JOIN pg_extension e ON e.oid = refobjid
             WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
      FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND relpersistence <> 't'
       AND nspname <> 'information_schema' AND nspname !~ '^pg_'
     ORDER BY nspname, relname
"""
_COLUMNS = r"""
    SELECT attrelid::int8, attname, atttypid = 'timestamptz'::regtype,
           EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = indexrelid
                                          JOIN pg_am ON pg_am.oid = relam
                    WHERE indrelid = attrelid AND indkey[0] = attnum AND indisvalid
                      AND indpred IS NULL AND amname = 'btree')
      FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                        JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind = 'r' AND attnum > 0 AND NOT attisdropped
       AND atttypid IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
       AND nspname <> 'information_schema' AND nspname !~ '^pg_'
     ORDER BY attrelid, attnum
"""
_LARGE_OBJECTS = "SELECT count(*) FROM pg_largeobject_metadata"

# What tables are small enough to be read whole for the newest of their rows: a tenth of a second.
SMALL_ROWS, _SMALL_PAGES = 100_000, 1024  # 8 MiB

# When a row came into being, when it changed, or some time of its own; never when it ends.
_RANKS = tuple(
    re.compile(pattern)
    for pattern in (
        r"creat|insert|added|record|logged|received|occur|ingest|captur",
        r"updat|modif|chang|touch|seen",
        r"(^|_)(ts|time|timestamp|stamp|at|on|date|day|moment)$",
    )
)
_NOT_MEANT = re.compile(
    r"expir|until|(^|_)due|birth|born|valid|deadline|(^|_)end|start|sched|next|delet|remind|trial"
)


class Kind(StrEnum):
    """What a relation is, as `pg_class.relkind` has it."""

    TABLE = "r"
    PARTITIONED = "p"
    VIEW = "v"
    MATERIALIZED = "m"
    FOREIGN = "f"


class TimeColumn(NamedTuple):
    """A column from which the newest row can be told at little cost.

    Attributes:
        name: Its name.
        zoned: Whether it is a `timestamptz`.
    """

    name: str
    zoned: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation.

    Attributes:
        oid: Its oid.
        schema: Its schema.
        name: Its name.
        kind: What it is.
        rows: Estimate of its rows; None if there is nothing to go by.
        pages: What it took when it was last looked at, in blocks; 0 may mean never.
        readable: Whether we may read it.
        parent: The oid of the partitioned table that it is a partition of.
        extension: The extension that it belongs to; empty if to none.
        time: What its newest row can be told by; None if that would cost much.
        time_if_small: The same, if it turns out to be small; None if that is known already.
    """

    oid: int
    schema: str
    name: str
    kind: Kind
    rows: int | None = None
    pages: int = 0
    readable: bool = True
    parent: int | None = None
    extension: str = ""
    time: TimeColumn | None = None
    time_if_small: TimeColumn | None = None


@dataclass(frozen=True)  # no slots: what takes a walk over all of them is worked out once
class Relations:
    """All that is there.

    Attributes:
        all: Tables, partitioned ones and partitions, views, foreign tables, by name.
        large_objects: How many there are.
    """

    all: tuple[Relation, ...]
    large_objects: int

    def above(self, relation: Relation) -> Iterator[Relation]:
        """The partitioned tables that a partition is of, the nearest first."""
        at = self._partitioned.get(relation.parent or 0)
        while at is not None:
            yield at
            at = self._partitioned.get(at.parent or 0)

    def parts(self, relation: Relation) -> Sequence[Relation]:
        """The partitions of a partitioned table, one level down."""
        return self._parts.get(relation.oid, ())

    @cached_property
    def _partitioned(self) -> dict[int, Relation]:
        return {one.oid: one for one in self.all if one.kind is Kind.PARTITIONED}

    @cached_property
    def _parts(self) -> dict[int, list[Relation]]:
        found: dict[int, list[Relation]] = {}
        for one in self.all:
            if one.parent is not None:
                found.setdefault(one.parent, []).append(one)
        return found


def relations_of(settings: Settings) -> Relations:
    """The relations of the configured database.

    Raises:
        ServerError: The server can't be reached, refuses us, or does not answer within seconds.
    """
    with visit(settings, PLANNING) as connection:
        rows = connection.execute(_RELATIONS).fetchall()
        columns = connection.execute(_COLUMNS).fetchall()
        counted = connection.execute(_LARGE_OBJECTS).fetchone()
    times: dict[int, list[tuple[str, bool, bool]]] = {}
    for oid, name, zoned, indexed in columns:
        times.setdefault(oid, []).append((name, zoned, indexed))
    return Relations(tuple(_relations(rows, times)), int(counted[0]) if counted else 0)


def _relations(
    rows: Iterable[tuple[Any, ...]], times: Mapping[int, list[tuple[str, bool, bool]]]
) -> Iterator[Relation]:
    for oid, schema, name, kind, estimate, pages, readable, parent, extension in rows:
        small = estimate is not None and estimate <= SMALL_ROWS and pages <= _SMALL_PAGES
        columns = times.get(oid, ())
        time = time_column(columns, small=small)
        later = time_column(columns, small=True) if time is None and estimate is None else None
        yield Relation(
            oid, schema, name, Kind(kind), estimate, pages, bool(readable), parent,
            extension or "", time, later,
        )  # fmt: skip


def time_column(columns: Iterable[tuple[str, bool, bool]], *, small: bool) -> TimeColumn | None:
    """The column that tells best when a table's newest row was written.

    Args:
        columns: Name, whether it is a `timestamptz`, whether an index leads with it.
        small: Whether the table is small enough to be read whole; else only an index will do.

    Returns:
        None if there is none, or only at the cost of reading a large table.
    """
    best = None
    for place, (name, zoned, indexed) in enumerate(columns):
        lowered = name.lower()
        if not (indexed or small) or _NOT_MEANT.search(lowered):
            continue
        rank = next((at for at, it in enumerate(_RANKS) if it.search(lowered)), len(_RANKS))
        if rank == len(_RANKS) and not indexed:
            continue  # when something was founded, not when it was written down
        # In a small table the name says more than an index, which costs the same.
        order = (rank, not indexed, place)
        if best is None or order < best[0]:
            best = (order, TimeColumn(name, zoned))
    return best[1] if best else None

"""What the columns of a list of backups say, and which of them there is room for. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from pgconsole.backups.evidence import Evidence
from pgconsole.backups.standing import Standing
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.arrangement import SortBy
from pgconsole.widgets.backup_rows import BackupRow, Knowledge, View, Where
from pgconsole.widgets.copy_text import SIGNS
from pgconsole.widgets.words import clean, clipped, short_span, size, stamp, zone_name

_GAP = 2
_HEAD = 3  # the cursor's mark, the operator's, the pin's
_LEAST_DATABASE, _MOST_DATABASE = 12, 32
_STATE_WIDTH = 17
_WHERE_STYLES = {Where.LOCAL: "table--warning", Where.DIFFERS: "table--warning"}

Cell = tuple[str, str]
"""Text, and component class or nothing."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What all cells of a list depend on.

    Attributes:
        view: Which list.
        known: What is known of the rows.
        zone: The time zone of times.
        now: The time.
    """

    view: View
    known: Knowledge
    zone: ZoneInfo
    now: datetime


class Column(NamedTuple):
    """One column.

    Attributes:
        name: Its header.
        width: In cells.
        cell: What it says of a row.
        right: Numbers stand at the right.
        sort: What it is sorted by, if it can be.
    """

    name: str
    width: int
    cell: Callable[[BackupRow, Scope], Cell]
    right: bool = False
    sort: SortBy | None = None


def columns(scope: Scope, width: int, *, several_databases: bool) -> list[Column]:
    """The columns that fit into so many cells.

    Args:
        scope: Which list it is.
        width: Of the view.
        several_databases: Whether it has to be said whose backup it is.
    """
    zone = clipped(zone_name(scope.zone, scope.now), 8)
    known = scope.known
    both = known.s3_enabled
    found = [
        Column(f"TAKEN {zone}", 16, _taken, sort=SortBy.TAKEN),
        Column("AGE", 6, _age, right=True),
        Column("CLASS", 7, _class, sort=SortBy.CLASS),
    ]
    if both and scope.view is View.ALL:
        found.append(Column("WHERE", 7, _where, sort=SortBy.WHERE))
    found.append(Column("SIZE", 10, _size, right=True, sort=SortBy.SIZE))
    if width >= 110 and both and scope.view is View.ALL:
        found.append(Column("HERE", _STATE_WIDTH, _state_here, sort=SortBy.STATE))
        found.append(Column("IN S3", _STATE_WIDTH, _state_in_s3))
    else:
        found.append(Column("STATE, PROVEN", _STATE_WIDTH, _state, sort=SortBy.STATE))
    if both and scope.view is View.LOCAL and known.s3_current:
        found.append(Column("IN S3", 5, _in_other))
    if scope.view is View.S3 and known.local_current:
        found.append(Column("LOCAL", 5, _in_other))
    if several_databases:
        _make_room(found, width)
        room = width - _taken_by(found) - _GAP
        room = max(_LEAST_DATABASE - 4, min(room, _MOST_DATABASE))
        found.insert(1, Column("DATABASE", room, _database, sort=SortBy.DATABASE))
    trend = Column("TREND", 7, _trend, right=True, sort=SortBy.TREND)
    if width - _taken_by(found) >= trend.width + _GAP:
        at = next(at for at, column in enumerate(found) if column.name == "SIZE")
        found.insert(at + 1, trend)
    if (room := width - _taken_by(found) - _GAP) >= 40:
        found.append(Column("FILE", min(room, 80), _file))
    return found


def _make_room(found: list[Column], width: int) -> None:
    """Whose backup it is matters more than what can be seen otherwise."""
    for name in ("IN S3", "LOCAL", "AGE", "CLASS", "SIZE"):
        if width - _taken_by(found) - _GAP >= _LEAST_DATABASE:
            return
        found[:] = [column for column in found if column.name != name or column.width == 17]


def _taken_by(found: list[Column]) -> int:
    return _HEAD + sum(column.width + _GAP for column in found) - _GAP


def _taken(row: BackupRow, scope: Scope) -> Cell:
    return stamp(row.name.taken_at, scope.zone), ""


def _age(row: BackupRow, scope: Scope) -> Cell:
    return short_span(scope.now - row.name.taken_at), ""


def _class(row: BackupRow, _: Scope) -> Cell:
    return str(row.name.backup_class), "table--dim"


def _where(row: BackupRow, scope: Scope) -> Cell:
    where = scope.known.where(row)
    return str(where), _WHERE_STYLES.get(where, "table--dim")


def _size(row: BackupRow, scope: Scope) -> Cell:
    text = size(row.copy(scope.view).size)
    if scope.known.history(row).oddity:
        return f"!{text}", "table--warning"
    return text, ""


def _trend(row: BackupRow, scope: Scope) -> Cell:
    history = scope.known.history(row)
    return trend_text(history.trend), "table--warning" if history.oddity else "table--dim"


def trend_text(trend: float | None) -> str:
    """`+3 %`, `-12 %`, `=`, `×14`; nothing if there is no backup before."""
    if trend is None:
        return ""
    if trend >= 9.995:
        return f"×{min(trend + 1, 99_999):.0f}"
    text = f"{trend:+.0%}".replace("%", " %")
    return "=" if text in ("+0 %", "-0 %") else text


def _state(row: BackupRow, scope: Scope) -> Cell:
    return state_cell(*scope.known.standing(row, scope.view), scope.now)


def _state_here(row: BackupRow, scope: Scope) -> Cell:
    return _state_of(row, row.local, View.LOCAL, scope)


def _state_in_s3(row: BackupRow, scope: Scope) -> Cell:
    return _state_of(row, row.s3, View.S3, scope)


def _state_of(row: BackupRow, copy: StoredBackup | None, view: View, scope: Scope) -> Cell:
    if copy is not None:
        return state_cell(*scope.known.standing(row, view), scope.now)
    known = scope.known.local_current if view is View.LOCAL else scope.known.s3_current
    if not known:
        return "?", "table--warning"
    return "–", "table--warning" if view is View.S3 else "table--dim"


def _in_other(row: BackupRow, scope: Scope) -> Cell:
    other = Place.S3 if scope.view is View.LOCAL else Place.LOCAL
    there = any(copy.place is other for copy in row.copies)
    return ("yes", "table--dim") if there else ("no", "table--warning")


def _database(row: BackupRow, _: Scope) -> Cell:
    return clean(row.name.database), ""


def _file(row: BackupRow, _: Scope) -> Cell:
    return clean(row.name.filename), "table--dim"


def state_cell(known: Standing, proof: Evidence | None, now: datetime) -> Cell:
    """The word for what is known of a copy, how old that knowledge is, and its class."""
    sign, kind = SIGNS[known]
    age = f" {short_span(now - proof.at)}" if proof is not None else ""
    return f"{sign} {known}{age}", "" if kind == "plain" else f"table--{kind}"

"""What an opened backup's tables show: one row for each table, change, proof and object. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pgconsole.backups.evidence import Evidence
from pgconsole.backups.opened import Change, TableChange, TableFacts
from pgconsole.backups.standing import Standing
from pgconsole.dumps.objects import HEAD, SqlObject
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.cells import visible
from pgconsole.widgets.copy_text import SIGNS, duration
from pgconsole.widgets.grid import Column, Item
from pgconsole.widgets.words import clean, short_ago, size

TABLES = (
    Column("TABLE", flex=True),
    Column("ROWS", right=True, descending=True),
    Column("SIZE", right=True, descending=True),
    Column("IN FILE", right=True, spare=True, descending=True),
    Column("COLUMNS", right=True, spare=True, descending=True),
)
CHANGES = (
    Column("TABLE", flex=True),
    Column("CHANGE"),
    Column("ROWS", right=True, descending=True),
    Column("± ROWS", right=True, descending=True),
    Column("± SIZE", right=True, descending=True),
    Column("ROWS BEFORE", right=True, spare=True, descending=True),
    Column("SIZE", right=True, spare=True, descending=True),
)
EVIDENCE = (
    Column("WHEN", descending=True),
    Column("PROVEN"),
    Column("TOOK", right=True, spare=True, descending=True),
    Column("BY", spare=True),
    Column("WHAT", flex=True),
)
OBJECTS = (
    Column("KIND"),
    Column("SCHEMA", spare=True),
    Column("NAME", flex=True),
    Column("SQL", right=True, spare=True, descending=True),
)

_CHANGES = {
    Change.SAME: ("= same", "table--dim"),
    Change.GREW: ("▲ grew", ""),
    Change.SHRANK: ("▼ shrank", "table--warning"),
    Change.CHANGED: ("~ changed", ""),
    Change.ADDED: ("+ added", "table--good"),
    Change.GONE: ("✗ gone", "table--bad"),
}
_WORST_FIRST = list(reversed(_CHANGES))


def table_items(tables: Iterable[TableFacts]) -> list[Item]:
    """The tables of a dump."""
    return [
        Item(
            table.place,
            (
                visible(table.name), f"{table.rows:,}", size(table.raw_bytes),
                "–" if table.compressed_bytes is None else size(table.compressed_bytes),
                str(len(table.section.columns)),
            ),
            (
                table.name.lower(), table.rows, table.raw_bytes, table.compressed_bytes or 0,
                len(table.section.columns),
            ),
            ("", "", "", "table--dim", "table--dim"),
        )
        for table in tables
    ]  # fmt: skip


def change_items(changes: Iterable[TableChange]) -> list[Item]:
    """The tables, now and before."""
    return [_change(number, change) for number, change in enumerate(changes)]


def _change(number: int, change: TableChange) -> Item:
    word, css = _CHANGES[change.change]
    now, before = change.now, change.before
    rows, rows_before = now.rows if now else 0, before.rows if before else 0
    raw_bytes = now.raw_bytes if now else 0
    return Item(
        now.place if now else -1 - number,
        (
            visible(change.name), word, f"{rows:,}" if now else "–", _signed(change.rows),
            _signed_size(change.raw_bytes), f"{rows_before:,}" if before else "–",
            size(raw_bytes) if now else "–",
        ),
        (
            change.name.lower(), _WORST_FIRST.index(change.change), rows, abs(change.rows),
            abs(change.raw_bytes), rows_before, raw_bytes,
        ),
        ("", css, "", css, css, "table--dim", "table--dim"),
    )  # fmt: skip


def evidence_items(proofs: Iterable[Evidence], backup: StoredBackup, now: datetime) -> list[Item]:
    """What was proven of a copy, each with whether it still counts."""
    found = []
    for number, proof in enumerate(proofs):
        sign, kind = SIGNS[Standing(proof.proof)]
        css = "" if kind == "plain" else f"table--{kind}"
        if not proof.is_about(backup):
            what = "no longer counts: the copy was written to since"
            css = "table--dim"
        elif proof.proof.is_bad:
            what = clean(proof.problem)
        else:
            what = f"SHA-256 {proof.sha256}" if proof.sha256 else ""
        texts = (
            short_ago(proof.at, now), f"{sign} {proof.proof}", duration(proof.seconds),
            clean(proof.by), what,
        )  # fmt: skip
        keys = (proof.at, str(proof.proof), proof.seconds, proof.by, what)
        found.append(Item(number, texts, keys, ("", css, "", "", "table--dim")))
    return found


def object_items(objects: Iterable[SqlObject]) -> list[Item]:
    """The objects of a dump; equal ones stand in its order."""
    return [
        Item(
            (one.place, one.start),
            (
                one.kind.lower(),
                visible(one.schema),
                "settings and DROPs before the first object" if one.kind == HEAD
                else visible(one.name),
                size(one.end - one.start),
            ),
            (one.kind, one.schema, one.name.lower(), one.end - one.start),
            ("table--dim", "table--dim", "", "table--dim"),
        )
        for one in objects
    ]  # fmt: skip


def _signed(count: int) -> str:
    return f"{count:+,}" if count else "0"


def _signed_size(count: int) -> str:
    if not count:
        return "0"
    return f"{'+' if count > 0 else '-'}{size(abs(count))}"

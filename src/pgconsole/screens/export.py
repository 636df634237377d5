"""Asks where the rows of a table are to be written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from pgconsole.backups.opened import TableFacts
from pgconsole.errors import PgconsoleError
from pgconsole.screens.dialog import DialogScreen, frame
from pgconsole.screens.new_file import new_file
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.dialog import DialogRows, Field
from pgconsole.widgets.line import Line
from pgconsole.widgets.words import clean, size

_UNUSUAL = re.compile(r"[^\w.+-]+")
_LONGEST = 100  # characters of a name that is proposed


class ExportScreen(DialogScreen[Path]):
    """Dismisses with the file to write, which is not there yet.

    Args:
        backup: The copy.
        table: The table.
    """

    AUTO_FOCUS = "#export-path"

    def __init__(self, backup: StoredBackup, table: TableFacts) -> None:
        super().__init__()
        self._table = table
        name = proposed(table)
        self._field = Field("File", "export-path", value=name)
        self._hint = Line(id="hint")
        self._hint.show("Enter writes it · Esc closes, nothing happens")
        which = f"{shlex.quote(backup.name.filename)} {shlex.quote(table.name)}"
        s3 = " --s3" if backup.place is Place.S3 else ""
        self._rows = (
            ("What", f"All {table.rows:,} rows of {table.name}, about {size(table.raw_bytes)}"),
            ("As", "CSV in UTF-8 with a header; NULL is nothing, the empty text is two quotes"),
            ("Where", f"A path, or a name in {Path.cwd()}; no file is overwritten"),
            ("Command", f"pgconsole rows {which}{s3} --csv FILE"),
        )

    def compose(self) -> ComposeResult:
        """What it is about, and the input."""
        with frame(f"Export {self._table.name}?"):
            yield DialogRows(self._rows)
            yield self._field
            yield self._hint

    @on(Input.Submitted)
    def answered(self, event: Input.Submitted) -> None:
        """Leave with the path, if it can be written."""
        event.stop()
        try:
            self.close(new_file(event.value))
        except PgconsoleError as error:
            self._hint.add_class("-wrong")
            self._hint.show(f"! {clean(error.cause)}: {clean(error.fix)}")


def proposed(table: TableFacts) -> str:
    """`<table>.csv`, from whatever the table is called."""
    name = _UNUSUAL.sub("_", table.section.table or "table").strip("._-")[:_LONGEST]
    return f"{name or 'table'}.csv"

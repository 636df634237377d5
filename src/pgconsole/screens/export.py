"""Asks where the rows of a table are to be written."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from pgconsole.backups.opened import TableFacts
from pgconsole.screens.dialog import DialogScreen, frame
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
        text = event.value.strip()
        path = Path(text).expanduser().absolute()
        if not text:
            self._refuse("Which file?")
        elif os.path.lexists(path):
            self._refuse(f"{path} exists: choose another name")
        elif not path.parent.is_dir():
            self._refuse(f"There is no directory {path.parent}")
        else:
            self.close(path)

    def _refuse(self, why: str) -> None:
        self._hint.add_class("-wrong")
        self._hint.show(f"! {clean(why)}")


def proposed(table: TableFacts) -> str:
    """`<table>.csv`, from whatever the table is called."""
    name = _UNUSUAL.sub("_", table.section.table or "table").strip("._-")[:_LONGEST]
    return f"{name or 'table'}.csv"

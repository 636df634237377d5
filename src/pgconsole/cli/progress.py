"""The progress bar of a job that is followed on a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from pgconsole.jobs import JournalEntry

_STYLES = {"warning": "yellow", "error": "bold red"}


class ProgressView:
    """Messages scroll by above one bar; the total is an estimate, and says so."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            DownloadColumn(binary_units=True),
            TextColumn("(est.)"),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task("starting", total=None, visible=False)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, entry: JournalEntry) -> None:
        """Print the entry's message, move the bar."""
        if entry.message:
            text = f"{entry.phase}: {entry.message}"
            self._console.print(Text(text, style=_STYLES.get(entry.level, "")))
        if entry.bytes_done is not None:
            expected = entry.bytes_expected
            if expected is not None:  # an estimate that was too low must not show 100 %
                expected = max(expected, entry.bytes_done)
            self._progress.update(
                self._task,
                visible=True,
                description=f"{entry.phase} {entry.table or ''}".strip(),
                completed=entry.bytes_done,
                total=expected,
            )

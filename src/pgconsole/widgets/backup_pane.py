"""A pane with the backups of one place, in every state the place can be in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from textual import on

from pgconsole.settings import Settings
from pgconsole.storage.base import Place
from pgconsole.widgets.backup_table import BackupTable
from pgconsole.widgets.copy_text import copy_text
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Part
from pgconsole.widgets.marks import NO_MARKS, Marks
from pgconsole.widgets.pane import Pane, age_text
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.words import ago, clean, counted, size

_NOT_SET_UP = (
    "S3 is not set up: backups are kept on this machine only.\n\n"
    "To copy them to S3, set S3_BACKUP_BUCKET (and S3_ENDPOINT_URL for MinIO, R2, …) "
    "in the environment or in .env, then start pgconsole again."
)


class BackupPane(Pane):
    """Local backups, or those in S3.

    Args:
        settings: For names, and for whether S3 is set up.
        place: Which.
        number: The key that goes there.
    """

    def __init__(self, settings: Settings, place: Place, number: int) -> None:
        local = place is Place.LOCAL
        self.table = BackupTable(
            settings.backup_timezone, "IN S3" if local else "LOCAL", id=f"{place}-table"
        )
        titles = ("Local backups", "Local") if local else ("S3 backups", "S3")
        super().__init__(str(place), number, titles, self.table)
        self._marks = NO_MARKS
        self._set_up = local or settings.s3_enabled
        self._where = (
            str(settings.backup_dir) if local else f"s3://{settings.s3_bucket}/{settings.s3_prefix}"
        )
        self._known: Known[Shelf] = Known()
        self._now: datetime | None = None

    def on_mount(self) -> None:
        """Draw the first state."""
        if not self._set_up:
            self.set_count("off")
            self.say((_NOT_SET_UP, "$muted"), instead=True)
            self.tell_age("S3 is not set up")

    def show_known(
        self,
        known: Known[Shelf],
        elsewhere: Mapping[str, int] | None,
        marks: Marks,
        now: datetime,
    ) -> None:
        """Draw what is known of the place.

        Args:
            known: The last listing, its age, and what became of the next.
            elsewhere: Sizes of the copies in the other place; None if they are not known.
            marks: What is proven of them, and which are pinned.
            now: The time.
        """
        self._known = known
        self._marks = marks
        shelf = known.value or known.so_far
        if shelf is not None:
            self.table.fill(shelf, elsewhere, marks, now)
        self.tick(now)

    @on(BackupTable.Selected)
    def selected(self) -> None:
        """Say what is known of the backup under the cursor."""
        if self._now is not None:
            self._show_detail(self._now)

    def tick(self, now: datetime) -> None:
        """Let ages grow."""
        if not self._set_up:
            return
        self._now = now
        known = self._known
        shelf = known.value
        self.table.tick(now)
        self._show_detail(now)
        self.table.set_class(known.problem is not None, "-stale")
        self._count_text(known)
        if known.problem is not None:
            self._say_problem(known, now)
        elif shelf is None and known.so_far is not None:
            self.say()
        elif shelf is None:
            waiting = age_text(known, now)
            self.say((f"Reading {clean(self._where)} …\n{waiting}", "$muted"), instead=True)
        elif not shelf.backups:
            self._say_empty(shelf)
        else:
            self.say()
        self.tell_age(self._age(known, now))

    def _count_text(self, known: Known[Shelf]) -> None:
        if known.problem is not None:
            self.set_count("✗")
        elif known.value is None:
            so_far = known.so_far
            self.set_count("…" if so_far is None else f"{len(so_far.backups):,} so far …")
        else:
            self.set_count(f"{len(known.value.backups):,}")

    def _say_problem(self, known: Known[Shelf], now: datetime) -> None:
        problem = known.problem
        assert problem is not None
        parts: list[Part] = [(f"✗ {clean(problem.problem)}", "$text-error bold")]
        if problem.cause:
            parts.append(f"\nCause: {clean(problem.cause)}")
        if problem.fix:
            parts.append(f"\nNext: {clean(problem.fix)}")
        shelf = known.value
        if shelf is not None and shelf.backups and known.read_at is not None:
            old = f"\nBelow is what was there {ago(known.read_at, now)}"
            self.say(*parts, (old, "$muted"))
        else:
            self.say(*parts, instead=True)

    def _say_empty(self, shelf: Shelf) -> None:
        text = f"No backups in {clean(self._where)} yet.\nPress b to take one."
        if shelf.foreign:
            text += f"\n\n{counted(shelf.foreign, 'other file')} there; not a backup's name."
        self.say((text, "$muted"), instead=True)

    def _show_detail(self, now: datetime) -> None:
        backup = self.table.selected
        if backup is None or not self._set_up:
            self.detail.show()
        else:
            self.detail.show(*copy_text(backup, self.table.elsewhere, self._marks, now))
        self.detail.display = backup is not None

    def _age(self, known: Known[Shelf], now: datetime) -> str:
        shelf = known.value
        parts = []
        if shelf is None and known.so_far is not None:
            parts.append("still reading: this is not all")
        if shelf is not None and shelf.backups:
            parts.append(size(shelf.total))
            if shelf.foreign:
                parts.append(f"{shelf.foreign} foreign")
            if shelf.leftovers:
                parts.append(f"{shelf.leftovers} unfinished")
        age = age_text(known, now)
        return " · ".join([*parts, *([age] if age else [])])

"""A pane with a list of backups, in every state that their places can be in."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from textual import on

from pgconsole.settings import Settings
from pgconsole.widgets.arrangement import Arranged
from pgconsole.widgets.backup_rows import View
from pgconsole.widgets.backup_table import BackupTable
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Key, Part
from pgconsole.widgets.pane import Pane, age_text
from pgconsole.widgets.problem import problem_text
from pgconsole.widgets.row_text import row_text
from pgconsole.widgets.shelf import Shelf
from pgconsole.widgets.words import ago, clean, counted, size

_NOT_SET_UP = (
    "S3 is not set up: backups are kept on this machine only.\n\n"
    "To copy them to S3, set S3_BACKUP_BUCKET (and S3_ENDPOINT_URL for MinIO, R2, …) "
    "in the environment or in .env, then start pgconsole again."
)
_TITLES = {
    View.ALL: ("All backups", "All"),
    View.LOCAL: ("Local backups", "Local"),
    View.S3: ("S3 backups", "S3"),
}


class Source(NamedTuple):
    """One place whose backups the list shows."""

    label: str
    where: str
    known: Known[Shelf]

    @property
    def shelf(self) -> Shelf | None:
        """What was read of it, all or a part."""
        return self.known.value or self.known.so_far


class BackupPane(Pane):
    """All backups, the local ones, or those in S3.

    Args:
        settings: For names, and for whether S3 is set up.
        view: Which.
        number: The key that goes there.
    """

    def __init__(self, settings: Settings, view: View, number: int) -> None:
        self.view = view
        self.table = BackupTable(settings.backup_timezone, view, id=f"{view}-table")
        super().__init__(str(view), number, _TITLES[view], self.table)
        self._set_up = view is not View.S3 or settings.s3_enabled
        bucket = f"s3://{settings.s3_bucket}/{settings.s3_prefix}"
        self._places = {View.LOCAL: ("here", str(settings.backup_dir))}
        if settings.s3_enabled:
            self._places[View.S3] = ("S3", bucket)
        self._sources: list[Source] = []
        self._marked = 0
        self._now: datetime | None = None

    def on_mount(self) -> None:
        """Draw the first state."""
        if not self._set_up:
            self.set_count("off")
            self.say((_NOT_SET_UP, "$muted"), instead=True)
            self.tell_age("S3 is not set up")

    def show_known(self, local: Known[Shelf], s3: Known[Shelf], now: datetime) -> None:
        """What is known of the places: the last listing, its age, what became of the next."""
        both = {View.LOCAL: local, View.S3: s3}
        self._sources = [
            Source(label, where, both[place])
            for place, (label, where) in self._places.items()
            if self.view in (View.ALL, place)
        ]
        self.tick(now)

    def show_rows(self, arranged: Arranged, now: datetime) -> None:
        """Draw the list."""
        self.table.fill(arranged, now)
        self.tick(now)

    def mark(self, marked: AbstractSet[str]) -> None:
        """Show which rows are marked."""
        self._marked = len(marked)
        self.table.mark(marked)
        if self._now is not None:
            self.tick(self._now)

    @on(BackupTable.Selected)
    def selected(self) -> None:
        """Say what is known of the backup under the cursor."""
        if self._now is not None:
            self._show_detail(self._now)

    def tick(self, now: datetime) -> None:
        """Let ages grow."""
        self._now = now
        if not self._set_up or not self._sources:
            return
        self.table.tick(now)
        self._show_detail(now)
        failed = any(source.known.problem is not None for source in self._sources)
        self.table.set_class(failed and self.view is not View.ALL, "-stale")
        self._show_count()
        self._show_state(now)
        self.tell_age(self._age(now))

    def _show_count(self) -> None:
        if any(source.known.problem is not None for source in self._sources):
            self.set_count("✗")
            return
        shown, total = self._counts()
        if self._is_whole(total):
            self.set_count(f"{shown:,}" if shown == total else f"{shown:,}/{total:,}")
        else:
            self.set_count(f"{total:,} so far …" if total else "…")

    def _is_whole(self, listed: int) -> bool:
        """Whether all was read, and has come to the list by now."""
        if any(source.known.value is None for source in self._sources):
            return False
        if self.view is View.ALL:
            return True
        return listed == sum(len(s.shelf.backups) for s in self._sources if s.shelf is not None)

    def _show_state(self, now: datetime) -> None:
        parts: list[Part] = []
        nothing = not any(source.shelf is not None for source in self._sources)
        for source in self._sources:
            parts += self._source_text(source, now)
        shown, total = self._counts()
        hides = self.table.arranged.wanted.hides and total
        self.notice.set_class(bool(hides and not parts), "-brief")
        if hides:
            parts += [*_between(parts), *self._hidden(shown, total)]
        if not parts and not nothing and not total and not self._arranging:
            parts = self._empty()
        # Never instead of the list: what is hidden has no focus, and without it keys do nothing.
        self.say(*parts)

    def _source_text(self, source: Source, now: datetime) -> list[Part]:
        """What is wrong with a place, or that it is still being read."""
        known = source.known
        if known.problem is not None:
            problem = problem_text(known.problem)
            if known.value is not None and known.value.backups and known.read_at is not None:
                old = f"\nBelow is what was there {ago(known.read_at, now)}"
                problem.append((old, "$muted"))
            return problem
        if known.value is not None or known.so_far is not None:
            return []
        waiting = age_text(known, now)
        rest = f"\n{waiting}" if waiting else ""
        return [(f"Reading {clean(source.where)} …{rest}\n", "$muted")]

    def _hidden(self, shown: int, total: int) -> list[Part]:
        wanted = self.table.arranged.wanted
        why = [f"filter {clean(wanted.filter)}"] if wanted.filter else []
        why += ["only what is wrong"] if wanted.wrong_only else []
        text = f"Shown: {shown:,} of {total:,} ({', '.join(why)})"
        keys: list[Part] = [(Key("show_all"), "$muted"), (" shows all", "$muted")]
        return [(text, "$text-warning"), (" · ", "$muted"), *keys]

    def _empty(self) -> list[Part]:
        where = " and ".join(clean(source.where) for source in self._sources)
        parts: list[Part] = [(f"No backups in {where} yet.\nPress ", "$muted")]
        parts += [(Key("backup"), "$muted"), (" to take one.", "$muted")]
        foreign = sum(source.shelf.foreign for source in self._sources if source.shelf)
        if foreign:
            text = f"\n\n{counted(foreign, 'other file')} there; not a backup's name."
            parts.append((text, "$muted"))
        return parts

    def _counts(self) -> tuple[int, int]:
        total = self.table.arranged.totals.get(self.view, 0)
        return len(self.table.rows), total

    @property
    def _arranging(self) -> bool:
        """Whether backups were read that the list does not have yet."""
        return any(source.shelf is not None and source.shelf.backups for source in self._sources)

    def _show_detail(self, now: datetime) -> None:
        row = self.table.selected
        if row is None or not self._set_up:
            self.detail.show()
        else:
            known, width = self.table.arranged.known, self.size.width
            self.detail.show(*row_text(row, self.view, known, now, width))
        self.detail.display = row is not None

    def _age(self, now: datetime) -> str:
        parts = [f"{self._marked:,} marked"] if self._marked else []
        for source in self._sources:
            label = f"{source.label} " if len(self._sources) > 1 else ""
            shelf = source.known.value
            if shelf is None and source.known.so_far is not None:
                parts.append(f"{label}still reading: this is not all")
            if shelf is not None and shelf.backups:
                parts.append(f"{label}{size(shelf.total)}")
                label = ""
                parts += [f"{shelf.foreign} foreign"] if shelf.foreign else []
                parts += [f"{shelf.leftovers} unfinished"] if shelf.leftovers else []
            if age := age_text(source.known, now):
                parts.append(f"{label}{age}")
        return " · ".join(parts)


def _between(parts: list[Part]) -> list[Part]:
    return ["\n"] if parts else []

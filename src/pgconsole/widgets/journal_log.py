"""A job's journal as it grows: line API, wrapped, follows its end unless it is paused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from pgconsole.widgets.words import clean, wrapped

if TYPE_CHECKING:
    from pgconsole.jobs import JournalEntry

_MOST_ENTRIES = 10_000  # more scroll away at the top; the file keeps them all
_STYLES = {"warning": "log--warning", "error": "log--error"}
_SIGNS = {"warning": "! ", "error": "✗ "}


class _Row(NamedTuple):
    """One line on screen; a wrapped entry has several, and only the first has a head."""

    head: str
    phase: str
    text: str
    css: str


class JournalLog(ScrollView, can_focus=True, inherit_bindings=False):
    """The messages of one job.

    Args:
        zone: The time zone times are shown in.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--time",
        "log--phase",
        "log--warning",
        "log--error",
    }

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__(id="journal")
        self._zone = zone
        self._entries: list[JournalEntry] = []
        self._rows: list[_Row] = []
        self._width = 0
        self._following = True

    @property
    def following(self) -> bool:
        """Whether new lines move the view."""
        return self._following

    @property
    def line_count(self) -> int:
        """Lines on screen if it were high enough."""
        return len(self._rows)

    def restart(self) -> None:
        """Another job's journal comes next."""
        self._entries.clear()
        self._rows.clear()
        self._following = True
        self._resized()

    def extend(self, entries: Sequence[JournalEntry]) -> None:
        """Add entries; those that are progress only have nothing to read."""
        told = [entry for entry in entries if entry.message]
        if not told:
            return
        self._entries += told
        if len(self._entries) > _MOST_ENTRIES:
            del self._entries[:-_MOST_ENTRIES]
            self._wrap_all()
        else:
            for entry in told:
                self._rows += self._wrap(entry)
        self._resized()

    def move(self, where: str) -> None:
        """Scroll: up, down, page_up, page_down, top or bottom. Up pauses, the end follows."""
        page = max(1, self.size.height - 1)
        step = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        target = {"top": 0.0, "bottom": float(self.max_scroll_y)}.get(where)
        if target is None:
            target = self.scroll_y + step[where]
        self.scroll_to(y=target, animate=False, immediate=True)
        self._following = target >= self.max_scroll_y

    def toggle_following(self) -> None:
        """Pause where it is, or go to the end and follow it."""
        self._following = not self._following
        self._resized()

    def on_mouse_scroll_up(self) -> None:
        """Scrolling back pauses."""
        self._following = False

    def on_mouse_scroll_down(self) -> None:
        """Scrolling down to the end follows again."""
        self._following = self.scroll_y + 3 >= self.max_scroll_y

    def on_resize(self, event: events.Resize) -> None:
        """Wrap to the new width."""
        width = self._text_width()
        if width != self._width:
            self._width = width
            self._wrap_all()
        self._resized()

    def render_line(self, y: int) -> Strip:
        """One line of the view."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        number = y + round(self.scroll_y)
        if number >= len(self._rows):
            return Strip.blank(width, base)
        row = self._rows[number]
        dim = base + self.get_component_rich_style("log--time", partial=True)
        phase = base + self.get_component_rich_style("log--phase", partial=True)
        text = base + self.get_component_rich_style(row.css, partial=True) if row.css else base
        segments = [Segment(row.head, dim), Segment(row.phase, phase), Segment(row.text, text)]
        return Strip(segments).adjust_cell_length(width, base)

    def _text_width(self) -> int:
        # A column for the scrollbar is kept free, so that its coming does not wrap anew.
        return max(10, self.size.width - 2)

    def _resized(self) -> None:
        self.virtual_size = Size(0, len(self._rows))
        if self._following:
            self.scroll_end(animate=False, immediate=True, x_axis=False)
        self.refresh()

    def _wrap_all(self) -> None:
        self._rows = [row for entry in self._entries for row in self._wrap(entry)]

    def _wrap(self, entry: JournalEntry) -> list[_Row]:
        head = f"{entry.time.astimezone(self._zone):%H:%M:%S}  "
        phase = f"{clean(entry.phase):<9.9} "
        css = _STYLES.get(entry.level, "")
        message = _SIGNS.get(entry.level, "") + clean(entry.message)
        room = max(10, (self._width or 78) - len(head) - len(phase))
        first, *rest = wrapped(message, room)
        indent = " " * len(head)
        blank = " " * len(phase)
        return [_Row(head, phase, first, css), *(_Row(indent, blank, line, css) for line in rest)]

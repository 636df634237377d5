"""A log of any length: only the rows in view are made; it follows its end unless it is paused."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from rich.segment import Segment
from textual import events, on
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp
from textual.strip import Strip

from pgconsole.logs.lines import Key
from pgconsole.logs.requests import Answer
from pgconsole.widgets.log_rows import Layout
from pgconsole.widgets.log_viewport import Shown, Viewport

_GUTTER = 1  # cells: what is marked or was found can be told without any colour
_MARKER = "▌"
_WHEEL = 3  # rows
_SIDEWAYS = 8  # cells
_FIRST, _LAST = Key(0, 0, 0), Key(1 << 62, 0, 0)  # places before and behind all lines


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Lines of logs.

    Args:
        zone: The time zone times are shown in.
        kinds: Whether to tell which kind of job a line is of.
    """

    class Moved(Message):
        """Other lines are in view, or it follows, or is paused."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log--time", "log--kind", "log--phase", "log--day", "log--warning", "log--error",
        "log--match", "log--found", "log--marked",
    }  # fmt: skip

    def __init__(self, zone: ZoneInfo, *, kinds: bool) -> None:
        super().__init__(id="log-view")
        self.viewport = Viewport(Layout(zone, kinds=kinds))
        self.found: Key | None = None
        """The line that a search has found."""
        self._marks: tuple[Key, Key] | None = None  # where marking began, and where it is
        self._screen: list[Shown] = []
        self._painted: object = None

    @property
    def marked(self) -> tuple[Key, Key] | None:
        """The first and the last marked line."""
        return None if self._marks is None else (min(self._marks), max(self._marks))

    @property
    def marked_count(self) -> int | None:
        """How many lines are marked; 0 if that is not known; None: it is not marking."""
        if self._marks is None:
            return None
        first, last = (self._number(key) for key in (min(self._marks), max(self._marks)))
        return 0 if first is None or last is None else last - first + 1

    def show(self, answer: Answer) -> None:
        """Show what came."""
        self.viewport.show(answer)
        self._paint()

    def lay_out(self, layout: Layout) -> None:
        """Show the lines in another way."""
        self.viewport.lay_out(layout)
        self._paint()

    def move(self, where: str) -> None:
        """Scroll up, down, page_up, page_down, top or bottom; while marking, mark up to there."""
        view = self.viewport
        if self._marks is not None:
            self._mark_to(where)
        elif where == "top":
            view.go_to(0)
        elif where == "bottom":
            view.follow()
        elif where.startswith("page"):
            view.page(1 if where == "page_down" else -1)
        else:
            view.scroll(1 if where == "down" else -1)
        self._changed()

    def shift(self, where: str) -> None:
        """Scroll long lines left or right."""
        self.viewport.shift(_SIDEWAYS if where == "right" else -_SIDEWAYS)
        self._paint()

    def toggle_following(self) -> None:
        """Pause where it is, or go to the end and follow it."""
        if self.viewport.following:
            self.viewport.pause()
        else:
            self.viewport.follow()
        self._changed()

    def reveal(self, key: Key) -> None:
        """Show a line that was found, and mark it."""
        self.found = key
        number = self.viewport.number(key)
        if number is not None:
            self.viewport.reveal(number)
        self._changed()

    def forget_found(self) -> None:
        """No line was found."""
        self.found = None
        self._paint()

    def search_from(self, *, back: bool) -> Key | None:
        """The place from which a search goes on: what was found, or an end of what is in view."""
        keys = self._keys_in_view()
        if self.found in keys or not keys:
            return self.found
        # A line in view may be what is looked for: the place is beside it.
        return keys[-1].beside(1) if back else keys[0].beside(-1)

    def begin_marking(self) -> None:
        """Mark the line that was found, if it is in view, else the last one in view."""
        keys = self._keys_in_view()
        if keys:
            at = self.found if self.found in keys else keys[-1]
            self._marks = (at, at)
            self.viewport.pause()
            self._changed()

    def end_marking(self) -> None:
        """Mark nothing any more."""
        self._marks = None
        self._changed()

    def on_click(self, event: events.Click) -> None:
        """While marking, mark up to the line that was clicked."""
        if self._marks is not None and 0 <= event.y < len(self._screen):
            line = self.viewport.line(self._screen[event.y].number)
            if line is not None:
                self._marks = (self._marks[0], line.key)
                self._changed()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back; that pauses."""
        self._wheel(event, -_WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """On; the end follows again."""
        self._wheel(event, _WHEEL)

    def on_resize(self) -> None:
        """Wrap to the new width."""
        # The scrollbar's column is kept free, so that its coming does not wrap anew.
        self.viewport.resize(self.size.width - _GUTTER - 1, self.size.height)
        self._changed()

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Put the scrollbar where the view is: Textual tells only one that is shown."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    @on(ScrollTo)
    def _dragged(self, message: ScrollTo) -> None:
        """The scrollbar was dragged."""
        message.stop()
        message.prevent_default()
        number = round(message.y or 0)
        if number >= self.viewport.last_top:
            self.viewport.follow()
        else:
            self.viewport.go_to(number)
        self._changed()

    @on(ScrollUp)
    @on(ScrollDown)
    def _paged(self, message: ScrollUp | ScrollDown) -> None:
        """The scrollbar was clicked beside its grip."""
        message.stop()
        message.prevent_default()
        self.move("page_up" if isinstance(message, ScrollUp) else "page_down")

    def render_line(self, y: int) -> Strip:
        """One line of the view."""
        width = self.scrollable_content_region.width
        base = self.rich_style
        if y >= len(self._screen):
            return Strip.blank(width, base)
        number, row = self._screen[y]
        line = self.viewport.line(number)
        marked = line is not None and self._is_marked(line.key)
        found = line is not None and line.key == self.found
        if marked:
            base += self.get_component_rich_style("log--marked", partial=True)
        elif found:
            base += self.get_component_rich_style("log--found", partial=True)
        segments = [Segment(_MARKER if marked or found else " ", base)]
        for text, names in row:
            style = base
            for name in names:
                style += self.get_component_rich_style(name, partial=True)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, base)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        event.prevent_default()
        self.viewport.scroll(by)
        self._changed()

    def _is_marked(self, key: Key) -> bool:
        return self._marks is not None and min(self._marks) <= key <= max(self._marks)

    def _keys_in_view(self) -> list[Key]:
        lines = [self.viewport.line(shown.number) for shown in self._screen]
        return [line.key for line in lines if line is not None]

    def _number(self, key: Key) -> int | None:
        ends = {_FIRST: 0, _LAST: self.viewport.count - 1}
        return ends[key] if key in ends else self.viewport.number(key)

    def _mark_to(self, where: str) -> None:
        """Move the end of what is marked, as far as lines are at hand, or to an end of all."""
        assert self._marks is not None
        begin, at = self._marks
        view = self.viewport
        number = self._number(at)
        page = max(1, self.size.height - 1)
        step = {"up": -1, "down": 1, "page_up": -page, "page_down": page}.get(where)
        if step is None:
            at = _FIRST if where == "top" else _LAST
            view.go_to(0 if where == "top" else view.count - 1)
        elif number is not None and (line := view.nearest(number + step)) is not None:
            at = line.key
            view.keep_in_view(view.number(at) or 0)
        view.pause()
        self._marks = begin, at

    def _changed(self) -> None:
        self._paint()
        self.post_message(self.Moved())

    def _paint(self) -> None:
        """Draw again, but only what is another picture than before: slow links pay for it."""
        view = self.viewport
        self.virtual_size = Size(0, view.last_top + self.size.height)
        self.scroll_to(y=view.top, animate=False, immediate=True, force=True)
        self._screen = view.screen()
        picture = (self._screen, self._marks, self.found)
        if picture != self._painted:
            self._painted = picture
            self.refresh()

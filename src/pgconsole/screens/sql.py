"""The SQL of one object, in colours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from pgconsole.dumps.objects import SqlObject
from pgconsole.screens.feed import Feed
from pgconsole.screens.reading import ReadingScreen
from pgconsole.settings import Settings
from pgconsole.widgets.cells import visible
from pgconsole.widgets.known import Known
from pgconsole.widgets.line import Line
from pgconsole.widgets.pane import age_text
from pgconsole.widgets.problem import problem_text

_ONCE = 1e9  # seconds
_MOST_COLOURED = 1 << 16  # characters; colours take a second for a million


@dataclass
class SqlKnown(Message):
    """What is known of the SQL."""

    known: Known[tuple[Content, bool]]


class SqlScreen(ReadingScreen):
    """Reads the SQL in a thread, and shows it.

    Args:
        settings: For the redactor.
        found: Which object.
        read: Gives its SQL or the beginning of it, and whether that is all.
        now: The clock.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "dismiss", "Close", show=False)]

    def __init__(
        self,
        settings: Settings,
        found: SqlObject,
        read: Callable[[], tuple[str, bool]],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(f"{found.kind.lower()} {found.full_name}".strip())
        self._now = now
        self._known: Known[tuple[Content, bool]] = Known()
        self._line = Line(classes="sql")

        def load(_: object) -> tuple[Content, bool]:
            text, whole = read()
            return coloured(text), whole

        def deliver(known: Known[tuple[Content, bool]]) -> None:
            self.post_message(SqlKnown(known))

        self._feed: Feed[tuple[Content, bool]] = Feed(
            "The SQL", load, deliver, every=_ONCE, now=now, redact=settings.redactor
        )

    def content(self) -> Iterable[Widget]:
        """The SQL, or what became of it."""
        return (self._line,)

    def on_mount(self) -> None:
        """Begin to read."""
        self._feed.start()
        self._tick()
        self.set_interval(1.0, self._tick)

    def on_unmount(self) -> None:
        """Wait for nobody."""
        self._feed.stop()

    @on(SqlKnown)
    def _sql_known(self, message: SqlKnown) -> None:
        self._known = message.known
        self._tick()

    def _tick(self) -> None:
        known = self._known
        if known.problem is not None:
            self._line.show(*problem_text(known.problem))
        elif known.value is None:
            self._line.show((f"Reading …\n{age_text(known, self._now())}", "$muted"))
        else:
            content, whole = known.value
            cut = "\n\n… and more: `pgconsole sql` prints all of it"
            self._line.show(content, *([] if whole else [(cut, "$muted")]))


def coloured(text: str) -> Content:
    """SQL with the colours of its words; nothing in it acts, and no markup is read."""
    from textual import highlight  # noqa: PLC0415 - Pygments, 40 ms

    lines = [visible(line.replace("\t", "    ")) for line in text.strip("\n").split("\n")]
    shown = "\n".join(lines)
    if len(shown) > _MOST_COLOURED:
        return Content(shown)
    return highlight.highlight(shown, language="postgresql")

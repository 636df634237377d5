"""What a log pane and the thread that reads the logs say to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.message import Message

from pgconsole.errors import PgconsoleError
from pgconsole.logs.book import LogBook
from pgconsole.logs.desk import Desk
from pgconsole.logs.files import Places
from pgconsole.logs.query import Query
from pgconsole.logs.requests import Answer, Copied, Copy, Find, Found, Request, Save, Saved
from pgconsole.redact import Redactor
from pgconsole.screens.log_reader import Reader
from pgconsole.widgets.log_view import LogView


@dataclass
class LogKnown(Message):
    """What the reading thread has to say."""

    news: Answer | PgconsoleError


class LogTalk:
    """Asks for the lines that a view needs, and keeps what was answered.

    Args:
        view: Shows them.
        query: Which lines are wanted at first.
        places: Where the logs are; called in the reading thread.
        post: Takes messages from any thread.
        redact: For errors that nobody foresaw.

    Attributes:
        query: Which lines are wanted.
        answer: The newest answer; None: there was none yet.
        problem: Why there is no newer one.
        order: What is to be done besides and is not done yet.
    """

    def __init__(
        self,
        view: LogView,
        query: Query,
        places: Places,
        post: Callable[[Message], bool],
        redact: Redactor,
    ) -> None:
        self.query = query
        self.answer: Answer | None = None
        self.problem: PgconsoleError | None = None
        self.order: Find | Save | Copy | None = None
        self._view = view
        self._orders = 0
        self._done: Found | Saved | Copied | None = None
        self._request = Request(query)

        def deliver(news: Answer | PgconsoleError) -> None:
            post(LogKnown(news))

        desk = Desk(LogBook(places))
        desk.ask(self._request)
        self._reader = Reader(desk, deliver, redact)

    @property
    def busy(self) -> float:
        """Seconds that the answer under way takes; 0 if none is."""
        return self._reader.busy

    def start(self) -> None:
        """Begin to read."""
        self._reader.start()

    def stop(self) -> None:
        """Leaving waits for nobody."""
        self._reader.stop()

    def want(self, query: Query) -> None:
        """Show other lines."""
        self.query = query
        self.ask()

    def give(self, order: Find | Save | Copy | None) -> None:
        """Have something done, instead of what is not done yet."""
        self.order = order
        self.ask()

    def new_number(self) -> int:
        """Of an order."""
        self._orders += 1
        return self._orders

    def ask(self) -> None:
        """Ask for what the view needs now, if that was not asked for."""
        viewport = self._view.viewport
        top, number = viewport.wanted
        request = Request(self.query, top, number, viewport.paused_at, self.order)
        if request != self._request:
            self._request = request
            self._reader.ask(request)

    def take(self, message: LogKnown) -> Found | Saved | Copied | None:
        """Show what came; what became of an order, once for each."""
        news, done = message.news, None
        if isinstance(news, PgconsoleError):
            self.problem = news
        else:
            if news.done is not self._done:
                done = self._done = news.done
            if done is not None and done.order is self.order:
                self.order = None
            if news.request.query == self.query:
                self.problem = None
                self.answer = news
                self._view.show(news)
        self.ask()
        return done

"""The feeds of an opened backup. Each is read once, when somebody wants to see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textual.message import Message

from pgconsole.backups.opened import Comparison, OpenedBackup
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.objects import SqlObject
from pgconsole.screens.feed import Feed
from pgconsole.screens.inside import Inside, read_objects
from pgconsole.settings import Settings
from pgconsole.widgets.known import Known

_ONCE = 1e9  # seconds


@dataclass
class OpenedKnown(Message):
    """What is known of the copy."""

    known: Known[OpenedBackup]


@dataclass
class ChangesKnown(Message):
    """How it differs from the backup before."""

    known: Known[Comparison]


@dataclass
class FrontKnown(Message):
    """What was found by reading the file from its front."""

    known: Known[Manifest]


@dataclass
class ObjectsKnown(Message):
    """Its objects."""

    known: Known[tuple[SqlObject, ...]]


class InsideFeeds:
    """Starts and stops them.

    Args:
        settings: For the redactor.
        inside: Where the data comes from.
        post: Takes messages from any thread.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        inside: Inside,
        post: Callable[[Message], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._inside = inside
        self._post = post
        self._now = now
        self._feeds: dict[type[Message], Feed[Any]] = {}

    def open(self) -> None:
        """Read what is known of the copy."""
        self._read(OpenedKnown, "The manifest", lambda _: self._inside.open())

    def compare(self, opened: OpenedBackup) -> None:
        """Compare it with the backup before."""
        self._read(ChangesKnown, "The backup before", lambda _: self._inside.compare(opened))

    def front(self) -> None:
        """Read the file from its front."""
        self._read(FrontKnown, "The file", self._inside.front)

    def objects(self, manifest: Manifest) -> None:
        """Find the objects."""

        def load(so_far: Callable[[tuple[SqlObject, ...]], None]) -> tuple[SqlObject, ...]:
            return read_objects(self._inside.look(manifest), so_far)

        self._read(ObjectsKnown, "The list of objects", load)

    def forget(self, *messages: type[Message]) -> None:
        """Deliver nothing more of these; they may be read anew."""
        for message in messages:
            if (feed := self._feeds.pop(message, None)) is not None:
                feed.stop()

    def stop(self) -> None:
        """Deliver nothing any more; waits for nobody."""
        self.forget(*list(self._feeds))

    def _read(
        self,
        message: Callable[[Known[Any]], Message],
        name: str,
        load: Callable[[Callable[[Any], None]], Any],
    ) -> None:
        assert isinstance(message, type)
        if message in self._feeds:
            return
        stopped = self._feeds

        def deliver(known: Known[Any]) -> None:
            if stopped.get(message) is feed:
                self._post(message(known))

        feed: Feed[Any] = Feed(
            name, load, deliver, every=_ONCE, now=self._now, redact=self._settings.redactor
        )
        self._feeds[message] = feed
        feed.start()

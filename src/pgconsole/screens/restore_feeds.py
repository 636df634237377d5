"""The feeds of a restore's plan: a source each, so that one that hangs keeps the others usable."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from textual.message import Message

from pgconsole.backups.restore_copy import FoundCopy
from pgconsole.planning.content import Content, look_at_content
from pgconsole.planning.facts import Facts
from pgconsole.planning.fitness import Fitness, look_at_fitness
from pgconsole.planning.host import Host, look_at_host
from pgconsole.planning.plan import Plan, conclude
from pgconsole.planning.target import Target, look_at_target
from pgconsole.postgres.rows_now import Seen, look_at_rows
from pgconsole.screens.feed import Feed
from pgconsole.settings import Settings
from pgconsole.widgets.grid import Item
from pgconsole.widgets.known import Known
from pgconsole.widgets.plan_text import table_items

_ONCE = 1e9  # seconds
_AGES_EVERY = 20.0  # seconds after which ages are said anew
_AGAIN = 30.0  # seconds after which is looked again who is connected and what stands in the way
_SO_FAR_EVERY = 0.5  # seconds between two half lists

Rows = Mapping[int, Seen]


class Part(StrEnum):
    """What is asked; but for the last named as in `planning.facts.Facts`."""

    CONTENT = "content"
    HOST = "host"
    TARGET = "target"
    FITNESS = "fitness"
    ROWS = "rows"
    PLAN = "plan"  # no answer of anybody: what follows from the others


@dataclass
class PartKnown(Message):
    """What is known of one part, for one target."""

    part: Part
    database: str
    known: Known[Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A plan, and the rows of its table."""

    plan: Plan
    items: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Looks:
    """Where all that comes from. Every function runs in a feed's thread.

    Attributes:
        content: What the copy holds.
        host: What this host knows of the copy and a database.
        target: What a database is.
        fitness: Whether the one goes into the other.
        rows: What is seen of a database's tables; given a taker of half lists, and asked to end
            by the other function.
    """

    content: Callable[[], Content]
    host: Callable[[str], Host]
    target: Callable[[str], Target]
    fitness: Callable[[Content, Target], Fitness]
    rows: Callable[[Target, Callable[[Rows], None], Callable[[], bool]], Rows]


def looks_of(settings: Settings, copy: FoundCopy) -> Looks:
    """The real ones."""

    def rows(target: Target, so_far: Callable[[Rows], None], stopped: Callable[[], bool]) -> Rows:
        of_target = settings.model_copy(update={"pgdatabase": target.database})
        found: dict[int, Seen] = {}
        due = time.monotonic() + _SO_FAR_EVERY
        for oid, seen in look_at_rows(of_target, target.tables, stopped=stopped):
            found[oid] = seen
            if time.monotonic() >= due:
                so_far(dict(found))
                due = time.monotonic() + max(_SO_FAR_EVERY, len(found) / 10_000)
        return found

    return Looks(
        content=partial(look_at_content, settings, copy),
        host=partial(look_at_host, settings, copy),
        target=partial(look_at_target, settings),
        fitness=partial(look_at_fitness, settings),
        rows=rows,
    )


class RestoreFeeds:
    """Starts and stops them.

    Args:
        settings: For the redactor.
        looks: Where the data comes from.
        post: Takes messages from any thread.
        now: The clock.
    """

    def __init__(
        self,
        settings: Settings,
        looks: Looks,
        post: Callable[[Message], bool],
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._looks = looks
        self._post = post
        self._now = now
        self._feeds: dict[Part, Feed[Any]] = {}
        self._counting: object = None  # what is counted now; another one ends that

    def read_copy(self) -> None:
        """Read what the copy holds, once."""
        self._read(Part.CONTENT, "", lambda _: self._looks.content(), "The copy", _ONCE)

    def conclude(self, facts: Callable[[], Facts]) -> None:
        """Say what follows from the facts, now and whenever `again` is called.

        In a thread like all others: with thousands of tables it takes longer than a frame.
        """
        before: Drawn | None = None

        def load(_: Callable[[Drawn], None]) -> Drawn:
            nonlocal before
            plan = conclude(facts(), self._now(), before.plan if before is not None else None)
            if before is None or plan.tables is not before.plan.tables:
                before = Drawn(plan, table_items(plan.tables, plan.facts))
            else:
                before = Drawn(plan, before.items)
            return before

        self._read(Part.PLAN, "", load, "The plan", _AGES_EVERY)

    def again(self) -> None:
        """Some of the facts are others."""
        if (feed := self._feeds.get(Part.PLAN)) is not None:
            feed.refresh()

    def ask(self, database: str) -> None:
        """Ask about this target from now on, and about no other."""
        self.forget(Part.HOST, Part.TARGET, Part.FITNESS, Part.ROWS)
        looks = self._looks
        self._read(
            Part.HOST, database, lambda _: looks.host(database), "The backup directory", _AGAIN
        )
        self._read(Part.TARGET, database, lambda _: looks.target(database), "The server", _AGAIN)

    def count(self, target: Target) -> None:
        """Look at the rows of a target, once."""
        if Part.ROWS in self._feeds:
            return
        this = self._counting = object()

        def load(so_far: Callable[[Rows], None]) -> Rows:
            return self._looks.rows(target, so_far, lambda: self._counting is not this)

        self._read(Part.ROWS, target.database, load, "The server", _ONCE)

    def fit(self, database: str, known: Callable[[], tuple[Content | None, Target | None]]) -> None:
        """Try whether the copy goes into the target, again and again.

        Args:
            database: The target.
            known: What is known by then of both.
        """

        def load(_: Callable[[Fitness], None]) -> Fitness:
            content, target = known()
            assert content is not None
            assert target is not None
            return self._looks.fitness(content, target)

        self._read(Part.FITNESS, database, load, "The server", _AGAIN)

    def forget(self, *parts: Part) -> None:
        """Deliver nothing more of these; they may be asked anew."""
        for part in parts:
            if (feed := self._feeds.pop(part, None)) is not None:
                feed.stop()
        if Part.ROWS in parts:
            self._counting = None

    def stop(self) -> None:
        """Deliver nothing any more; waits for nobody."""
        self.forget(*Part)

    def _read(
        self,
        part: Part,
        database: str,
        load: Callable[[Callable[[Any], None]], Any],
        name: str,
        every: float,
    ) -> None:
        if part in self._feeds:
            return

        def deliver(known: Known[Any]) -> None:
            self._post(PartKnown(part, database, known))

        feed: Feed[Any] = Feed(
            name, load, deliver, every=every, now=self._now, redact=self._settings.redactor
        )
        self._feeds[part] = feed
        feed.start()

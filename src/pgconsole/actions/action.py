"""One thing that an operator can do, by key or by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from pgconsole.actions.keynames import written
from pgconsole.mutations import mutates


class Group(StrEnum):
    """The headings of the help screen, in its order."""

    WORK = "Work"
    MOVE = "Move"
    LIST = "List"
    LOG = "Log"
    CONSOLE = "Console"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done.

    Attributes:
        id: What Textual runs: the method `action_<id>`, with its arguments if it has any.
        keys: Its keys as Textual names them, the first one shown first; none: palette only.
        label: Its name in the palette.
        help: What it does, in a sentence without a final full stop.
        group: Where the help lists it.
        footer: Its shorter name in the footer; empty if it is not there. At most seven have one.
        shown: How the keys are written, if not as they are named.
        work: What it has done, as `mutations.mutates` knows it; empty if it only shows something.
        first: Whether its keys are its own even where something is being typed.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    group: Group
    footer: str = ""
    shown: str = ""
    work: str = ""
    first: bool = False

    @property
    def name(self) -> str:
        """What key maps call it: `verify`, `move.down`."""
        return self.id.replace("('", ".").removesuffix("')")

    @property
    def mutates(self) -> bool:
        """Whether it changes something, so that read-only mode does not have it."""
        return bool(self.work) and mutates(self.work)

    @property
    def key_text(self) -> str:
        """The keys as an operator reads them."""
        return self.shown or " ".join(map(written, self.keys))

    def with_keys(self, keys: tuple[str, ...]) -> Action:
        """The same with other keys."""
        return replace(self, keys=keys, shown="")

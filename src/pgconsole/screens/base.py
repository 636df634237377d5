"""What all screens of the console share: keys from the registry, help, palette, refusals."""

from __future__ import annotations

from typing import ClassVar, NamedTuple, TypeVar

from textual import on
from textual.binding import ActiveBinding
from textual.dom import DOMNode
from textual.screen import Screen

from pgconsole.actions import Action, Where, actions_of
from pgconsole.screens.help import HelpScreen
from pgconsole.screens.work import Refused
from pgconsole.settings import Settings
from pgconsole.widgets.bindings import bindings
from pgconsole.widgets.console import Console, key_map_of
from pgconsole.widgets.problem import notify_problem

S = TypeVar("S", bound="ConsoleScreen")


class Offer(NamedTuple):
    """Something that can be done now, and the node that does it."""

    action: Action
    node: DOMNode


class ConsoleScreen(Screen[None], inherit_bindings=False):
    """A screen with the keys that the registry has for it.

    Args:
        settings: What the operator configured.
    """

    WHERE: ClassVar[Where]
    AUTO_FOCUS = ""  # each screen decides

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.actions = actions_of(self.WHERE, read_only=settings.read_only)
        self._left_out = {a.id for a in actions_of(self.WHERE)} - {a.id for a in self.actions}

    def offers(self) -> list[Offer]:
        """All that help and palette list, with the keys that the operator gave them."""
        return [Offer(key_map_of(self).applied(action), self) for action in self.actions]

    def offers_in(self, where: Where, part: DOMNode) -> list[Offer]:
        """What a part of the screen has keys for besides those of the screen."""
        keys, read_only = key_map_of(self), self.settings.read_only
        actions = actions_of(where, read_only=read_only)
        return [Offer(keys.applied(one), part) for one in actions if one not in self.actions]

    @property
    def active_bindings(self) -> dict[str, ActiveBinding]:
        """In the order of the registry: a key map would put its own last, also in the footer."""
        order = {action.id: place for place, action in enumerate(self.actions)}
        found = super().active_bindings.items()
        return dict(sorted(found, key=lambda one: order.get(one[1].binding.action, len(order))))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey what can't be done now; leave out what is refused in read-only mode."""
        if action in self._left_out:
            return False
        return True if self.is_possible(action) else None

    def is_possible(self, action: str) -> bool:
        """Whether there is something that it could be done to."""
        return True

    @on(Refused)
    def _refused(self, message: Refused) -> None:
        notify_problem(self, message.error)

    def action_palette(self) -> None:
        """All commands."""
        self.app.action_command_palette()

    def action_theme(self) -> None:
        """Other colours."""
        if isinstance(self.app, Console):
            self.app.step_theme()

    def action_help(self) -> None:
        """All keys."""
        self.app.push_screen(HelpScreen(tuple(offer.action for offer in self.offers())))

    def action_back(self) -> None:
        """Back to where it was opened."""
        self.dismiss()

    def action_quit(self) -> None:
        """Close the console; jobs go on."""
        self.app.exit()


def screen_for(screen: type[S], settings: Settings) -> type[S]:
    """The screen's class; in read-only mode one in which what changes something has no key."""
    if not settings.read_only:
        return screen
    keys = bindings(actions_of(screen.WHERE, read_only=True))

    class ReadOnly(screen, inherit_bindings=False):  # type: ignore[call-arg,misc,valid-type]
        BINDINGS = keys

    return ReadOnly

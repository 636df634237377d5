"""The command palette's entries: the actions that the console offers."""

from __future__ import annotations

from functools import partial
from typing import Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from pgconsole.actions import Action


class Offering(Protocol):
    """An app or a screen that says what can be done in it."""

    actions: tuple[Action, ...]


class ActionProvider(Provider):
    """Finds actions by name."""

    @property
    def _actions(self) -> tuple[Action, ...]:
        offering = self.screen if hasattr(self.screen, "actions") else self.app
        return cast(Offering, offering).actions

    async def discover(self) -> Hits:
        """All actions, before anything is typed."""
        for action in self._actions:
            run = partial(self.screen.run_action, action.id)
            shown = Content.assemble(f"{action.label}  ", (action.key_text, "$muted"))
            yield DiscoveryHit(shown, run, text=action.label, help=action.help)

    async def search(self, query: str) -> Hits:
        """Actions whose name matches."""
        matcher = self.matcher(query)
        for action in self._actions:
            score = matcher.match(action.label)
            if score > 0:
                run = partial(self.screen.run_action, action.id)
                yield Hit(score, matcher.highlight(action.label), run, help=action.help)

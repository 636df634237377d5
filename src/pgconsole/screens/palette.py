"""The command palette's entries: the registry of actions."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from pgconsole.actions import ACTIONS


class ActionProvider(Provider):
    """Finds actions by name."""

    async def discover(self) -> Hits:
        """All actions, before anything is typed."""
        for action in ACTIONS:
            run = partial(self.screen.run_action, action.id)
            shown = Content.assemble(f"{action.label}  ", (action.key_text, "$muted"))
            yield DiscoveryHit(shown, run, text=action.label, help=action.help)

    async def search(self, query: str) -> Hits:
        """Actions whose name matches."""
        matcher = self.matcher(query)
        for action in ACTIONS:
            score = matcher.match(action.label)
            if score > 0:
                run = partial(self.screen.run_action, action.id)
                yield Hit(score, matcher.highlight(action.label), run, help=action.help)

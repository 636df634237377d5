"""The command palette's entries: what can be done in the screen that it was opened in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widgets import Input

from pgconsole.screens.base import ConsoleScreen, Offer


class Palette(CommandPalette):
    """The palette, without a cell that is painted twice a second."""

    def on_mount(self) -> None:
        """Let the cursor stand still."""
        self.query_one(Input).cursor_blink = False


class ActionProvider(Provider):
    """Finds actions by name."""

    @property
    def _offers(self) -> Iterable[Offer]:
        return self.screen.offers() if isinstance(self.screen, ConsoleScreen) else ()

    async def discover(self) -> Hits:
        """All actions, before anything is typed."""
        for action, node in self._offers:
            run = partial(self.app.run_action, action.id, node)
            shown = Content.assemble((f"{action.label}  ", "bold"), action.key_text)
            yield DiscoveryHit(shown, run, text=action.label, help=action.help)

    async def search(self, query: str) -> Hits:
        """Actions whose name matches."""
        matcher = self.matcher(query)
        for action, node in self._offers:
            score = matcher.match(action.label)
            if score > 0:
                run = partial(self.app.run_action, action.id, node)
                yield Hit(score, matcher.highlight(action.label), run, help=action.help)

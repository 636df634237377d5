"""The line of keys at the bottom."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.screen import Screen
from textual.widgets import Footer


class KeyFooter(Footer):
    """Textual's, but made anew only when its keys are others.

    Textual makes all its parts anew whenever something may have changed, as after nearly every key,
    and that takes longer than all that the key does.
    """

    def __init__(self) -> None:
        super().__init__(show_command_palette=False)
        self._drawn: list[tuple[str, str, bool]] | None = None

    def compose(self) -> ComposeResult:
        """See `Footer`."""
        if self._bindings_ready:
            self._drawn = _keys(self.screen)
        yield from super().compose()

    def bindings_changed(self, screen: Screen[Any]) -> None:
        """See `Footer`."""
        if self.is_attached and screen is self.screen and _keys(screen) != self._drawn:
            super().bindings_changed(screen)


def _keys(screen: Screen[Any]) -> list[tuple[str, str, bool]]:
    """What is to be seen of the keys that hold."""
    return [
        (active.binding.key, active.binding.description, active.enabled)
        for active in screen.active_bindings.values()
        if active.binding.show
    ]

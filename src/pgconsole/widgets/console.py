"""What every part of the console can ask of the app that it is in."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.widgets import Input

from pgconsole.actions.keymap import USUAL_KEYS, KeyMap
from pgconsole.memory import Memory
from pgconsole.settings import Settings
from pgconsole.widgets.clipboard import copy
from pgconsole.widgets.theme import DARK, OWN_VARIABLES, THEMES

_TYPING = 1.0  # seconds that keys may take to be handled before the next one is


class Console(App[None]):
    """The app, as its parts know it: keys, colours, what it remembers.

    Args:
        settings: What the operator configured.
        key_map: The operator's own keys.
        memory: What was remembered; None: nothing, and nothing will be.

    Attributes:
        settings: The same.
        key_map: The same.
        memory: The same.
    """

    def __init__(self, settings: Settings, key_map: KeyMap, memory: Memory | None) -> None:
        plain = "NO_COLOR" in os.environ
        # With the terminal's own colours, NO_COLOR takes all of them away and leaves bold and
        # reverse; otherwise Textual would paint in shades of grey.
        super().__init__(ansi_color=True if plain else None)
        self.settings = settings
        self.memory = memory if memory is not None else Memory()
        self.key_map = key_map
        self.set_keymap({name: ",".join(keys) for name, keys in key_map.keys.items()})
        self._told: set[str] = set()
        if settings.low_bandwidth:
            self.animation_level = "none"
        for theme in THEMES.values():
            self.register_theme(theme)
        self._few_colors = plain or self.console.color_system not in ("256", "truecolor")
        self._show_theme(self._first_theme())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Our own variables, which every theme of ours sets."""
        return {name: DARK.variables[name] for name in OWN_VARIABLES}

    async def on_event(self, event: events.Event) -> None:
        """One key after the other: many come at once over a slow link.

        Textual gives a key to the widget that has the focus when it arrives, and what the key does
        happens later, when others have arrived. Then `J` and `/` would open nothing for the keys
        right behind them. Here a key that is no text acts before the next one is looked at.
        """
        if isinstance(event, events.Key) and not event.is_forwarded and await self._acts(event):
            return
        await super().on_event(event)

    async def _acts(self, event: events.Key) -> bool:
        if not self.app_focus:
            return False
        if not self.screen.is_mounted:  # the key before has only just opened it
            await _settled(self.screen)
        focused = self.focused
        if focused is not None and focused.check_consume_key(event.key, event.character):
            return False  # text
        if isinstance(focused, Input):
            await _settled(focused)
        return await self._check_bindings(event.key, priority=True) or await self._check_bindings(
            event.key
        )

    def copy_to_clipboard(self, text: str) -> None:
        """Whatever is copied, also out of an input, goes one way."""
        copy(self, text)

    def step_theme(self) -> None:
        """Take the next theme, say so, and remember it."""
        if self._few_colors:
            self.notify("This terminal has few colours, or NO_COLOR is set: its own are used")
            return
        names = list(THEMES)
        self._show_theme(names[(names.index(self._theme_name) + 1) % len(names)])
        self.memory.set("theme", self._theme_name)
        decides = self.settings.theme != "auto"
        later = "\nPGCONSOLE_THEME decides when the console is opened" if decides else ""
        self.notify(f"Colours: {self._theme_name}{later}", timeout=4, markup=False)

    def is_news(self, job_id: str) -> bool:
        """Whether the end of this job was not told yet; from now on it was."""
        if job_id in self._told:
            return False
        self._told.add(job_id)
        return True

    def _first_theme(self) -> str:
        if self._few_colors:
            return "ansi"
        if self.settings.theme != "auto":
            return self.settings.theme
        remembered = self.memory.get("theme", "dark")
        return remembered if remembered in THEMES else "dark"

    def _show_theme(self, name: str) -> None:
        self._theme_name = name
        self.theme = THEMES[name].name


async def _settled(widget: Widget) -> None:
    """Wait until a widget has handled what it got until now."""
    done = asyncio.Event()
    if widget.call_later(done.set):
        with suppress(TimeoutError):  # it went away meanwhile
            await asyncio.wait_for(done.wait(), _TYPING)


def memory_of(node: MessagePump) -> Memory:
    """What is remembered of the console that a widget or screen is in."""
    return node.app.memory if isinstance(node.app, Console) else Memory()


def key_map_of(node: MessagePump) -> KeyMap:
    """The key map of the app that a widget or screen is in."""
    return node.app.key_map if isinstance(node.app, Console) else USUAL_KEYS

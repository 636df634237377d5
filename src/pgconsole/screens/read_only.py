"""The main screen of read-only mode."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from pgconsole.actions import offered
from pgconsole.screens.bindings import bindings
from pgconsole.screens.main import MainScreen


class ReadOnlyScreen(MainScreen, inherit_bindings=False):
    """As the main screen, but what changes something has no key and can't be run."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(offered(read_only=True))

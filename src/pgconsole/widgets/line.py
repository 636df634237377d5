"""A piece of text that is painted again only if it changed: slow links pay for every cell."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from pgconsole.widgets.console import key_map_of


class Key(str):
    """The name of an action, for whose key it stands."""


Part = str | Content | tuple[str, str]


class Line(Static):
    """One or a few lines of text, never markup."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__("", id=id, classes=classes, markup=False)
        self._shown: Content | None = None

    def show(self, *parts: Part) -> None:
        """Show these parts; a tuple is a text with its style, a `Key` the key of an action."""
        content = Content.assemble(*map(self._with_key, parts))
        # Two contents are equal if their texts are; their styles count here too.
        if self._shown is None or (content, content.spans) != (self._shown, self._shown.spans):
            self._shown = content
            # Arranging the screen anew paints every scrollbar: only where the size may change.
            self.update(content, layout=self.styles.auto_dimensions)

    def _with_key(self, part: Part) -> Part:
        if isinstance(part, Key):
            return key_map_of(self).key(part)
        if isinstance(part, tuple) and isinstance(part[0], Key):
            return key_map_of(self).key(part[0]), part[1]
        return part

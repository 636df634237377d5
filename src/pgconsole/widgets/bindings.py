"""Key bindings from the registry of actions."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from pgconsole.actions import Action


def bindings(actions: tuple[Action, ...]) -> list[BindingType]:
    """One binding an action that has keys; those with a footer name are shown there."""
    found: list[BindingType] = [
        Binding(
            ",".join(action.keys),
            action.id,
            action.footer or action.label,
            show=bool(action.footer),
            priority=action.first,
            tooltip=action.help,
            id=action.name,
        )
        for action in actions
        if action.keys
    ]
    # Textual's own way to copy what was selected with the mouse.
    return [*found, Binding("ctrl+c", "copy_text", "Copy", show=False)]

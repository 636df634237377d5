"""Key bindings from the registry of actions."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from pgconsole.actions import Action


def bindings(actions: tuple[Action, ...]) -> list[BindingType]:
    """One binding an action; those with a footer name are shown there.

    What has no key of its own is bound to one that no keyboard has, for a key map to replace.
    """
    found: list[BindingType] = [
        Binding(
            ",".join(action.keys) or f"no-key-{action.name}",
            action.id,
            action.footer or action.label,
            show=bool(action.footer),
            priority=action.first,
            tooltip=action.help,
            id=action.name,
        )
        for action in actions
    ]
    # Textual's own way to copy what was selected with the mouse.
    return [*found, Binding("ctrl+c", "copy_text", "Copy", show=False)]

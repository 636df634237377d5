"""One registry: every action is done by its place, and is in its keys, help, palette and footer."""

from __future__ import annotations

import pytest
from textual.dom import DOMNode

from pgconsole.actions import REGISTRY, Action, Where
from pgconsole.screens.backup import BackupScreen
from pgconsole.screens.help import sections
from pgconsole.screens.job import JobScreen
from pgconsole.screens.jobs import JobsScreen
from pgconsole.screens.log_pane import LogPane
from pgconsole.screens.main import MainScreen
from pgconsole.screens.restore import RestoreScreen
from pgconsole.screens.rows import RowsScreen
from pgconsole.screens.welcome import WelcomeScreen
from pgconsole.widgets.backups import Backups
from pgconsole.widgets.bindings import bindings

NODES: dict[Where, type[DOMNode]] = {
    Where.MAIN: MainScreen,
    Where.BACKUPS: Backups,
    Where.BACKUP: BackupScreen,
    Where.ROWS: RowsScreen,
    Where.RESTORE: RestoreScreen,
    Where.JOBS: JobsScreen,
    Where.JOB: JobScreen,
    Where.WELCOME: WelcomeScreen,
    Where.LOG: LogPane,
}


def footer(where: Where) -> list[Action]:
    return [action for action in REGISTRY[where] if action.footer]


def test_each_place_has_its_node() -> None:
    assert set(NODES) == set(REGISTRY) == set(Where)


@pytest.mark.parametrize(("where", "node"), NODES.items())
def test_every_action_is_done_and_told(where: Where, node: type[DOMNode]) -> None:
    actions = REGISTRY[where]
    keys = [key for action in actions for key in action.keys]
    assert len(keys) == len(set(keys))
    assert len({action.id for action in actions}) == len(actions)
    assert len({action.name for action in actions}) == len(actions)
    assert all(hasattr(node, f"action_{action.id.partition('(')[0]}") for action in actions)
    assert bindings(actions) == node.BINDINGS
    told = {meaning for _, rows in sections(actions) for _, meaning in rows}
    assert {action.help for action in actions} <= told
    assert not any(action.help.endswith(".") for action in actions)
    # To a terminal these are Enter, Backspace and Tab.
    assert not {"ctrl+m", "ctrl+h", "ctrl+i"} & set(keys)


@pytest.mark.parametrize("where", Where)
def test_footers_fit(where: Where) -> None:
    actions = footer(where)
    assert len(actions) <= 7
    # Key, a space, the name, and three cells around them.
    assert sum(len(a.key_text.split()[0]) + len(a.footer) + 3 for a in actions) <= 80


def test_the_same_name_means_the_same_key_everywhere() -> None:
    """What fingers know in one place must not do something else in another."""
    known: dict[str, tuple[str, ...]] = {}
    for actions in REGISTRY.values():
        for action in actions:
            assert known.setdefault(action.name, action.keys) == action.keys, action.name

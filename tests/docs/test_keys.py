"""The page of keys is the registry's: what is not in it is not in the console either."""

from __future__ import annotations

import re

from tests.docs.keys_page import PAGE, keys_page

from pgconsole.actions import REGISTRY
from pgconsole.actions.keymap import read_key_map


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == keys_page(), "make keys"


def test_every_action_of_every_place_is_in_it() -> None:
    page = PAGE.read_text(encoding="utf-8")
    actions = [action for actions in REGISTRY.values() for action in actions]
    assert len(re.findall("^\\| `", page, re.MULTILINE)) == len(actions)
    assert all(f"| `{action.name}` |" in page and action.help in page for action in actions)


def test_its_example_can_be_used(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (example,) = re.findall("```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    file = tmp_path / "keys.toml"
    file.write_text(example)
    assert set(read_key_map(file).keys) == {"verify", "move.down", "prune"}

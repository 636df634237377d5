"""The operator's own keys: what a file of them may say, and how it is refused."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from textual.keys import _character_to_key

from pgconsole.actions import REGISTRY, Where
from pgconsole.actions.keymap import USUAL_KEYS, KeyMap, read_key_map
from pgconsole.actions.keynames import key_named, written
from pgconsole.errors import ConfigurationError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def refusal(file: Path, text: str | bytes) -> ConfigurationError:
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(ConfigurationError) as caught:
        read_key_map(file)
    assert caught.value.problem == f"{file} is not used"
    assert "docs/keys.md" in caught.value.fix
    assert "the usual ones" in caught.value.fix
    return caught.value


def test_names_and_keys_in_every_form_of_toml(file: Path) -> None:
    file.write_text(
        'verify = "V"\nmove.down = ["t", "down"]\n"move.up" = "e"\nprune = "F5"\n'
        '[pane]\nlocal = "&"\n'
    )
    assert read_key_map(file) == KeyMap(
        {
            "verify": ("V",), "move.down": ("t", "down"), "move.up": ("e",), "prune": ("f5",),
            "pane.local": ("ampersand",),
        }
    )  # fmt: skip


def test_no_file_is_the_usual_keys(file: Path) -> None:
    assert read_key_map(file) == read_key_map(file / "below") == read_key_map(None) == USUAL_KEYS


def test_two_may_swap_their_keys(file: Path) -> None:
    file.write_text('backup = "v"\nverify = "b"\n')
    applied = [read_key_map(file).applied(action) for action in REGISTRY[Where.MAIN]]
    assert {action.name: action.keys for action in applied if action.key_text in "bv"} == {
        "backup": ("v",), "verify": ("b",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('verfy = "x"', "verfy: no action has this name; is verify meant?"),
        ('zzzzzz = "x"', "zzzzzz: no action has this name"),
        ('move = "x"', "move: no action has this name"),
        ('verify = "ctrl+m"', "verify: to a terminal ctrl+m is Enter"),
        ('verify = "ctrl+h"', "verify: to a terminal ctrl+h is Backspace"),
        ('verify = "Ctrl+I"', "verify: to a terminal ctrl+i is Tab"),
        ('verify = "ctrl+["', "verify: to a terminal ctrl+[ is Esc"),
        ('verify = "alt+v"', "alt+v arrives as Esc and a second key"),
        ('verify = "shift+v"', "'shift+v' is no key: write a character"),
        ('verify = "v,w"', "'v,w' is no key; several are a list"),
        ('verify = ""', "'' is no key"),
        ("verify = []", "verify: a key or a list of keys is wanted, not []"),
        ("verify = 5", "verify: a key or a list of keys is wanted, not 5"),
        ('verify = ["x", 5]', "verify: a key or a list of keys is wanted"),
        ('verify = "ctrl+q"', "verify: ctrl+q stays what it is: quit"),
        ('verify = "ctrl+c"', "verify: ctrl+c stays what it is: copy"),
        ('backup = "v"', "v would be both backup and verify (main)"),
        ('backup = "x"\nverify = "x"', "x would be both backup and verify (main)"),
        ('back = "q"', "q would be both back and quit (backup)"),
        ("verify = [", "it is not TOML: "),
        ('verify = "a"\nverify = "b"', "it is not TOML: "),
        (b'verify = "\xff"', "utf-8"),
    ],
)
def test_what_can_t_be_used_is_named_with_its_reason(
    file: Path, text: str | bytes, says: str
) -> None:
    assert says in refusal(file, text).cause


def test_all_that_is_wrong_is_said_at_once(file: Path) -> None:
    cause = refusal(file, 'verfy = "x"\nhelp = "alt+x"\nbackup = "v"\n').cause
    assert all(word in cause for word in ("verfy", "alt+x", "both backup and verify"))


def test_a_syntax_error_is_told_with_its_line(file: Path) -> None:
    assert "line 2" in refusal(file, 'verify = "x"\nhelp = \n').cause


def test_a_file_that_can_t_be_read_says_why(file: Path) -> None:
    file.mkdir()
    with pytest.raises(ConfigurationError, match="Is a directory"):
        read_key_map(file)


def test_characters_are_named_as_textual_names_them() -> None:
    for character in string.ascii_letters + string.digits + string.punctuation + " ä§€":
        assert key_named(character) == _character_to_key(character)


def test_what_is_shown_can_be_written() -> None:
    """Nobody has to guess how the key that the help shows is called in the file."""
    keys = {key for actions in REGISTRY.values() for action in actions for key in action.keys}
    for key in keys | {"f12", "ctrl+left", "escape", "space", "plus", "section_sign", "comma"}:
        assert key_named(written(key)) == key

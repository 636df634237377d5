"""Keys as an operator writes and reads them, and as Textual names them."""

from __future__ import annotations

import string
import unicodedata

_NAMES = {
    "enter", "tab", "shift+tab", "escape", "space", "backspace", "delete", "insert",
    "home", "end", "pageup", "pagedown", "up", "down", "left", "right",
    *(f"{modifier}+{arrow}" for modifier in ("shift", "ctrl")
      for arrow in ("up", "down", "left", "right")),
    *(f"f{number}" for number in range(1, 13)),
}  # fmt: skip
_SIGNS = {"enter": "Enter", "escape": "Esc", "up": "↑", "down": "↓", "left": "←", "right": "→"}
_NAME_OF_SIGN = {sign.lower(): name for name, sign in _SIGNS.items()}
# A terminal sends the same byte for both.
_SAME = {"ctrl+m": "Enter", "ctrl+j": "Enter", "ctrl+i": "Tab", "ctrl+h": "Backspace",
         "ctrl+[": "Esc"}  # fmt: skip
# Textual shortens six of Unicode's names.
_SHORT = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at",
    "hyphen_minus": "minus", "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip


def key_named(text: str) -> str:
    """The key that somebody wrote down: `?` is `question_mark`, `Ctrl+R` is `ctrl+r`.

    Args:
        text: One character, or a name such as `enter`, `f5`, `ctrl+r`, `shift+tab`.

    Returns:
        Textual's name of it.

    Raises:
        ValueError: It is none, or one that terminals can't tell from another; says which.
    """
    if len(text) == 1 and text in _NAME_OF_SIGN:
        return _NAME_OF_SIGN[text]
    if len(text) == 1 and text.isprintable() and not unicodedata.combining(text):
        return _character_key(text)
    name = _NAME_OF_SIGN.get(text.lower(), text.lower())
    if name in _SAME:
        raise ValueError(f"to a terminal {name} is {_SAME[name]}")
    if name.startswith("alt+"):
        raise ValueError(f"{name} arrives as Esc and a second key")
    letter = name.removeprefix("ctrl+")
    is_letter = len(letter) == 1 and letter in string.ascii_lowercase
    if name in _NAMES or (name.startswith("ctrl+") and is_letter):
        return name
    if "," in text:
        raise ValueError(f'{text!r} is no key; several are a list: ["x", "f5"]')
    raise ValueError(f"{text!r} is no key: write a character, or a name like enter, f5 or ctrl+r")


def written(key: str) -> str:
    """A key as an operator reads it.

    Args:
        key: Textual's name of it.
    """
    if key in _NAMES or "+" in key:
        return _SIGNS.get(key, key)
    if key in _CHARACTERS:
        return _CHARACTERS[key]
    try:
        return unicodedata.lookup(key.replace("_", " "))
    except KeyError:
        return key


def _character_key(character: str) -> str:
    if character.isalnum():
        return character
    name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    return _SHORT.get(name, name)


_CHARACTERS = {_character_key(character): character for character in string.punctuation}

"""The operator's own keys: a TOML file of action names and keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pgconsole.actions import PARTS, REGISTRY, Action
from pgconsole.actions.keynames import key_named, written
from pgconsole.errors import ConfigurationError

# The way out, and Textual's own way to copy what was selected with the mouse.
_RESERVED = {"ctrl+q": "quit", "ctrl+c": ""}
_FIX = "correct it, names and keys are in docs/keys.md; until then all keys are the usual ones"

_BY_NAME = {action.name: action for actions in REGISTRY.values() for action in actions}


@dataclass(frozen=True, slots=True)
class KeyMap:
    """Which keys do what.

    Attributes:
        keys: The names of the actions whose keys are others than usual, with those keys as
            Textual names them.
    """

    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def applied(self, action: Action) -> Action:
        """The action with the keys that it has here."""
        keys = self.keys.get(action.name)
        return action.with_keys(keys) if keys is not None else action

    def key(self, name: str) -> str:
        """The first key of an action, as an operator reads it.

        Args:
            name: The action's name, `move.down`.
        """
        return written(self.applied(_BY_NAME[name]).keys[0])


USUAL_KEYS = KeyMap()


def read_key_map(path: Path | None) -> KeyMap:
    """The operator's key map; the usual keys where there is no such file.

    Args:
        path: The file; None: there is no place for one.

    Raises:
        ConfigurationError: The file can't be read, or something in it can't be used: names the
            file, and all that is wrong with it.
    """
    if path is None:
        return USUAL_KEYS
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return USUAL_KEYS
    except (OSError, UnicodeDecodeError) as error:
        raise _refused(path, [str(error)]) from error
    import tomllib  # noqa: PLC0415 - most have no such file

    try:
        entries = dict(_flat(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        raise _refused(path, [f"it is not TOML: {error}"]) from error
    return _key_map(path, entries)


def _key_map(path: Path, entries: Mapping[str, Any]) -> KeyMap:
    """Check all entries, so that one reading of the error is enough."""
    wrong: list[str] = []
    keys: dict[str, tuple[str, ...]] = {}
    for name, value in entries.items():
        try:
            keys[name] = _keys(name, value)
        except ValueError as error:
            wrong.append(f"{name}: {error}")
    found = KeyMap(keys)
    wrong += dict.fromkeys(_clashes(found))
    if wrong:
        raise _refused(path, wrong)
    return found


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """In TOML `move.down = "n"` is a table `move`."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _keys(name: str, value: Any) -> tuple[str, ...]:
    if name not in _BY_NAME:
        import difflib  # noqa: PLC0415 - as above

        near = difflib.get_close_matches(name, _BY_NAME, n=1)
        raise ValueError("no action has this name" + (f"; is {near[0]} meant?" if near else ""))
    texts = [value] if isinstance(value, str) else value
    if not (isinstance(texts, list) and texts and all(isinstance(each, str) for each in texts)):
        raise ValueError(f"a key or a list of keys is wanted, not {value!r}")
    keys = tuple(dict.fromkeys(map(key_named, texts)))
    for key in keys:
        if key in _RESERVED and _RESERVED[key] != name:
            raise ValueError(f"{key} stays what it is: {_RESERVED[key] or 'copy'}")
    return keys


def _clashes(key_map: KeyMap) -> Iterator[str]:
    """Keys that would do two things in one place."""
    for place, actions in REGISTRY.items():
        for screen in PARTS.get(place, ()):
            yield from _clashes_among(key_map, (*REGISTRY[screen], *actions), place)
        yield from _clashes_among(key_map, actions, place)


def _clashes_among(key_map: KeyMap, actions: tuple[Action, ...], place: str) -> Iterator[str]:
    taken: dict[str, str] = {}
    for action in map(key_map.applied, actions):
        for key in action.keys:
            other = taken.setdefault(key, action.name)
            # A part may have a key of its screen for something else, but not by mistake.
            if other != action.name and not key_map.keys.keys().isdisjoint((other, action.name)):
                yield f"{written(key)} would be both {other} and {action.name} ({place})"


def _refused(path: Path, wrong: list[str]) -> ConfigurationError:
    return ConfigurationError(f"{path} is not used", cause="; ".join(wrong), fix=_FIX)

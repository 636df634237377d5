"""Writes docs/keys.md from the registry: `python -m tests.docs.keys_page`, or `make keys`."""

from __future__ import annotations

from pathlib import Path

from pgconsole.actions import REGISTRY, Action, Where

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
_PLACES = {
    Where.MAIN: "The main screen",
    Where.BACKUP: "A backup that is opened",
    Where.ROWS: "The rows of a table",
    Where.WELCOME: "Where nothing is configured",
}
_HEAD = """\
# Keys

All that can be done by key, by place. This page is made from the registry of actions that the console's
own keys, help and palette are made from (`make keys`); `?` shows the same in the console.

In every dialog `Enter` goes on, `Esc` leaves and nothing happens, `ctrl+q` quits. Texts that are only read
scroll with the keys of the lists. What was selected with the mouse is copied with `ctrl+c`.

## Other keys

`$XDG_CONFIG_HOME/pgconsole/keys.toml` (usually `~/.config/pgconsole/keys.toml`; `pgconsole info` shows
the path) gives actions other keys. It has names of actions from the tables below, and a key or a list of
keys each:

```toml
verify = "V"
move.down = ["n", "down"]
prune = "f5"
```

A key is a character as it is typed (`V` is another than `v`), or one of `enter`, `tab`, `shift+tab`, `space`,
`escape`, `backspace`, `delete`, `insert`, `home`, `end`, `pageup`, `pagedown`, `up`, `down`, `left`, `right`
(these four also with `shift+` or `ctrl+`), `f1` to `f12`, or `ctrl+` and a letter. An action has the keys of
the file instead of its usual ones, in every place that has an action of that name.

`ctrl+q` always quits, `ctrl+c` always copies. Refused are names that no action has, keys that terminals can't
tell from others (`ctrl+m` is Enter, `ctrl+h` is Backspace, `ctrl+i` is Tab, `alt+x` is Esc and `x`), and keys that
would do two things in one place. Then none of the file is used: the console opens with its usual keys, and says
what is wrong.
"""


def keys_page() -> str:
    """The page as it has to be."""
    return "\n".join([_HEAD, *map(_section, REGISTRY)])


def _section(place: Where) -> str:
    rows = (_row(action) for action in REGISTRY[place])
    return "\n".join(
        [f"## {_PLACES.get(place, str(place).capitalize())}", "", "| Name | Keys | What it does |", "|---|---|---|", *rows, ""]
    )


def _row(action: Action) -> str:
    keys = " ".join(f"`{key}`" for key in action.key_text.split()) if action.keys else "palette"
    return f"| `{action.name}` | {keys} | {action.help.replace('|', '&#124;')} |"


if __name__ == "__main__":
    PAGE.write_text(keys_page(), encoding="utf-8")

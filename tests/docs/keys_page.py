"""Writes the tables of docs/keys.md from the registry: `make keys`."""

from __future__ import annotations

from pathlib import Path

from pgconsole.actions import REGISTRY, Action, Where

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
_MARK = "<!-- From here on made by `make keys`. -->\n"
_PLACES = {
    Where.MAIN: "The main screen",
    Where.BACKUPS: "The lists of backups in the main screen",
    Where.LOG: "The log, in the main screen and in a job",
    Where.BACKUP: "A backup that is opened",
    Where.ROWS: "The rows of a table",
    Where.JOBS: "The list of jobs",
    Where.JOB: "A job that is opened",
    Where.WELCOME: "Where nothing is configured",
}


def keys_page() -> str:
    """The page as it has to be: what was written by hand, and a table for each place."""
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition(_MARK)
    return "\n".join([head + mark, *map(_section, REGISTRY)])


def _section(place: Where) -> str:
    rows = "\n".join(_row(action) for action in REGISTRY[place])
    heading = _PLACES.get(place, str(place).capitalize())
    return f"## {heading}\n\n| Name | Keys | What it does |\n|---|---|---|\n{rows}\n"


def _row(action: Action) -> str:
    keys = " ".join(f"`{key}`" for key in action.key_text.split()) if action.keys else "palette"
    return f"| `{action.name}` | {keys} | {action.help.replace('|', '&#124;')} |"


if __name__ == "__main__":
    PAGE.write_text(keys_page(), encoding="utf-8")

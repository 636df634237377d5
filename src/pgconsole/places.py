"""Where the operator's own two files lie: the base directories of the XDG specification."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_PROGRAM = "pgconsole"


def key_map_file() -> Path | None:
    """`$XDG_CONFIG_HOME/pgconsole/keys.toml`; None: there is no place for it."""
    directory = platformdirs.user_config_path(_PROGRAM)
    return directory / "keys.toml" if _is_ours("XDG_CONFIG_HOME", directory) else None


def memory_file() -> Path | None:
    """`$XDG_STATE_HOME/pgconsole/state.json`; None: there is no place for it."""
    directory = platformdirs.user_state_path(_PROGRAM)
    return directory / "state.json" if _is_ours("XDG_STATE_HOME", directory) else None


def _is_ours(variable: str, directory: Path) -> bool:
    """Whether that is a place to use: a user who has no home, as in a container, gets none."""
    if not directory.is_absolute():  # the specification has such a variable ignored
        return False
    return bool(os.environ.get(variable)) or Path.home().is_dir()

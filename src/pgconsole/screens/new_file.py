"""Where something is to be written, as an operator types it."""

from __future__ import annotations

import os
from pathlib import Path

from pgconsole.errors import PgconsoleError


def new_file(text: str) -> Path:
    """The file that is meant: `~` is somebody's home, a name lies in the current directory.

    Raises:
        PgconsoleError: It is there already, or can't be made.
    """
    problem = f"{text!r} can't be written"
    if not text.strip():
        raise PgconsoleError(problem, cause="which file?", fix="type a name")
    try:
        path = Path(text.strip()).expanduser().absolute()
    except RuntimeError as error:
        raise PgconsoleError(problem, cause=str(error), fix="type the whole path") from error
    if os.path.lexists(path):
        raise PgconsoleError(problem, cause="that file exists", fix="choose another name")
    if not path.parent.is_dir():
        cause = f"there is no directory {path.parent}"
        raise PgconsoleError(problem, cause=cause, fix="choose another directory")
    return path

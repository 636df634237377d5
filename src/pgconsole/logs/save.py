"""Writes the lines of a log into a file of the operator's."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pgconsole.errors import PgconsoleError
from pgconsole.logs.book import as_text
from pgconsole.logs.lines import LogLine
from pgconsole.storage.files import create, fsync_directory, move, storage_error

_PIECE = 1 << 20  # bytes that are written at once


def save_lines(lines: Iterable[LogLine], path: Path) -> int:
    """Write lines into a new file: whole under its name, or not at all. Never overwrites.

    Args:
        lines: What to write.
        path: Where to.

    Returns:
        How many lines were written.

    Raises:
        PgconsoleError: There is such a file, or it can't be written.
    """
    problem = f"The log can't be saved as {path}"
    if os.path.lexists(path):
        raise _taken(problem)
    aside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        written = _write(lines, aside)
        move(aside, path)
        fsync_directory(path.parent)
    except FileExistsError as error:
        raise _taken(problem) from error
    except OSError as error:
        raise storage_error(problem, error) from error
    finally:
        with suppress(OSError):  # where nothing can be written, nothing is left either
            aside.unlink(missing_ok=True)
    return written


def _write(lines: Iterable[LogLine], path: Path) -> int:
    count = 0
    fd = create(path)
    with open(fd, "w", encoding="utf-8", errors="replace", buffering=_PIECE) as file:  # noqa: PTH123 - a descriptor
        for line in lines:
            file.write(as_text(line) + "\n")
            count += 1
        file.flush()
        os.fsync(fd)
    return count


def _taken(problem: str) -> PgconsoleError:
    return PgconsoleError(problem, cause="there is something of that name", fix="give another name")

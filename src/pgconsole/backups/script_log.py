"""Which statement of a dump psql was at, when it says that something went wrong in a line."""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from pgconsole.dumps.sqlnotes import Statement

# psql reads ahead what its pipe holds, 1 MiB: the shortest statements that pg_dump writes in
# numbers have 40 bytes.
_KEPT = 1 << 15
_SHOWN = 120  # characters of a statement
_IN_LINE = re.compile(r"psql:<stdin>:(\d+): (.*)")
# The first whose words are in the server's message is taken.
_ADVICE = (
    ("other objects depend on it", "objects that are newer than the dump depend on it: drop them, "
     "or restore into an empty database"),
    ("already exists", "it is newer than the dump, or of another kind there: drop it, or restore "
     "into an empty database"),
    ("is not available", "install the extension on the server"),
    ("could not open extension control file", "install the extension on the server"),
    ("must be owner of", "restore as the owner of the objects or as a superuser"),
    ("must be superuser", "restore as a superuser"),
    ("permission denied", "restore as the owner of the objects or as a superuser"),
    ("No space left on device", "free space on the server's disk"),
    ("deadlock detected", "end the other sessions, then restore again"),
    ("out of shared memory", "raise max_locks_per_transaction on the server: a restore in one "
     "transaction locks every table"),
)  # fmt: skip
_LOST = ("server closed the connection", "error: connection to server was lost")
_ROW = re.compile(r"COPY .*?, line (\d+)")


class Place(NamedTuple):
    """Where in the dump something went wrong.

    Attributes:
        line: The line of the uncompressed dump.
        statement: The statement's beginning, in one line.
    """

    line: int
    statement: str


class Complaint(NamedTuple):
    """What psql said last.

    Attributes:
        line: The line of what it was fed, or None.
        words: The server's message with detail, hint and context, in one line.
        row: Which row of a COPY it is about, or None.
    """

    line: int | None
    words: str
    row: int | None


class ScriptLog:
    """The statements that psql may still work on."""

    def __init__(self) -> None:
        self._statements: deque[tuple[int, Statement]] = deque(maxlen=_KEPT)

    def add(self, line: int, statement: Statement) -> None:
        """A statement was read.

        Args:
            line: How many lines of the dump lie before its end.
            statement: The statement.
        """
        self._statements.append((line, statement))

    def place(self, line: int, row: int | None) -> Place | None:
        """What psql was at in a line of the dump.

        Args:
            line: The line, from 1: where the statement ends, or the rows of a COPY do.
            row: Which row of the COPY, from 1.
        """
        for before, statement in reversed(self._statements):
            if before < line:
                text = " ".join(statement.head.decode(statement.codec, "replace").split())
                if len(text) > _SHOWN:
                    text = text[: _SHOWN - 1] + "…"
                if statement.first == b"copy" and row is not None:
                    line = before + 1 + row
                return Place(line, text)
        return None


def complaint(lines: list[str]) -> Complaint:
    """What psql's last lines mean.

    Args:
        lines: From its stderr; may begin within a message.
    """
    block: list[str] = []
    number = None
    for line in lines:
        text = " ".join(line.split())
        if match := _IN_LINE.match(text):
            number = int(match[1])
            # That the connection was lost is no news; why was said before.
            block = [*block, match[2]] if match[2].startswith(_LOST) else [match[2]]
        elif text:
            block.append(text)
    words = "; ".join(part.rstrip(".") for part in block).removeprefix("ERROR: ")
    row = _ROW.search(words)
    return Complaint(number, words or "it gave no reason", int(row[1]) if row else None)


def advice(words: str) -> str:
    """What to do about a message of the server."""
    for known, cure in _ADVICE:
        if known in words:
            return cure
    return "remove the cause, then restore again"

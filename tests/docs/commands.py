"""The commands in the documents, read from the files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")
_CODE = re.compile(r"`([^`]+)`")
_BEGINS = ("docker ", "pgconsole ")


class Command(NamedTuple):
    """One command of a document.

    Attributes:
        text: As a shell reads it, on one line.
        line: Where it stands.
    """

    text: str
    line: int


def documents() -> list[Path]:
    """README.md and docs/*.md."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(document: Path, language: str) -> list[tuple[str, int]]:
    """The fenced blocks of a language, each with the number of its first line."""
    text = document.read_text()
    return [
        (match[2], text.count("\n", 0, match.start(2)) + 1)
        for match in _BLOCK.finditer(text)
        if match[1] == language
    ]


def shell_commands(document: Path) -> list[Command]:
    """Every command of the `bash` blocks, continued lines joined, comments left out."""
    found = []
    for block, first in blocks(document, "bash"):
        joined = re.sub(r"\\\n\s*", "", block)
        for number, line in enumerate(joined.splitlines(), start=first):
            text = re.sub(r"(^|\s{2,})#.*", "", line).strip()
            if text:
                found.append(Command(text, number))
    return found


def table_commands(document: Path) -> list[Command]:
    """Every command that is the whole of a table's cell."""
    found = []
    for number, line in enumerate(document.read_text().splitlines(), start=1):
        if line.startswith("|"):
            for cell in _CELL.split(line):
                match = _CODE.fullmatch(cell.strip())
                if match and match[1].startswith(_BEGINS):
                    found.append(Command(match[1].replace(r"\|", "|"), number))
    return found

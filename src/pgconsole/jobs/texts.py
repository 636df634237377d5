"""Text from outside made fit for a journal: no secrets, no control characters, one line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from pgconsole.redact import Redactor

JSON: TypeAlias = dict[str, "JSON"] | list["JSON"] | str | int | float | bool | None

MAX_MESSAGE = 16_384  # characters; a line of the journal stays far under the tail's limit

# ECMA-48: CSI and OSC sequences, then any other escape sequence.
_ESCAPE_SEQUENCES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]"
)
_LINE_BREAKS = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")
# C0, DEL, C1, separators, what turns the writing direction, and lone surrogates.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")


def printable(text: str, redact: Redactor) -> str:
    """The text without secrets, escape sequences and control characters but newline and tab."""
    text = redact(text)
    stripped = _CONTROL.sub("", _ESCAPE_SEQUENCES.sub("", text))
    # A secret that was printed with a control character inside is whole only now.
    return text if stripped == text else redact(stripped)


def one_line(text: str, redact: Redactor) -> str:
    """As `printable`, with every line break as a space, and of bounded length."""
    # In this order: a secret may itself contain a line break.
    text = printable(_LINE_BREAKS.sub(" ", redact(text)).strip(), redact)
    if len(text) > MAX_MESSAGE:
        text = f"{text[:MAX_MESSAGE]} ... ({len(text) - MAX_MESSAGE:,} characters more)"
    return text


def json_line(value: Mapping[str, JSON]) -> bytes:
    """The value as one line of JSON in UTF-8 whose only control character is its final newline."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text).encode() + b"\n"


def to_json(value: object) -> JSON:  # noqa: PLR0911 - one line a type
    """What an operation returned, as JSON: dataclasses as objects, times as ISO 8601.

    Nothing is redacted: a result has names, numbers and times, and a file name with a hole in it
    (a password may be the database's name as well) would be of no use.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return to_json(value.value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_json(item) for item in value]
    return str(value)

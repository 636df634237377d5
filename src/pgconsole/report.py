"""What an operation says while it works. Where it goes is the caller's business."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much attention a message wants."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. An empty message means progress only.

    Attributes:
        phase: The stage (`lock`, `preflight`, `dump`, `verify`, `publish`, `upload`, ...).
        message: A sentence for the log, without a final full stop. Redacted by the receiver.
        level: How much attention it wants.
        bytes_done: Raw (uncompressed) bytes that went through so far in this phase.
        bytes_expected: An estimate of the phase's total, never a promise.
        table: The table whose rows are passing, as `schema.table`.
    """

    phase: str
    message: str = ""
    level: Level = Level.INFO
    bytes_done: int | None = None
    bytes_expected: int | None = None
    table: str | None = None


Report = Callable[[Event], None]

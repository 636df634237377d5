"""How good and bad news looks: its glyph and its style."""

from __future__ import annotations

from enum import StrEnum

from pgconsole.status.verdict import State


class Level(StrEnum):
    """How an operator should feel about it."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    UNKNOWN = "unknown"


GLYPHS = {Level.GOOD: "✓", Level.WARNING: "!", Level.BAD: "✗", Level.UNKNOWN: "?"}
STYLES = {
    Level.GOOD: "$text-success",
    Level.WARNING: "$text-warning",
    Level.BAD: "$text-error",
    Level.UNKNOWN: "$text-warning",
}
OF_STATE = {
    State.FRESH: Level.GOOD,
    State.STALE: Level.WARNING,
    State.FAILED: Level.BAD,
    State.UNKNOWN: Level.UNKNOWN,
}

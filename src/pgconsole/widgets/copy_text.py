"""What is known of one copy of a backup, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from pgconsole.backups.evidence import Evidence
from pgconsole.backups.pins import Pin
from pgconsole.backups.standing import Standing, standing
from pgconsole.storage.base import StoredBackup
from pgconsole.widgets.line import Key, Part
from pgconsole.widgets.marks import Marks
from pgconsole.widgets.words import clean, short_ago, span

PINNED = "★"

# A sign and a word each: colour is never the only one.
SIGNS = {
    Standing.RESTORED: ("✓", "good"),
    Standing.COMPLETE: ("✓", "good"),
    Standing.INTACT: ("~", "plain"),
    Standing.LISTED: ("·", "dim"),
    Standing.DIFFERS: ("!", "warning"),
    Standing.EMPTY: ("✗", "bad"),
    Standing.DAMAGED: ("✗", "bad"),
}
STYLES = {
    "good": "$text-success",
    "plain": "",
    "dim": "$muted",
    "warning": "$text-warning",
    "bad": "$text-error",
}
_MEANINGS: dict[Standing, tuple[Part, ...]] = {
    Standing.RESTORED: ("all objects and rows came back",),
    Standing.COMPLETE: ("read whole, nothing missing",),
    Standing.INTACT: ("the bytes are right; ", Key("verify"), " looks into them"),
    Standing.LISTED: ("it is there; nobody has read it yet. ", Key("verify"), " verifies it"),
    Standing.DIFFERS: (
        "the copy in the other place has another size. ",
        Key("verify"),
        " verifies it",
    ),
    Standing.EMPTY: ("there is nothing in it",),
}


def copy_text(
    backup: StoredBackup, elsewhere: Mapping[str, int], marks: Marks, now: datetime
) -> list[Part]:
    """What was proven of a copy, when, by whom, how long it took; and who pinned it."""
    proof = marks.proof(backup)
    known = standing(backup, elsewhere, proof)
    sign, kind = SIGNS[known]
    parts: list[Part] = [
        (f"{sign} {known}", f"{STYLES[kind]} bold"),
        ": ",
        *_meaning(known, proof),
    ]
    if proof is not None:
        parts.append((f" · {proven_text(proof, now)}", "$muted"))
    pin = marks.pin(backup)
    if pin is not None:
        parts += ["\n", (f"{PINNED} pinned", "bold"), f" {pin_text(pin, now)}"]
    return parts


def proven_text(proof: Evidence, now: datetime) -> str:
    """When, by whom, and how long it took."""
    return f"{short_ago(proof.at, now)} by {clean(proof.by)}, in {duration(proof.seconds)}"


def pin_text(pin: Pin, now: datetime) -> str:
    """Who pinned it, when and why."""
    why = f": {clean(pin.note)}" if pin.note else ""
    return f"by {clean(pin.by)} {short_ago(pin.at, now)}{why}"


def duration(seconds: float) -> str:
    """Short lengths with tenths: `0.4 s`."""
    return f"{seconds:.1f} s" if seconds < 10 else span(timedelta(seconds=seconds))


def _meaning(known: Standing, proof: Evidence | None) -> tuple[Part, ...]:
    if known is Standing.DAMAGED:
        return (clean(proof.problem) if proof is not None else "",)
    return _MEANINGS[known]

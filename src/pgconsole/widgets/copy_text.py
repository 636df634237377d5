"""What is known of one copy of a backup, in words. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from pgconsole.backups.evidence import Evidence
from pgconsole.backups.pins import Pin
from pgconsole.backups.standing import Standing
from pgconsole.widgets.line import Key, Part
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
    Standing.ALTERED: ("✗", "bad"),
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
    known: Standing, proof: Evidence | None, now: datetime, *, briefly: bool = False
) -> list[Part]:
    """What is known of a copy; if something was proven: when, by whom, how long it took.

    Args:
        known: What is known.
        proof: By which proof.
        now: The time.
        briefly: Without what the word means, unless something is wrong.
    """
    sign, kind = SIGNS[known]
    parts: list[Part] = [(f"{sign} {known}", f"{STYLES[kind]} bold")]
    if not briefly or proof is None or proof.proof.is_bad:
        parts += [": ", *_meaning(known, proof)]
    if proof is not None:
        parts.append((f" · {proven_text(proof, now)}", "$muted"))
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
    if known in (Standing.DAMAGED, Standing.ALTERED):
        return (clean(proof.problem) if proof is not None else "",)
    return _MEANINGS[known]

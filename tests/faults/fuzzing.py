"""Runs hypothesis by the suite's seed, for a bounded time, and changes good files at random."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.faults.recorder import Fault, Faults

_SECONDS = 45.0  # for a parser, in the long form
_BATCH = 500
_SLOWEST = 3.0  # seconds of processor time for one input of a few kB


_T = TypeVar("_T")


def fuzz(
    faults: Faults,
    fault: Fault,
    what: str,
    inputs: st.SearchStrategy[_T],
    check: Callable[[_T], object],
    *,
    short: int,
) -> None:
    """Give a parser random inputs; what it can't bear is made as small as it gets, and shown.

    Args:
        faults: The seed, and how long: in the long form, batch after batch until the time is over.
        fault: The row of the table.
        what: The parser, for the seed.
        inputs: Where they come from.
        check: Raises if the parser does not do as promised.
        short: How many inputs in the short form.
    """
    give_up = time.monotonic() + _SECONDS
    batch = tried = 0
    with faults.trial(fault) as trial:

        def timed(value: _T) -> None:
            nonlocal tried
            began = time.process_time()
            check(value)
            assert time.process_time() - began < _SLOWEST
            tried += 1

        while batch == 0 or (faults.long and time.monotonic() < give_up):
            run = given(inputs)(timed)
            run = settings(
                max_examples=_BATCH if faults.long else short, deadline=None, database=None,
                suppress_health_check=list(HealthCheck), phases=[Phase.generate, Phase.shrink],
            )(run)  # fmt: skip
            seed(faults.random("fuzz", what, batch).getrandbits(64))(run)()
            batch += 1
        trial.happened("read, or refused in words", tried)


def changed(good: bytes, tokens: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """A good file with a few changes: bits, bytes, pieces lost, doubled, moved, tokens put in."""
    place = st.integers(0, len(good))
    inserted = st.sampled_from(tokens) | st.binary(max_size=8)
    change = st.tuples(place, st.just(0) | st.integers(0, 40) | place, inserted)
    # Behind one another: later changes can hit what earlier ones made.
    return st.builds(_apply, st.just(good), st.lists(change, min_size=1, max_size=5),
                     st.lists(st.integers(0, 3), min_size=5, max_size=5))  # fmt: skip


def _apply(content: bytes, changes: list[tuple[int, int, bytes]], kinds: list[int]) -> bytes:
    for (at, length, token), kind in zip(changes, kinds, strict=False):
        before, piece, after = content[:at], content[at : at + length], content[at + length :]
        if kind == 0:
            content = before + token + after
        elif kind == 1:
            content = before + piece + token + piece + after
        elif kind == 2:
            content = after + token + before
        elif piece:
            content = before + bytes([piece[0] ^ (1 << len(token) % 8)]) + piece[1:] + after
    return content

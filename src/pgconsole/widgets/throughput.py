"""How many bytes a job moved, and when: in a bounded number of equal spans of time. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgconsole.widgets.words import size, span

_MOST = 256  # spans; more than a terminal has columns, whatever the length of the job
_BARS = "▁▂▃▄▅▆▇█"
_NOTHING = "·"
_SHORTEST = 0.25  # of a bar: what passed in less time than that says little about a rate
_LEAST = 8  # cells of the bars; with less room there are none


@dataclass(frozen=True, slots=True)
class Throughput:
    """The bytes of each span of time.

    Attributes:
        since: The beginning of the first span; None if nothing was measured.
        step: Seconds of each.
        spans: Bytes in each.
        length: Seconds in all: the last span may be shorter.
    """

    since: datetime | None = None
    step: float = 1.0
    spans: tuple[float, ...] = ()
    length: float = 0.0

    def until(self, moment: datetime) -> Throughput:
        """The same, with spans without a byte up to a moment."""
        if self.since is None:
            return self
        length = max(self.length, (moment - self.since).total_seconds())
        missing = math.ceil(length / self.step) - len(self.spans)
        spans = self.spans + (0.0,) * min(_MOST, missing)
        return Throughput(self.since, self.step, spans, length)

    def text(self, width: int) -> str:
        """One line of at most so many cells: bars, then their scale; empty without room or bytes.

        Bars begin at zero, so that an even rate looks even. Textual's own Sparkline begins at the
        smallest value, and needs true colours.
        """
        if not any(self.spans):
            return ""
        for each in range(1, len(self.spans) + 1):
            rates, step = self._rates(each), timedelta(seconds=each * self.step)
            scale = f" peak {size(max(rates))}/s, a bar is {span(step)}"
            if len(rates) + len(scale) <= width:
                return "".join(_bar(rate / max(rates)) for rate in rates) + scale
            if len(rates) <= _LEAST:
                break
        return ""

    def _rates(self, each: int) -> list[float]:
        """Bytes a second in so many spans together; of a bar that has only begun none."""
        step = each * self.step
        rates: list[float] = []
        for at in range(0, len(self.spans), each):
            length = min(step, self.length - at * self.step)
            if length >= step * _SHORTEST or not rates:
                rates.append(sum(self.spans[at : at + each]) / max(length, step * _SHORTEST))
        return rates


class ThroughputMeter:
    """Adds up what passes. When there are too many spans, two become one."""

    def __init__(self) -> None:
        self._since: datetime | None = None
        self._step = 1.0
        self._spans: list[float] = []
        self._length = 0.0

    @property
    def throughput(self) -> Throughput:
        """What has passed so far."""
        return Throughput(self._since, self._step, tuple(self._spans), self._length)

    def add(self, began: datetime, ended: datetime, count: int) -> None:
        """So many bytes passed evenly between two moments, of which none is before the last one."""
        if self._since is None:
            self._since = began
        start = max(0.0, (began - self._since).total_seconds())
        end = max(start, (ended - self._since).total_seconds())
        while end / self._step > _MOST:
            self._halve()
        first = int(start / self._step)
        last = max(first, math.ceil(end / self._step) - 1)
        self._spans += [0.0] * (last + 1 - len(self._spans))
        self._length = max(self._length, end)
        length = end - start
        for at in range(first, last + 1):
            inside = min(end, (at + 1) * self._step) - max(start, at * self._step)
            self._spans[at] += count * inside / length if length else count

    def _halve(self) -> None:
        pairs = [*self._spans, 0.0]
        self._spans = [pairs[at] + pairs[at + 1] for at in range(0, len(self._spans), 2)]
        self._step *= 2


def _bar(share: float) -> str:
    """A bar of this share of the highest."""
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))] if share > 0 else _NOTHING

"""The results as Markdown: goal, medians, ranges, ratios, met or missed."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import add, truediv
from statistics import median

from benchmarks.measure import Usage
from benchmarks.rows import Results

_MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One goal of DESIGN section 8.

    Attributes:
        work: What is done.
        goal: The goal in words.
        measured: The figure that the goal is about, with its range.
        met: Whether it is reached.
    """

    work: str
    goal: str
    measured: str
    met: bool


def rows(results: Results) -> list[Row]:
    """Every goal that the results say something about."""
    usage = results.usage
    guide = _sum(usage, "guide dump", "guide integrity", "guide content")
    found = [
        _at_least("backup with verification, local, against the guide", 7.0, guide,
                  _seconds(usage["pgconsole"])),
        _at_most("backup with verification, local, against `pg_dump > /dev/null`", 1.3,
                 _seconds(usage["pgconsole"]), _seconds(usage["floor"])),
    ]  # fmt: skip
    if usage["pgconsole s3"]:
        with_upload = _add(guide, _seconds(usage["guide upload"]))
        found.append(
            _at_least(f"backup with verification and S3 upload, against the guide and "
                      f"`{results.uploader}`", 6.0, with_upload, _seconds(usage["pgconsole s3"]))
        )  # fmt: skip
    found.append(
        _at_most("size of the file against `gzip -9`", 1.08,
                 results.sizes["pgconsole"], results.sizes["guide"], digits=3)
    )  # fmt: skip
    check = _sum(usage, "guide integrity", "guide content")
    found.append(
        _at_least("verify (CRCs, SHA-256, content, row counts), against `gzip -t` and content "
                  "check", 6.0, check, _seconds(usage["verify"]))
    )  # fmt: skip
    found.append(_table(results))
    if usage["restore"]:
        # Ours makes the safety backup first: the guide's is given one at the speed of ours.
        with_safety = _add(_seconds(usage["guide restore"]), _seconds(usage["pgconsole"]))
        found.append(
            _at_most("restore in place with safety backup, checks and row counts, against a "
                     "backup and `zcat` into psql", 1.0, _seconds(usage["restore"]), with_safety)
        )  # fmt: skip
    found.append(_memory("memory of a backup job", 150, usage["pgconsole"]))
    if sealed := usage["pgconsole encrypted"]:
        plain = _seconds(usage["pgconsole"])
        found += [
            _at_most("backup encrypted with age, against one that is not", 1.15,
                     _seconds(sealed), plain),
            _memory("memory of a backup job that encrypts", 150, sealed),
        ]  # fmt: skip
    if usage["pgconsole s3"]:
        found.append(_memory("memory of a backup job with S3", 200, usage["pgconsole s3"]))
    return found + _starts(results)


def to_markdown(results: Results, *, raw_bytes: int, postgres_version: str) -> str:
    """The whole report.

    Args:
        results: What was measured.
        raw_bytes: Size of the plain dump.
        postgres_version: Of server and client tools.
    """
    rounds = len(results.usage["floor"])
    lines = [
        f"Measured {datetime.now(UTC):%Y-%m-%d} on {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, PostgreSQL {postgres_version}: a plain dump of "
        f"{raw_bytes / _MEGABYTE:,.0f} MB, {rounds} rounds, everything in turn in each. "
        "Figures are medians (smallest to largest).",
        "",
        "| work | goal | measured | |",
        "|---|---|---|---|",
        *(
            f"| {row.work} | {row.goal} | {row.measured} | {'met' if row.met else '**missed**'} |"
            for row in rows(results)
        ),
        "",
        "| run | seconds | CPU seconds | peak MB of all processes | file MB |",
        "|---|---|---|---|---|",
        *(_run_line(name, runs, results.sizes.get(name)) for name, runs in _runs(results)),
    ]
    return "\n".join(lines) + "\n"


def _runs(results: Results) -> list[tuple[str, list[Usage]]]:
    usage = results.usage
    steps = ["guide dump", "guide integrity", "guide content"]
    totals = [("guide", _total(usage, steps))]
    if usage["guide upload"]:
        steps.append("guide upload")
        totals.append(("guide with S3", _total(usage, steps)))
    return totals + [(name, runs) for name, runs in usage.items() if runs]


def _total(usage: dict[str, list[Usage]], names: Sequence[str]) -> list[Usage]:
    first, *others = (usage[name] for name in names)
    for other in others:
        first = list(map(add, first, other))
    return first


def _run_line(name: str, runs: list[Usage], sizes: list[int] | None) -> str:
    size = f"{median(sizes) / _MEGABYTE:,.0f}" if sizes else ""
    return (
        f"| {name} | {_spread(_seconds(runs), 2)} | {_spread([r.cpu_seconds for r in runs], 1)} "
        f"| {max(r.peak_bytes for r in runs) / _MEGABYTE:,.0f} | {size} |"
    )


def _sum(usage: dict[str, list[Usage]], *names: str) -> list[float]:
    return _seconds(_total(usage, names))


def _add(left: Sequence[float], right: Sequence[float]) -> list[float]:
    return list(map(add, left, right))


def _seconds(runs: Sequence[Usage]) -> list[float]:
    return [run.seconds for run in runs]


def _spread(values: Sequence[float], digits: int) -> str:
    middle = f"{median(values):.{digits}f}"
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _at_least(
    work: str, goal: float, slow: Sequence[float], fast: Sequence[float], digits: int = 1
) -> Row:
    """A ratio per round, so that each pair met the same machine."""
    ratios = list(map(truediv, slow, fast))
    medians = f"{median(fast):.{digits}f} s against {median(slow):.1f} s"
    text = f"{_spread(ratios, 1)} times as fast: {medians}"
    return Row(work, f"at least {goal:g} times as fast", text, median(ratios) >= goal)


def _at_most(
    work: str, goal: float, ours: Sequence[float], theirs: Sequence[float], digits: int = 2
) -> Row:
    ratios = list(map(truediv, ours, theirs))
    return Row(work, f"at most {goal:g}", _spread(ratios, digits), median(ratios) <= goal)


def _table(results: Results) -> Row:
    row = _at_least(
        "one table of 1 % out of a local backup, against `zcat` and a filter", 30.0,
        _seconds(results.usage["guide table"]), _seconds(results.usage["table"]), digits=2,
    )  # fmt: skip
    share = 100 * results.table_share
    return Row(
        row.work,
        f"{row.goal}, reads under 2 %",
        f"{row.measured}; reads {share:.1f} %",
        row.met and share < 2,
    )


def _memory(work: str, goal: int, runs: Sequence[Usage]) -> Row:
    peak = max(run.job_peak_bytes or run.peak_bytes for run in runs) / _MEGABYTE
    return Row(work, f"under {goal} MB", f"{peak:.0f} MB at most", peak < goal)


def _starts(results: Results) -> list[Row]:
    found = []
    if taken := results.start_seconds["list"]:
        eager = results.eager_modules
        note = f"imported {', '.join(eager)}" if eager else "neither Textual nor boto3 imported"
        text = f"{_spread(taken, 3)} s, {note}"
        met = median(taken) < 0.25 and not eager
        found.append(Row("headless start (`pgconsole list`)", "under 0.25 s", text, met))
    for state, goal in (("cold", 0.7), ("warm", 0.4)):
        if taken := results.start_seconds[f"console {state}"]:
            met = median(taken) < goal
            text = f"{_spread(taken, 2)} s"
            found.append(Row(f"console, first paint, {state}", f"under {goal:g} s", text, met))
    return found + _many(results)


def _many(results: Results) -> list[Row]:
    found = []
    for name, what, goal in (
        ("first", "first paint, warm", 0.5),
        ("key", "key to paint", 0.05),
    ):
        if taken := results.start_seconds[f"many {name}"]:
            text = f"{_spread(taken, 3)} s"
            if name == "first":
                whole = _spread(results.start_seconds["many whole"], 2)
                text += f", the whole list after {whole} s"
            work = f"console with 20,000 backups, {what}"
            found.append(Row(work, f"under {goal:g} s", text, median(taken) < goal))
    return found

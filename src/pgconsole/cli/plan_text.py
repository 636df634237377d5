"""What `pgconsole restore` prints before it asks, and `--plan` instead of doing anything."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pgconsole.planning.checks import Check, Outcome
from pgconsole.planning.facts import Facts
from pgconsole.planning.fates import TableFate
from pgconsole.planning.forecast import forecast
from pgconsole.planning.loss import sentence
from pgconsole.planning.plan import conclude

_SIGNS = {
    Outcome.PASSED: "ok", Outcome.FAILED: "FAILED", Outcome.UNKNOWN: "not known",
    Outcome.ASKING: "not known",
}  # fmt: skip


def plan_text(facts: Facts, now: datetime, most: int | None) -> tuple[list[str], str]:
    """The plan, a line each, and why it would be refused.

    Args:
        facts: What is known.
        now: The time.
        most: How many tables to name; None: all.

    Returns:
        The lines, and the reason; empty if it would not be refused.
    """
    plan = conclude(facts, now)
    lines = [
        *(f"{heading + ':':<10} {text}" for heading, text in forecast(facts, now)),
        f"{'Loses:':<10} {plan.loss.text}",
        *_tables(facts, plan.tables, most),
        *_checks(plan.checks),
    ]
    return lines, plan.refusal


def _tables(facts: Facts, tables: tuple[TableFate, ...], most: int | None) -> Iterator[str]:
    gravest = sorted(tables, key=lambda table: table.severity)
    for table in gravest[:most]:
        yield f"{'Table:':<10} {sentence(table, facts.settings)}"
    if most is not None and len(gravest) > most:
        yield f"{'':<10} and {len(gravest) - most:,} more; --plan shows all"


def _checks(found: tuple[Check, ...]) -> Iterator[str]:
    for check in found:
        yield f"{'Check:':<10} {check.name}: {_SIGNS[check.outcome]}: {check.text}"

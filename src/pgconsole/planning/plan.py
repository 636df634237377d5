"""What follows from all that is known before a restore. Pure; with many tables it takes a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgconsole.planning.checks import Check, checks, refusal
from pgconsole.planning.facts import Facts
from pgconsole.planning.fates import TableFate, fates
from pgconsole.planning.loss import Loss, loss


@dataclass(frozen=True, slots=True)
class Plan:
    """A restore, thought through.

    Attributes:
        facts: What is known.
        tables: What becomes of each table.
        loss: What the target would lose.
        checks: What stands in the way, and what does not.
    """

    facts: Facts
    tables: tuple[TableFate, ...]
    loss: Loss
    checks: tuple[Check, ...]

    @property
    def refusal(self) -> str:
        """Why nobody can say yes to it now; empty if one can."""
        return refusal(self.checks)


def conclude(facts: Facts, now: datetime, before: Plan | None = None) -> Plan:
    """Think it through.

    Args:
        facts: What is known.
        now: The time.
        before: An earlier plan; what rests on the same answers is taken from it.
    """
    if before is not None and _are_of_the_same_tables(before.facts, facts):
        tables = before.tables
    else:
        problem = facts.target.problem
        why = problem.problem if problem is not None else ""
        tables = fates(facts.content.value, facts.there, facts.seen, why)
    return Plan(facts, tables, loss(facts, tables), checks(facts, tables, now))


def _are_of_the_same_tables(one: Facts, other: Facts) -> bool:
    """Whether the very same answers say what becomes of tables; comparing them would take long."""
    return (
        one.content.value is other.content.value
        and one.target.value is other.target.value
        and one.target.problem is other.target.problem
        and one.rows.value is other.rows.value
        and one.rows.so_far is other.rows.so_far
    )

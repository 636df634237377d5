"""The gates of a restore, each passed, failed or not known, with cause and cure. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pgconsole.backups.evidence import Proof
from pgconsole.errors import PgconsoleError
from pgconsole.planning.facts import Facts
from pgconsole.planning.fates import Fate, TableFate
from pgconsole.planning.forecast import needed_bytes
from pgconsole.postgres.explain import where
from pgconsole.status.words import ago, counted, size

_NAMED = 3  # of a long list


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"  # found out by the restore itself, before it touches anything
    ASKING = "asking"


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: What is checked.
        outcome: How it ended.
        text: What was found; for a failure problem, cause and cure.
        brief: Of a failure the problem alone.
    """

    name: str
    outcome: Outcome
    text: str
    brief: str = ""


def checks(facts: Facts, tables: Sequence[TableFate], now: datetime) -> tuple[Check, ...]:
    """All checks, in the order in which a restore makes them.

    Args:
        facts: What is known.
        tables: What becomes of each table, as `fates` has it.
        now: The time.
    """
    return (
        _copy(facts), _integrity(facts, now), _server(facts), _nobody_else(facts),
        _compatible(facts), _droppable(facts, tables), _safety(facts),
    )  # fmt: skip


def refusal(found: Iterable[Check]) -> str:
    """Why nobody can say yes now; empty if one can."""
    asking = []
    for check in found:
        if check.outcome is Outcome.FAILED:
            return check.brief
        if check.outcome is Outcome.ASKING:
            asking.append(check.name)
    return f"Not all is known yet: {', '.join(asking)}. Wait a moment" if asking else ""


def _copy(facts: Facts) -> Check:
    name = "Copy"
    if facts.content.problem is not None:
        return _failed(name, [facts.content.problem])
    content = facts.content.value
    if content is None:
        return Check(name, Outcome.ASKING, f"reading the beginning of {facts.source} …")
    found = content.copy
    if (found.size, found.modified) != (facts.copy.size, facts.copy.modified):
        problem = PgconsoleError(
            "The copy was replaced since it was listed", fix="go back, and choose it again"
        )
        return _failed(name, [problem])
    if not found.size:
        return _failed(name, [PgconsoleError("The copy is empty", fix="use another backup")])
    problems = [one for one in (content.manifest_problem, content.head_problem) if one is not None]
    if problems:
        return _failed(name, problems)
    version = f", of PostgreSQL {content.server_version}" if content.server_version else ""
    text = f"it is there, {size(found.size)}{version}"
    if content.manifest is None:
        text += "; it has no manifest: verify it first, and its rows are known beforehand"
    else:
        text += f", {counted(len(content.manifest.tables), 'table')}"
    return Check(name, Outcome.PASSED, text)


def _integrity(facts: Facts, now: datetime) -> Check:
    name, later = "Integrity", "the restore reads all of it first, before it touches anything"
    host = facts.host.value
    if host is None or facts.host.problem is not None:
        return _of_other(name, facts.host.problem, "reading what was proven …")
    if host.proof_problem:
        return Check(name, Outcome.UNKNOWN, f"{host.proof_problem}; {later}")
    proof = host.proof
    if proof is None or proof.proof is Proof.LISTED:
        return Check(name, Outcome.UNKNOWN, f"nobody has verified this copy; {later}")
    when = f"{proof.proof} {ago(proof.at, now)} by {proof.by}"
    if proof.proof.is_bad:
        problem = PgconsoleError(
            f"The copy was found {when}",
            cause=proof.problem,
            fix="use another backup, or verify this one again",
        )
        return _failed(name, [problem])
    return Check(name, Outcome.PASSED, f"proven {when}; {later}")


def _server(facts: Facts) -> Check:
    name = "Server"
    if facts.target.problem is not None:
        return _failed(name, [facts.target.problem])
    target = facts.target.value
    if target is None:
        return Check(name, Outcome.ASKING, f"asking {where(facts.settings)} …")
    text = f"PostgreSQL {target.server.version} at {where(facts.settings)} has {facts.database!r}"
    return Check(name, Outcome.PASSED, text)


def _nobody_else(facts: Facts) -> Check:
    name = "Nobody else"
    for answer in (facts.host, facts.target):
        if answer.value is not None and answer.value.busy is not None:
            return _failed(name, [answer.value.busy])
    for answer in (facts.host, facts.target):
        if answer.value is None or answer.problem is not None:
            return _of_other(name, answer.problem, "asking who works on it …")
    return Check(name, Outcome.PASSED, "no backup or restore of the target is under way")


def _compatible(facts: Facts) -> Check:
    name = "Compatible"
    fitness = facts.fitness.value
    if fitness is None or facts.fitness.problem is not None:
        return _fitness_missing(name, facts)
    if fitness.obstacles:
        return _failed(name, fitness.obstacles)
    text = f"psql {fitness.psql} can restore it: versions, extensions, owners"
    content = facts.content.value
    if content is None or content.head is None:
        return Check(name, Outcome.UNKNOWN, f"psql {fitness.psql} is there; the rest is not known")
    return Check(name, Outcome.PASSED, text)


def _droppable(facts: Facts, tables: Sequence[TableFate]) -> Check:
    name = "Newer objects"
    fitness = facts.fitness.value
    if fitness is None or facts.fitness.problem is not None:
        return _fitness_missing(name, facts)
    found = [f"{table.name} is {table.about}" for table in tables if table.fate is Fate.BLOCKS] + [
        f"{holder} depends on {held}" for holder, held in fitness.holders or ()
    ]
    if found:
        more = len(found) - _NAMED
        problem = PgconsoleError(
            f"PostgreSQL would refuse to drop what the backup replaces: {found[0]}",
            cause="; ".join(found[1:_NAMED]) + (f"; and {more} more" if more > 0 else ""),
            fix="drop what is in the way, or restore into a new, empty database",
        )
        return _failed(name, [problem])
    if fitness.collisions:
        problem = PgconsoleError(
            f"The backup makes tables that are there, and does not drop them: "
            f"{fitness.collisions[0]}" + (" and others" if len(fitness.collisions) > 1 else ""),
            cause="it was made by pg_dump without --clean",
            fix="restore into a new, empty database",
        )
        return _failed(name, [problem])
    if fitness.holders is None:
        return Check(name, Outcome.UNKNOWN, "what the backup replaces is not known")
    return Check(name, Outcome.PASSED, "nothing newer depends on what is replaced")


def _safety(facts: Facts) -> Check:
    name = "Safety backup"
    host, fitness = facts.host.value, facts.fitness.value
    problems: list[PgconsoleError] = []
    if host is not None and host.unwritable is not None:
        problems.append(host.unwritable)
    if fitness is not None:
        problems += fitness.unsafe
    needed = needed_bytes(facts)
    if host is not None and needed is not None and host.free_bytes < needed and not problems:
        problems.append(_too_full(facts, needed, host.free_bytes))
    if problems:
        failed = _failed(name, problems)
        if not facts.without_safety_backup:
            return failed
        return Check(name, Outcome.UNKNOWN, f"{failed.text}. It goes on without one, as asked for")
    if host is None or facts.host.problem is not None:
        return _of_other(name, facts.host.problem, "looking for room …")
    if fitness is None or facts.fitness.problem is not None:
        return _fitness_missing(name, facts)
    return Check(name, Outcome.PASSED, f"there is room: {size(host.free_bytes)} are free")


def _too_full(facts: Facts, needed: int, free: int) -> PgconsoleError:
    directory = facts.settings.backup_dir
    return PgconsoleError(
        f"{directory} has too little free space",
        cause=f"{size(free)} are free, about {size(needed)} are needed for the download and the "
        "safety backup",
        fix="free some space, or move BACKUP_DIR to a larger disk",
    )


def _fitness_missing(name: str, facts: Facts) -> Check:
    """Without the target nothing can be tried; without the copy, most can."""
    if facts.fitness.problem is not None:
        return _failed(name, [facts.fitness.problem])
    if facts.target.problem is not None:
        return Check(name, Outcome.UNKNOWN, "the server can't be asked")
    if facts.content.problem is not None:
        return Check(name, Outcome.UNKNOWN, "the copy can't be read")
    return Check(name, Outcome.ASKING, "asking …")


def _of_other(name: str, problem: PgconsoleError | None, asking: str) -> Check:
    """What depends on an answer that is not there."""
    if problem is None:
        return Check(name, Outcome.ASKING, asking)
    return Check(name, Outcome.UNKNOWN, str(problem))


def _failed(name: str, problems: Sequence[PgconsoleError]) -> Check:
    brief = "; ".join(problem.problem for problem in problems)
    return Check(name, Outcome.FAILED, "; ".join(map(str, problems)), brief)

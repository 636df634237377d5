"""Whether this copy can be restored into that database: the gates of a restore, tried before."""

from __future__ import annotations

from dataclasses import dataclass

from pgconsole.backups.preflight import Estimate, check_preflight
from pgconsole.backups.restore_gate import obstacles
from pgconsole.dumps.head import RELATIONS, Head
from pgconsole.errors import PgconsoleError, PreflightError
from pgconsole.planning.content import Content
from pgconsole.planning.target import Target
from pgconsole.postgres.holders import Dropped, holders_on
from pgconsole.settings import Settings

MOST_HOLDERS = 50


@dataclass(frozen=True, slots=True)
class Fitness:
    """What stands in the way, or does not.

    Attributes:
        psql: Version and path of the psql that would restore; empty if there is none.
        obstacles: What the compatibility gate refuses.
        holders: What holds on to something that is dropped, and to what; at most 50. None if that
            is not known.
        collisions: Tables that are there, and that the dump makes without dropping them before.
        estimate: How large the safety backup gets; None if that can't be told.
        unsafe: Why no safety backup can be made.
    """

    psql: str
    obstacles: tuple[PgconsoleError, ...]
    holders: tuple[tuple[str, str], ...] | None
    collisions: tuple[str, ...]
    estimate: Estimate | None
    unsafe: tuple[PgconsoleError, ...]


def look_at_fitness(settings: Settings, content: Content, target: Target) -> Fitness:
    """Try the gates.

    Args:
        settings: The server, the backup directory.
        content: What the copy holds, as far as it is known.
        target: The database.

    Raises:
        ServerError: The database can't be asked.
    """
    of_target = settings.model_copy(update={"pgdatabase": target.database})
    psql, problems = obstacles(of_target, target.server, content)
    holders = None
    if content.head is not None:
        holders = tuple(holders_on(of_target, _dropped(content.head), MOST_HOLDERS))
    estimate = None
    unsafe: tuple[PgconsoleError, ...] = ()
    try:
        estimate = check_preflight(of_target, []).estimate
    except PreflightError as error:
        unsafe = tuple(error.problems)
    return Fitness(
        psql=f"{psql.version} ({psql.path})" if psql is not None else "",
        obstacles=tuple(problems),
        holders=holders,
        collisions=_collisions(content.head, target),
        estimate=estimate,
        unsafe=unsafe,
    )


def _collisions(head: Head | None, target: Target) -> tuple[str, ...]:
    if head is None:
        return ()
    there = {(one.schema, one.name) for one in target.relations.all}
    made = head.made - head.dropped
    return tuple(
        f"{one.schema}.{one.name}" for one in made
        if one.kind == "table" and (one.schema, one.name) in there
    )  # fmt: skip


def _dropped(head: Head) -> Dropped:
    relations = {(one.schema, one.name): False for one in head.made if one.kind in RELATIONS}
    relations |= {(one.schema, one.name): True for one in head.dropped if one.kind in RELATIONS}

    def named(kind: str) -> list[tuple[str, str]]:
        return [(one.schema, one.name) for one in head.dropped if one.kind == kind]

    return Dropped(
        relations=relations,
        constraints=head.constraints,
        types=named("type"),
        functions=named("function"),
        schemas=[name for _, name in named("schema")],
        extensions=[name for _, name in named("extension")],
    )

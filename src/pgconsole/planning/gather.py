"""Asks everything that is to be known before a restore, side by side, and waits for nobody long."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

from pgconsole.backups.restore_copy import FoundCopy
from pgconsole.errors import PgconsoleError
from pgconsole.planning.content import Content, look_at_content
from pgconsole.planning.facts import Facts
from pgconsole.planning.fitness import Fitness, look_at_fitness
from pgconsole.planning.host import look_at_host
from pgconsole.planning.target import Target, look_at_target
from pgconsole.postgres.rows_now import Seen, look_at_rows
from pgconsole.settings import Settings
from pgconsole.status.facts import Answer
from pgconsole.status.pending import Pending, answer

TIMEOUT = 15.0  # seconds for each answer but the rows


def gather(
    settings: Settings,
    copy: FoundCopy,
    database: str,
    *,
    counting: float,
    without_safety_backup: bool = False,
) -> Facts:
    """Find out what restoring this copy would do.

    What does not answer in time is a problem of that answer; nothing is raised.

    Args:
        settings: The server, the backup directory, the bucket.
        copy: What is to be restored.
        database: The target.
        counting: Seconds for counting rows; what is not counted by then stays an estimate.
        without_safety_backup: Whether to go on if the target can't be backed up.
    """
    content = Pending(lambda: look_at_content(settings, copy))
    host = Pending(lambda: look_at_host(settings, copy, database))
    target = Pending(lambda: look_at_target(settings, database))
    deadline = time.monotonic() + TIMEOUT
    # Named one by one: each has a type of its own.
    target_answer = answer(f"The server at {settings.pghost}", target, deadline, TIMEOUT)
    rows = _Counting(settings, target_answer.value, counting)
    content_answer = answer(f"The copy {copy.location}", content, deadline, TIMEOUT)
    host_answer = answer("The backup directory", host, deadline, TIMEOUT)
    return Facts(
        settings,
        copy,
        database,
        content=content_answer,
        host=host_answer,
        target=target_answer,
        fitness=_fitness(settings, content_answer.value, target_answer.value),
        rows=rows.answer(),
        without_safety_backup=without_safety_backup,
    )


class _Counting:
    """Counts beside all else, for so many seconds.

    Args:
        settings: The server.
        target: The database; None if it is not known.
        takes: Seconds.
    """

    def __init__(self, settings: Settings, target: Target | None, takes: float) -> None:
        self._seen: dict[int, Seen] = {}
        self._takes = takes
        self._deadline = time.monotonic() + takes
        self._tables = target.tables if target is not None else ()
        if target is not None:
            self._of = settings.model_copy(update={"pgdatabase": target.database})
            self._pending = Pending(self._run)

    def answer(self) -> Answer[dict[int, Seen]]:
        """What was seen, when it is time; of the other tables, that it was not."""
        if not self._tables:
            return Answer({}, datetime.now(UTC))
        problem = None
        try:
            self._pending.result(self._deadline)
        except TimeoutError:
            pass
        except PgconsoleError as error:
            problem = error
        seen = dict(self._seen)
        why = problem.problem if problem is not None else f"not within {self._takes:.0f} s"
        for table in self._tables:
            known = seen.get(table.oid, Seen())
            if known.rows is None and not known.why:
                seen[table.oid] = replace(known, why=why)
        return Answer(seen, datetime.now(UTC), problem)

    def _run(self) -> None:
        def is_over() -> bool:
            return time.monotonic() > self._deadline

        for oid, seen in look_at_rows(self._of, self._tables, stopped=is_over):
            self._seen[oid] = seen


def _fitness(settings: Settings, content: Content | None, target: Target | None) -> Answer[Fitness]:
    if content is None or target is None:
        return Answer()
    pending = Pending(lambda: look_at_fitness(settings, content, target))
    what = f"The server at {settings.pghost}"
    return answer(what, pending, time.monotonic() + TIMEOUT, TIMEOUT)

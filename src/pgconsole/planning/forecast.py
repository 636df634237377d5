"""What will happen, to what, for how long: every fact with its heading. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from pgconsole.backups.restore_copy import RESTORED, SAFETY
from pgconsole.dumps.manifest import Manifest
from pgconsole.planning.facts import Facts, is_pending
from pgconsole.planning.moments import moment
from pgconsole.planning.past import Expected, expected
from pgconsole.postgres.explain import where
from pgconsole.postgres.sessions import Sessions
from pgconsole.status.words import ago, counted, size, span
from pgconsole.storage.base import Place


def forecast(facts: Facts, now: datetime) -> list[tuple[str, str]]:
    """Each fact with its heading."""
    settings, database = facts.settings, facts.database
    return [
        ("What", f"Replaces in {database!r} what the backup holds, all or nothing; all else stays"),
        ("Target", f"{database!r} on {where(settings)}"),
        ("Backup", facts.source),
        ("Taken", _taken(facts, now)),
        *_careful(facts),
        ("Cuts off", _cut(facts)),
        *_grants(facts),
        ("Safety", _safety(facts)),
        *_download(facts),
        ("Takes", _takes(facts)),
        ("Failure", "Leaves the target as it was: all is one transaction"),
        ("Command", facts.command),
    ]


def needed_bytes(facts: Facts) -> int | None:
    """Room that the download and the safety backup take; None if that is not known."""
    fitness = facts.fitness.value
    if fitness is None or fitness.estimate is None:
        return None
    download = facts.copy.size if facts.copy.place is Place.S3 else 0
    return download + fitness.estimate.needed_bytes


def sessions_text(sessions: Sessions) -> str:
    """Who would be cut off."""
    if not sessions.total:
        return "Nobody: nobody else is connected to the target now"
    named = ", ".join(f"{count} of {name}" for name, count in sessions.by_application)
    return f"{counted(sessions.total, 'session')} connected to the target now: {named}"


def takes_text(found: Expected, raw_bytes: int | None) -> str:
    """How long it may take."""
    if not found.restores:
        return "Not known: nothing has been restored from here yet"
    whose = "of this database" if found.of_target else "of other databases"
    past = f"{counted(found.restores, 'past restore')} {whose}"
    if raw_bytes is None:
        return f"Not known: how much the backup holds is not known ({past})"
    if found.seconds is None:
        return f"Not known: the largest of {past} was of {size(found.largest)} only"
    return f"About {span(timedelta(seconds=max(1.0, found.seconds)))}, from {past}"


def _taken(facts: Facts, now: datetime) -> str:
    of = f"of database {facts.of_database!r}, " if facts.of_database else ""
    taken = facts.taken_at
    text = f"{of}{moment(taken, facts.settings.backup_timezone)} ({ago(taken, now)})"
    content = facts.content.value
    raw = content.raw_bytes if content is not None else None
    text += f", {size(facts.copy.size)}"
    return text + (f" ({size(raw)} of SQL)" if raw is not None else "")


def _careful(facts: Facts) -> list[tuple[str, str]]:
    if facts.of_database in ("", facts.database):
        return []
    text = f"The backup is of {facts.of_database!r}, not of {facts.database!r}"
    return [("Careful", text)]


def _cut(facts: Facts) -> str:
    target = facts.target.value
    if facts.target.problem is not None:
        return f"Not known: {facts.target.problem.problem}"
    return "Asking the server …" if target is None else sessions_text(target.sessions)


def _grants(facts: Facts) -> list[tuple[str, str]]:
    target = facts.target.value
    rows = []
    if target is not None and target.granted:
        what = f"Others' rights to {target.granted} of its tables, views and sequences go with what"
        text = f"{what} is replaced; not even the safety backup keeps them"
        rows.append(("Grants", text))
    if target is not None and target.relations.large_objects:
        objects = counted(target.relations.large_objects, "large object")
        text = f"{objects} now: those of the backup replace the ones of the same number"
        rows.append(("Objects", text))
    return rows


def _safety(facts: Facts) -> str:
    text = f"Before, the target is backed up to {facts.settings.backup_dir / SAFETY}/"
    host, fitness = facts.host.value, facts.fitness.value
    if fitness is not None and fitness.estimate is not None:
        estimate = fitness.estimate
        text += f": about {size(estimate.compressed_bytes)}"
        text += _as_long_as(host.previous if host is not None else None)
        text += f" (an estimate from {estimate.source})"
    if host is not None:
        text += f"; {size(host.free_bytes)} are free"
    if facts.without_safety_backup:
        text += ". If that fails, it is restored all the same"
    return text


def _as_long_as(previous: Manifest | None) -> str:
    if previous is None or not previous.host:  # nobody took the time
        return ""
    took = previous.finished_at - previous.started_at
    return f" in about {span(max(took, timedelta(seconds=1)))}"


def _download(facts: Facts) -> list[tuple[str, str]]:
    if facts.copy.place is Place.LOCAL:
        return []
    where_to = f"{facts.settings.backup_dir / RESTORED}/"
    text = f"{size(facts.copy.size)} from S3 to {where_to} first, unless it is there already"
    return [("Download", text)]


def _takes(facts: Facts) -> str:
    host, content = facts.host.value, facts.content.value
    if host is None:
        problem = facts.host.problem
        return f"Not known: {problem.problem}" if problem is not None else "Looking for past ones …"
    if is_pending(facts.content):
        return "Reading how much the backup holds …"
    raw = content.raw_bytes if content is not None else None
    return takes_text(expected(host.past, facts.database, raw or 0), raw)

"""Facts before a restore, made up: for tests of what follows from them, and for pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pgconsole.backups.evidence import Evidence, Proof
from pgconsole.backups.preflight import Estimate
from pgconsole.backups.restore_copy import FoundCopy, listed
from pgconsole.dumps.created import Created
from pgconsole.dumps.head import Head
from pgconsole.dumps.manifest import Manifest, Section, SectionKind
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.planning.content import Content
from pgconsole.planning.facts import Facts
from pgconsole.planning.fitness import Fitness
from pgconsole.planning.host import Host
from pgconsole.planning.past import PastRestore
from pgconsole.planning.target import Target
from pgconsole.postgres.relations import Kind, Relation, Relations
from pgconsole.postgres.rows_now import Newest, Seen
from pgconsole.postgres.server import ServerInfo
from pgconsole.postgres.sessions import Sessions
from pgconsole.settings import Settings
from pgconsole.status.facts import Answer
from pgconsole.storage.base import Place, StoredBackup

NOW = datetime(2026, 2, 25, 4, 2, 11, tzinfo=UTC)
TAKEN = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)
MIB = 1 << 20
SERVER = ServerInfo("16.14", 160014, 900 * MIB, 512 * MIB)
NOBODY = Sessions(())


def settings(**variables: str) -> Settings:
    """Settings that name nothing of this machine."""
    base = {"PGHOST": "db.example.com", "PGDATABASE": "thinktank", "BACKUP_DIR": "/backups"}
    s3 = {"S3_BACKUP_BUCKET": "my-thinktank-backups", "S3_ENDPOINT_URL": "https://s3.example.com"}
    return Settings.model_validate(base | s3 | variables)


def copy(place: Place = Place.LOCAL, database: str = "thinktank") -> FoundCopy:
    name = BackupName(database, TAKEN, BackupClass.DAILY)
    base = "/backups" if place is Place.LOCAL else "backups"
    location = f"{base}/{name.relative_path}"
    return listed(StoredBackup(name, place, location, 126 * MIB, TAKEN, True))


def section(name: str, rows: int, schema: str | None = "public") -> Section:
    return Section(
        kind=SectionKind.DATA, schema=schema, table=name, columns=("id",), rows=rows,
        raw_bytes=rows * 40, members=(),
    )  # fmt: skip


def manifest(tables: Mapping[str, int], schema: str | None = "public", **more: Any) -> Manifest:
    """Of a backup that has so many rows of each table."""
    return Manifest(
        **{
            "database": "thinktank", "classes": (BackupClass.DAILY,), "taken_at": TAKEN,
            "started_at": TAKEN, "finished_at": TAKEN + timedelta(seconds=14), "host": "backup-1",
            "actor": "scheduler", "server_host": "db.example.com", "server_version": "16.14",
            "pg_dump_version": "16.14", "options": (), "raw_bytes": 512 * MIB,
            "compressed_bytes": 126 * MIB, "sha256": "0" * 64,
            "sections": tuple(section(name, rows, schema) for name, rows in tables.items()),
        } | more
    )  # fmt: skip


def head(*tables: str, **others: str) -> Head:
    """Of a dump that has these tables, and others of other kinds by their names."""
    known = {Created("table", "public", name) for name in tables}
    known |= {Created(kind.replace("_", " "), "public", name) for name, kind in others.items()}
    both = frozenset(known)
    return Head("16.14", "16.14", (), (), (), both, both, frozenset())


def content(tables: Mapping[str, int], **more: Any) -> Content:
    return replace(Content(copy(), manifest(tables), None, head(*tables), None), **more)


def table(oid: int, name: str, rows: int | None = None, **more: Any) -> Relation:
    return Relation(**{"oid": oid, "schema": "public", "name": name, "kind": Kind.TABLE,
                       "rows": rows} | more)  # fmt: skip


def there(*relations: Relation, large_objects: int = 0) -> Relations:
    return Relations(relations, large_objects)


def target(*relations: Relation, **more: Any) -> Target:
    return replace(Target("thinktank", SERVER, None, NOBODY, 0, there(*relations)), **more)


def newest(at: str, column: str = "created_at", *, zoned: bool = True) -> Newest:
    return Newest(column, at, zoned)


def proof(kind: Proof = Proof.COMPLETE, **more: Any) -> Evidence:
    base = Evidence("x", kind, TAKEN, "scheduler", 3.2, 126 * MIB, TAKEN)
    return replace(base, **more)


ESTIMATE = Estimate(512 * MIB, 126 * MIB, 126 * MIB, "the backup of 2026-02-25 02:00 UTC")
FITNESS = Fitness("16.14 (/usr/bin/psql)", (), (), (), ESTIMATE, ())
PAST = (PastRestore("thinktank", 500 * MIB, 40.0), PastRestore("thinktank", 300 * MIB, 25.0))
HOST = Host(proof(), "", None, PAST, manifest({}), 41 << 30, None)


def answer(value: Any) -> Answer[Any]:
    """As it was given: an error, or something; None: not yet."""
    return Answer(problem=value) if isinstance(value, Exception) else Answer(value)


def facts(**parts: Any) -> Facts:
    """Everything is well, but for what is said otherwise; seen are the rows by oid."""
    given: dict[str, Any] = {
        "content": content({"users": 5}), "host": HOST, "target": target(table(1, "users", 5)),
        "fitness": FITNESS, "rows": {1: Seen(5)},
    } | parts  # fmt: skip
    plain = ("settings", "copy", "database", "without_safety_backup")
    base = Facts(settings(), copy(), "thinktank")
    return replace(
        base, **{name: value if name in plain else answer(value) for name, value in given.items()}
    )

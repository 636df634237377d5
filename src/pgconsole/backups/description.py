"""The manifest of a dump that was just written."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

from pgconsole.backups.dump_process import DUMP_OPTIONS
from pgconsole.backups.preflight import Preflight
from pgconsole.dumps.manifest import Encryption, Manifest
from pgconsole.dumps.naming import BackupClass
from pgconsole.dumps.writer import WrittenDump
from pgconsole.postgres.explain import where
from pgconsole.settings import Settings


def describe(
    settings: Settings,
    ready: Preflight,
    written: WrittenDump,
    *,
    actor: str,
    classes: tuple[BackupClass, ...],
    taken_at: datetime,
    started_at: datetime,
) -> Manifest:
    """What is known of a dump whose every byte was written and read back until now.

    Args:
        settings: The database that was dumped.
        ready: What preflight found out about server and tools.
        written: The dump.
        actor: Who asked.
        classes: The classes that it will be in; none for a safety backup.
        taken_at: The time in its name, UTC.
        started_at: When the operation began, UTC.
    """
    now = datetime.now(UTC)
    return Manifest(
        database=settings.pgdatabase,
        classes=classes,
        taken_at=taken_at,
        started_at=started_at,
        finished_at=now,
        verified_at=now,
        host=socket.gethostname(),
        actor=actor,
        server_host=where(settings),
        server_version=written.server_version or ready.server.version,
        pg_dump_version=written.pg_dump_version or ready.pg_dump.version,
        options=DUMP_OPTIONS,
        raw_bytes=written.raw_bytes,
        compressed_bytes=written.compressed_bytes,
        sha256=written.sha256,
        sections=written.sections,
        encryption=Encryption(recipients=settings.age_recipients, gzip_bytes=written.gzip_bytes)
        if settings.age_recipients
        else None,
    )

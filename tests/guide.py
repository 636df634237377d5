"""Backups as the shell scripts of the guide made them: the literal pipeline, the same names."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.naming import BackupClass, BackupName

PIPELINE = 'set -o pipefail; pg_dump --no-owner --no-acl --clean --if-exists | gzip -9 > "$0"'


def guide_backup(
    server: PostgresServer,
    database: str,
    backup_dir: Path,
    taken_at: datetime,
    backup_class: BackupClass = BackupClass.DAILY,
) -> Path:
    """Take a backup with pg_dump and gzip as the old backup.sh did, and return its path."""
    path = backup_dir / BackupName(database, taken_at, backup_class).relative_path
    path.parent.mkdir(exist_ok=True)
    environment = server.environment | {
        "PGDATABASE": database, "PATH": f"{server.bin_dir}:/usr/bin:/bin",
    }  # fmt: skip
    subprocess.run(["bash", "-c", PIPELINE, path], env=environment, check=True)
    return path

"""All that stands in the way of a backup, found before anything is begun."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pgconsole.backups.catalog import latest_manifest
from pgconsole.backups.signatures import signing_key
from pgconsole.durable import make_directory
from pgconsole.errors import (
    ConfigurationError,
    PgconsoleError,
    PreflightError,
    ServerError,
    StorageError,
    ToolError,
)
from pgconsole.postgres.server import ServerInfo, probe
from pgconsole.postgres.tools import Tool, choose_tool
from pgconsole.settings import Settings
from pgconsole.storage.local import LocalStorage

if TYPE_CHECKING:
    from pgconsole.dumps.signature import SigningKey

# Text and JSON usually shrink to a quarter (415 MB of 1.5 GB in DESIGN section 8). A first backup
# is refused only if not even a dump that shrinks to a tenth would fit.
_USUAL_COMPRESSION = 4
_BEST_COMPRESSION = 10


@dataclass(frozen=True, slots=True)
class Estimate:
    """How large the dump will be, as far as one can know beforehand.

    Attributes:
        raw_bytes: Uncompressed.
        compressed_bytes: The file.
        needed_bytes: What has to be free, at the very least.
        source: Where the figures come from, in words.
    """

    raw_bytes: int
    compressed_bytes: int
    needed_bytes: int
    source: str

    def in_words(self) -> str:
        """For the log."""
        import humanize  # noqa: PLC0415 - 20 ms that other commands need not pay

        raw = humanize.naturalsize(self.raw_bytes, binary=True)
        return f"{raw} to dump (an estimate from {self.source})"


@dataclass(frozen=True, slots=True)
class Preflight:
    """What preflight found out, for the stages after it."""

    server: ServerInfo
    pg_dump: Tool
    estimate: Estimate
    signing_key: SigningKey | None


def local_problems(settings: Settings) -> list[PgconsoleError]:
    """What stands in the way before a lock can be taken: the directory."""
    try:
        _make_directories(settings)
    except StorageError as error:
        return [error]
    return []


def check_preflight(settings: Settings, problems: list[PgconsoleError]) -> Preflight:
    """Check server, credentials, tools, disk and the signing key.

    Args:
        settings: What to back up, and where to.
        problems: What `local_problems` found.

    Raises:
        PreflightError: All problems together, those of the caller first.
    """
    found = list(problems)
    server = pg_dump = key = None
    try:  # once an hour of dumping is over, it is too late to miss it
        key = signing_key(settings)
    except ConfigurationError as error:
        found.append(error)
    try:
        server = probe(settings)
        pg_dump = choose_tool("pg_dump", server.major)
    except (ServerError, ToolError) as error:
        found.append(error)
    if server is not None:
        estimate = estimate_of(settings, server)
        if not problems:
            found += _disk_problems(settings.backup_dir, estimate)
    if found or server is None or pg_dump is None:
        raise PreflightError(found)
    return Preflight(server, pg_dump, estimate, key)


def _make_directories(settings: Settings) -> None:
    """Make the backup directory if it is missing, and see whether it can be written to."""
    directory = settings.backup_dir
    try:
        make_directory(directory)
    except OSError as error:
        raise StorageError(
            f"BACKUP_DIR {directory} can't be created",
            cause=error.strerror or str(error),
            fix="create it and let the user who runs pgconsole write to it, or change BACKUP_DIR",
        ) from error
    try:
        make_directory(settings.state_dir / "locks")
        if not os.access(directory, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise StorageError(
            f"BACKUP_DIR {directory} can't be written to",
            cause=error.strerror or str(error),
            fix=f"let user id {os.geteuid()} write to it, or change BACKUP_DIR",
        ) from error


def estimate_of(settings: Settings, server: ServerInfo) -> Estimate:
    """How large the next dump will be: as the last one, else by the size of the database."""
    previous = latest_manifest(settings)
    if previous is not None:
        return Estimate(
            previous.raw_bytes,
            previous.compressed_bytes,
            previous.compressed_bytes,
            f"the backup of {previous.taken_at:%Y-%m-%d %H:%M} UTC",
        )
    return Estimate(
        server.data_bytes,
        server.data_bytes // _USUAL_COMPRESSION,
        server.data_bytes // _BEST_COMPRESSION,
        "the size of the database",
    )


def _disk_problems(directory: Path, estimate: Estimate) -> list[PgconsoleError]:
    import humanize  # noqa: PLC0415 - 20 ms that other commands need not pay

    try:
        free = LocalStorage(directory).free_bytes()
    except StorageError as error:
        return [error]
    if free >= estimate.needed_bytes:
        return []
    return [
        StorageError(
            f"{directory} has too little free space",
            cause=(
                f"{humanize.naturalsize(free, binary=True)} are free, about "
                f"{humanize.naturalsize(estimate.needed_bytes, binary=True)} are needed "
                f"(an estimate from {estimate.source})"
            ),
            fix="free some space, or move BACKUP_DIR to a larger disk",
        )
    ]

"""The lock of a database: one operation at a time in one backup directory."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pgconsole import locks
from pgconsole.errors import BusyError, StorageError
from pgconsole.settings import Settings


@contextmanager
def database_lock(
    settings: Settings, database: str, *, what: str, actor: str, job: str
) -> Iterator[None]:
    """Hold the lock of a database for the duration of the block. Waits for nobody.

    Args:
        settings: Whose backup directory.
        database: A name that can be a file name.
        what: What the lock is for, e.g. `backup`.
        actor: Who asked.
        job: The job's id, or empty.

    Raises:
        BusyError: Somebody else holds it. Says who, for what and since when.
        StorageError: The lock file can't be written.
    """
    path = _lock_of(settings, database)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = locks.Holder(actor, what, now, socket.gethostname(), os.getpid(), job)
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.hold(path, holder))
        except locks.LockedError as error:
            raise _busy(database, error.holder) from None
        except OSError as error:
            raise StorageError(
                f"The lock file {path} can't be used",
                cause=error.strerror or str(error),
                fix="check the permissions and the free space of BACKUP_DIR",
            ) from error
        yield


def work_on(settings: Settings, database: str) -> BusyError | None:
    """What keeps a database busy now, by the lock of this backup directory; nothing is locked.

    Raises:
        StorageError: The lock file can't be read.
    """
    path = _lock_of(settings, database)
    try:
        return _busy(database, locks.read_holder(path)) if locks.is_held(path) else None
    except OSError as error:
        raise StorageError(
            f"The lock file {path} can't be read",
            cause=error.strerror or str(error),
            fix="check the permissions of BACKUP_DIR",
        ) from error


def _lock_of(settings: Settings, database: str) -> Path:
    return settings.state_dir / "locks" / f"{database}.lock"


def _busy(database: str, holder: locks.Holder | None) -> BusyError:
    if holder is None:
        return BusyError(
            f"Database {database!r} is busy",
            cause="another pgconsole has just locked it",
            fix="try again when it has finished; `pgconsole jobs` shows what runs",
        )
    import humanize  # noqa: PLC0415 - only for this error

    age = humanize.naturaltime(datetime.now(UTC) - holder.since_time)
    cause = (
        f"{holder.what} by {holder.who} on {holder.host} (process {holder.pid}) has been running "
        f"since {holder.since_time:%Y-%m-%d %H:%M:%S} UTC ({age})"
    )
    watch = f"pgconsole jobs {holder.job} --follow" if holder.job else "pgconsole jobs"
    stop = f", or cancel it: pgconsole cancel {holder.job}" if holder.job else ""
    return BusyError(
        f"Database {database!r} is busy",
        cause=cause,
        fix=f"wait until it has ended ({watch}){stop}",
    )

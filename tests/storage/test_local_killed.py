"""A process that dies between any two steps of publishing leaves nothing half-made."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.storage.conftest import NAME, manifest_of
from tests.storage.test_local import DUMP, publish, write_partial

from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass
from pgconsole.storage.local import LocalStorage


def publish_and_die(storage: LocalStorage, calls: int) -> int:
    """Publish in a process that kills itself at its n-th call that may change the file system.

    Returns:
        Its exit status: -9 if it was killed, 0 if it came to its end before.
    """
    pid = os.fork()
    if pid == 0:
        left = calls

        def count(event: str, _: object) -> None:
            nonlocal left
            if event in {"open", "os.link", "os.rename", "os.remove", "os.mkdir"}:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            write_partial(storage)
            sys.addaudithook(count)
            storage.publish(NAME, manifest_of(NAME))
            storage.add_class(NAME, BackupClass.WEEKLY)
        finally:
            os._exit(sys.exc_info()[0] is not None)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_killed_between_any_two_steps(tmp_path: Path) -> None:
    """A dump under a final name is whole and has its manifest, wherever the process dies."""
    status, calls = -9, 0
    while status == -9:
        calls += 1
        storage = LocalStorage(tmp_path / f"run{calls}")
        storage.backup_dir.mkdir()
        status = publish_and_die(storage, calls)
        for backup in storage.listing().backups:
            manifest = storage.read_small(backup.location + MANIFEST_SUFFIX)
            assert manifest == manifest_of(NAME).to_json()
            assert Path(backup.location).read_bytes() == DUMP
        storage.remove_leftovers("app")
        assert storage.listing().leftovers == ()
        if not storage.path(NAME).exists():  # the next backup works
            publish(storage)
    assert status == 0
    assert calls > 8
    assert len(storage.listing().backups) == 2

"""A file of ours that has another name is read, and never written to: the other one is not ours."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.faults import bait

from pgconsole.backups import evidence
from pgconsole.durable import open_to_append
from pgconsole.locks import Holder, hold
from pgconsole.storage.files import storage_error
from pgconsole.untrusted import read_whole


def linked(path: Path, backups: Path) -> Path:
    """Make it a hard link to a file outside the backups, which is returned."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bait.THINGS["a hard link to a file outside"](path)
    return backups.with_name("outside") / "linked"


def lock(path: Path) -> None:
    with hold(path, Holder("ana", "backup", "2026-02-25T02:00:00+00:00", "host", 1)):
        pass


@pytest.mark.parametrize("write", [open_to_append, lock])
def test_it_is_read_and_not_written(write: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "backups" / "file"
    other = linked(path, path.parent)
    with pytest.raises(OSError, match="hard link") as caught:
        write(path)
    assert caught.value.errno == errno.EMLINK
    assert other.read_bytes() == read_whole(path) == bait.SECRET
    said = storage_error("The file can't be written", caught.value)
    assert (said.cause, bool(said.fix)) == ("it has another name, a hard link", True)


def test_no_proof_goes_elsewhere(make_settings: MakeSettings) -> None:
    settings = make_settings()
    other = linked(evidence.evidence_path(settings), settings.backup_dir)
    with pytest.raises(OSError, match="hard link"):
        evidence.record(settings)
    assert other.read_bytes() == bait.SECRET

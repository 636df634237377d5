"""Signals wait for the end of a block that must not be split."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder, files_in
from tests.conftest import MakeSettings

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import local_backups
from pgconsole.backups.interruption import uninterrupted
from pgconsole.demo.servers import PostgresServer
from pgconsole.errors import Cancelled


@pytest.fixture
def cancelling() -> Iterator[None]:
    """SIGTERM raises Cancelled, as in a job's runner."""

    def handler(*_: object) -> None:
        raise Cancelled

    before = signal.signal(signal.SIGTERM, handler)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("cancelling")
def test_a_signal_waits_until_the_end() -> None:
    steps = []

    def block() -> None:
        with uninterrupted():
            os.kill(os.getpid(), signal.SIGTERM)
            steps.append("whole")
        steps.append("after")

    with pytest.raises(Cancelled):
        block()
    assert steps == ["whole"]


@pytest.mark.usefixtures("cancelling")
def test_the_handler_is_the_old_one_afterwards() -> None:
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyError), uninterrupted():
        raise KeyError
    assert signal.getsignal(signal.SIGTERM) is handler


def test_ignored_signals_stay_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with uninterrupted():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_may_use_it() -> None:
    done = []

    def work() -> None:
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


@pytest.mark.usefixtures("cancelling")
def test_a_backup_that_is_being_published_gets_into_all_its_classes(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = make_settings(postgres16, database)
    real = os.link

    def link(source: Path, target: Path, **options: bool) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        real(source, target, **options)

    monkeypatch.setattr(os, "link", link)
    sunday_the_first = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)
    with pytest.raises(Cancelled):
        run_backup(settings, BackupRequest("alice", slot=sunday_the_first), Recorder())
    assert len(local_backups(settings).backups) == 3
    assert len(files_in(settings)) == 6

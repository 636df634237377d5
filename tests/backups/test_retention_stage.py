"""Retention as the last stage of a backup: after a good one only, and never at its expense."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tests.backups.helpers import Recorder, pg_dump_wrapper
from tests.backups.shelf import (
    guide_dump,
    local_names,
    look_at,
    look_at_all,
    name_of,
    put,
    put_s3,
    s3_names,
)
from tests.conftest import MakeSettings

from pgconsole.backups import pins
from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import s3_backups
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.naming import BackupName, parse_name
from pgconsole.errors import Cancelled, PartlyFailedError, ToolError
from pgconsole.report import Event, Level
from pgconsole.settings import Settings

ALICE = BackupRequest("alice", slot=datetime(2026, 2, 26, 2, 0, tzinfo=UTC))  # a Thursday
NEW = "20260226_020000"

Fill = Callable[[Settings], None]


@pytest.fixture
def fill(postgres16: PostgresServer, database: str, tmp_path) -> Fill:
    """Lays four verified backups of the last days into both places."""
    dump = guide_dump(postgres16, database, tmp_path)

    def fill(settings: Settings) -> None:
        for age in range(4):
            put(settings, name_of(age, database=database), dump)
            if settings.s3_enabled:
                put_s3(settings, name_of(age, database=database), dump)
        look_at_all(settings)
        if settings.s3_enabled:
            look_at(settings, *s3_backups(settings).backups)

    return fill


def ages(names: set[BackupName]) -> set[str]:
    """The days of these backups."""
    return {f"{name.taken_at:%Y%m%d}" for name in names}


ALL = {"20260225", "20260224", "20260223", "20260222"}


def test_after_a_good_backup_in_both_places(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    s3_variables: dict[str, str],
    fill: Fill,
    recorder: Recorder,
):
    settings = make_settings(
        postgres16, database, **s3_variables, RETENTION_DAILY="3", S3_RETENTION="true"
    )
    fill(settings)
    result = run_backup(settings, ALICE, recorder)
    # The new one is known to be good, so it takes a slot at once.
    assert ages(local_names(settings, database)) == {"20260226", "20260225", "20260224"}
    assert ages(s3_names(settings)) == {"20260226", "20260225", "20260224"}
    assert parse_name(result.name) in local_names(settings, database)
    phases = [event.phase for event in recorder.events]
    assert phases.index("retention") > max(
        number for number, phase in enumerate(phases) if phase in {"publish", "upload"}
    )
    assert not recorder.warnings()


def test_never_after_a_failed_backup(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    fill: Fill,
    recorder: Recorder,
    tmp_path,
    monkeypatch: pytest.MonkeyPatch,
):
    settings = make_settings(postgres16, database, RETENTION_DAILY="1")
    fill(settings)
    wrapper = pg_dump_wrapper(
        tmp_path / "bin", postgres16.bin_dir / "pg_dump", '"$REAL" "$@"; exit 7'
    )
    monkeypatch.setenv("PATH", str(wrapper), prepend=":")
    with pytest.raises(ToolError):
        run_backup(settings, ALICE, recorder)
    assert ages(local_names(settings, database)) == ALL
    assert "retention" not in {event.phase for event in recorder.events}


def test_never_in_s3_after_a_backup_that_did_not_get_there(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    s3_variables: dict[str, str],
    fill: Fill,
    recorder: Recorder,
):
    variables = {**s3_variables, "RETENTION_DAILY": "1", "S3_RETENTION": "true"}
    settings = make_settings(postgres16, database, **variables)
    fill(settings)
    # The store works, but an object of somebody else has the name: this backup can't get there.
    put_s3(settings, name_of(-1, database=database), b"in the way")
    with pytest.raises(PartlyFailedError):
        run_backup(settings, ALICE, recorder)
    assert ages(s3_names(settings)) == ALL | {"20260226"}
    assert ages(local_names(settings, database)) == {"20260226"}


def test_not_when_a_class_is_missing(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    fill: Fill,
    recorder: Recorder,
):
    settings = make_settings(postgres16, database, RETENTION_DAILY="1")
    fill(settings)
    sunday = BackupRequest("alice", slot=datetime(2026, 3, 8, 2, 0, tzinfo=UTC))
    in_the_way = f"weekly/{database}_weekly_20260308_020000.sql.gz.manifest.json"
    (settings.backup_dir / in_the_way).mkdir(parents=True)
    with pytest.raises(PartlyFailedError):
        run_backup(settings, sunday, recorder)
    assert ages(local_names(settings, database)) == ALL | {"20260308"}


def test_a_failure_is_a_warning_and_the_backup_is_good(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    fill: Fill,
    recorder: Recorder,
):
    settings = make_settings(postgres16, database, RETENTION_DAILY="1")
    fill(settings)
    pins.pins_path(settings).write_text("broken")
    result = run_backup(settings, ALICE, recorder)
    assert parse_name(result.name) in local_names(settings, database)
    assert ages(local_names(settings, database)) == ALL | {"20260226"}
    (warning,) = recorder.warnings()
    assert warning.startswith("the backup is good; not all old ones that should go were deleted")
    assert "pins.json" in warning


def test_a_cancel_that_comes_so_late_does_not_undo_a_good_backup(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, fill: Fill
):
    settings = make_settings(postgres16, database, RETENTION_DAILY="1")
    fill(settings)
    said = []

    def report(event: Event) -> None:
        if event.phase == "retention":
            said.append(event)
            if len(said) == 1:
                raise Cancelled

    result = run_backup(settings, ALICE, report)
    assert ages(local_names(settings, database)) == ALL | {"20260226"}
    assert NEW in result.name
    assert said[-1].level is Level.WARNING
    assert "cancelled before all old ones were deleted" in said[-1].message

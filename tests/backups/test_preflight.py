"""What stands in the way is found before anything is begun, all of it at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder, files_in
from tests.conftest import MakeSettings

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.demo.servers import PostgresServer, embedded_bin_dir, free_port
from pgconsole.errors import PreflightError
from pgconsole.postgres import tools

ALICE = BackupRequest(actor="alice")


def test_all_problems_in_one_report(make_settings: MakeSettings, recorder: Recorder) -> None:
    settings = make_settings(
        PGHOST="127.0.0.1", PGPORT=str(free_port()), BACKUP_DIR="/proc/backups"
    )
    with pytest.raises(PreflightError) as caught:
        run_backup(settings, ALICE, recorder)
    problems = caught.value.problems
    assert len(problems) == 2
    for words, problem in zip(("/proc/backups", "not reachable"), problems, strict=True):
        assert words in problem.problem
        assert problem.cause
        assert problem.fix
    assert "2 things stand in the way" in str(caught.value)


def test_wrong_password_leaves_nothing(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, recorder: Recorder
) -> None:
    settings = make_settings(postgres16, database, PGPASSWORD="wrong")
    with pytest.raises(PreflightError, match="password is wrong"):
        run_backup(settings, ALICE, recorder)
    assert files_in(settings) == []


def test_older_pg_dump_is_refused_before_it_runs(
    postgres18: PostgresServer,
    make_settings: MakeSettings,
    recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tools, "_PACKAGE_DIRECTORIES", ())
    monkeypatch.setenv("PATH", str(embedded_bin_dir(16)))
    settings = make_settings(postgres18)
    with pytest.raises(PreflightError, match="older than the server"):
        run_backup(settings, ALICE, recorder)
    assert "dump" not in {event.phase for event in recorder.events}
    assert files_in(settings) == []


def test_a_manifest_of_another_file_is_no_estimate(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, recorder: Recorder
) -> None:
    settings = make_settings(postgres16, database)
    path = Path(run_backup(settings, ALICE, recorder).paths[0])
    manifest = path.with_name(path.name + ".manifest.json")
    content = json.loads(manifest.read_bytes()) | {"compressed_bytes": 1 << 60}
    manifest.write_text(json.dumps(content))
    assert run_backup(settings, ALICE, recorder).paths


def test_read_only_directory(
    postgres16: PostgresServer,
    database: str,
    make_settings: MakeSettings,
    recorder: Recorder,
    tmp_path: Path,
) -> None:
    target = Path("/proc") if os.geteuid() == 0 else tmp_path / "closed"
    if os.geteuid() != 0:
        target.mkdir(mode=0o500)
    settings = make_settings(postgres16, database, BACKUP_DIR=str(target))
    with pytest.raises(PreflightError, match=f"BACKUP_DIR {target} can't be written to"):
        run_backup(settings, ALICE, recorder)

"""Verifying local backups: what is proven, what is recorded, and what is left alone."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder, files_in
from tests.backups.verifying import known, proofs, verify
from tests.conftest import MakeSettings
from tests.faults.running import ROOT
from tests.faults.supervisor import Plan
from tests.faults.test_flush import FAIL
from tests.guide import guide_backup

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import load_manifest, local_backups
from pgconsole.backups.evidence import Proof, evidence_path, read_evidence
from pgconsole.backups.locking import database_lock
from pgconsole.backups.verify import VerifyResult
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.manifest import parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass
from pgconsole.errors import Cancelled, ConfigurationError, VerifyError
from pgconsole.report import Event
from pgconsole.settings import Settings

SUNDAY_THE_FIRST = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    return make_settings(postgres16, database)


@pytest.fixture
def old(settings: Settings, postgres16: PostgresServer) -> Path:
    """A backup of the old scripts, in the class daily."""
    return guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, SUNDAY_THE_FIRST)


@pytest.fixture
def own(settings: Settings, recorder: Recorder) -> list[Path]:
    """A backup of ours that is in all classes, of which nothing is proven any more."""
    result = run_backup(settings, BackupRequest("alice", SUNDAY_THE_FIRST), recorder)
    evidence_path(settings).unlink()
    recorder.events.clear()
    return [Path(path) for path in result.paths]


class TestBackupsOfTheOldScripts:
    def test_are_proven_and_get_a_manifest(self, settings: Settings, old: Path, recorder: Recorder):
        before = old.read_bytes()
        result = verify(settings, old, report=recorder)
        (copy,) = result.copies
        assert (copy.location, copy.proof) == (str(old), Proof.COMPLETE)
        assert (copy.tables, copy.rows) == (2, 1000)
        (proof,) = known(settings).values()
        assert proof is not None
        assert result.evidence == (proof,)
        assert (proof.proof, proof.by, proof.job) == (Proof.COMPLETE, "bob", "job-7")
        assert proof.seconds == copy.seconds
        assert (datetime.now(UTC) - proof.at).total_seconds() < 60
        assert old.read_bytes() == before

        (backup,) = local_backups(settings).backups
        manifest = load_manifest(settings, backup)
        assert manifest is not None
        assert manifest.database == settings.pgdatabase
        assert manifest.classes == (BackupClass.DAILY,)
        assert manifest.taken_at == SUNDAY_THE_FIRST
        assert manifest.verified_at == proof.at
        assert manifest.sha256 == proof.sha256
        assert manifest.server_version.startswith("16.")
        assert (manifest.host, manifest.actor, manifest.server_host) == ("", "", "")
        assert {table.table: table.rows for table in manifest.tables} == {"users": 1000, "empty": 0}
        assert (old.parent / f"{old.name}{MANIFEST_SUFFIX}").stat().st_mode & 0o077 == 0

    def test_are_held_against_that_manifest_from_then_on(
        self, settings: Settings, old: Path, recorder: Recorder
    ):
        verify(settings, old, report=recorder)
        data = bytearray(old.read_bytes())
        data[9] ^= 1  # the system that wrote it: no checksum of gzip covers that
        old.write_bytes(data)
        subprocess.run(["gzip", "-t", old], check=True)
        with pytest.raises(VerifyError, match="SHA-256"):
            verify(settings, old, report=recorder)
        assert proofs(settings) == [Proof.DAMAGED]

    def test_keep_their_proof_where_no_manifest_can_be_written(
        self, settings: Settings, old: Path, recorder: Recorder
    ):
        in_its_place = old.parent / f"{old.name}{MANIFEST_SUFFIX}"

        def report(event: Event) -> None:
            recorder(event)
            if event.message.startswith("complete"):
                in_its_place.mkdir()

        verify(settings, old, report=report)
        assert proofs(settings) == [Proof.COMPLETE]
        assert "can't be written" in recorder.warnings()[0]
        assert set(old.parent.iterdir()) == {old, in_its_place}

    def test_that_are_hard_links_get_a_manifest_each(
        self, settings: Settings, old: Path, recorder: Recorder
    ):
        weekly = settings.backup_dir / "weekly" / old.name.replace("_daily_", "_weekly_")
        weekly.parent.mkdir()
        weekly.hardlink_to(old)
        verify(settings, weekly, report=recorder)
        manifests = {load_manifest(settings, backup) for backup in local_backups(settings).backups}
        (manifest,) = manifests
        assert manifest is not None
        assert manifest.classes == (BackupClass.DAILY, BackupClass.WEEKLY)


class TestManifests:
    @pytest.fixture
    def manifest(self, own: list[Path]) -> Path:
        for path in own[1:]:
            path.unlink()
        return own[0].with_name(own[0].name + MANIFEST_SUFFIX)

    @pytest.mark.parametrize("content", [b"", b"\x00" * 100, b'{"format": "pgconsole-manifest"}'])
    def test_one_that_is_none_is_replaced(
        self,
        settings: Settings,
        own: list[Path],
        manifest: Path,
        recorder: Recorder,
        content: bytes,
    ):
        manifest.write_bytes(content)
        verify(settings, own[0], report=recorder)
        assert proofs(settings) == [Proof.COMPLETE]
        assert "checked without it" in recorder.warnings()[0]
        new = parse_manifest(manifest.read_bytes(), "")
        assert any(section.members for section in new.sections)  # the index is found again
        recorder.events.clear()
        verify(settings, own[0], report=recorder)
        assert not recorder.warnings()

    def test_one_of_a_later_version_is_left_alone(
        self, settings: Settings, own: list[Path], manifest: Path, recorder: Recorder
    ):
        content = manifest.read_bytes().replace(b'"version":1', b'"version":2')
        manifest.write_bytes(content)
        verify(settings, own[0], report=recorder)
        assert proofs(settings) == [Proof.COMPLETE]
        assert "version 2" in recorder.warnings()[0]
        assert manifest.read_bytes() == content

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"sha256": "0" * 64}, "SHA-256 of the file is"),
            ({"raw_bytes": 7}, "uncompressed size"),
            ({"compressed_bytes": 7}, "instead of 7"),
        ],
        ids=str,
    )
    def test_one_that_contradicts_its_file_makes_it_damaged(
        self,
        settings: Settings,
        own: list[Path],
        manifest: Path,
        recorder: Recorder,
        change: dict[str, object],
        says: str,
    ):
        wrong = parse_manifest(manifest.read_bytes(), "").model_copy(update=change).to_json()
        manifest.unlink()
        manifest.write_bytes(wrong)
        with pytest.raises(VerifyError, match=says) as caught:
            verify(settings, own[0], report=recorder)
        assert "remove the manifest" in caught.value.fix
        assert proofs(settings) == [Proof.DAMAGED]
        assert manifest.read_bytes() == wrong
        manifest.unlink()  # as it says
        verify(settings, own[0], report=recorder)
        assert proofs(settings) == [Proof.COMPLETE]


class TestManyCopies:
    def test_all_are_tried_and_every_bad_one_is_named(
        self, settings: Settings, postgres16: PostgresServer, recorder: Recorder
    ):
        paths = [
            guide_backup(
                postgres16, settings.pgdatabase, settings.backup_dir,
                SUNDAY_THE_FIRST.replace(hour=hour),
            )
            for hour in range(4)
        ]  # fmt: skip
        paths[0].write_bytes(paths[0].read_bytes()[:-9])
        paths[1].write_bytes(b"")
        gone = paths[2].rename(paths[2].with_suffix(".moved"))
        with pytest.raises(VerifyError) as caught:
            verify(settings, *paths, report=recorder)
        error = caught.value
        assert [problem.problem for problem in error.problems] == [
            f"{paths[0]} is damaged",
            f"{paths[1]} is damaged",
            f"{paths[2]} could not be verified",
        ]
        assert all(str(path) in error.problem for path in paths[:3])
        assert error.exit_code == 1
        assert "it has no end" in error.problems[0].cause
        assert "ends at byte 0" in error.problems[1].cause
        assert isinstance(error.result, VerifyResult)
        assert [copy.proof for copy in error.result.copies] == [
            Proof.DAMAGED, Proof.DAMAGED, None, Proof.COMPLETE,
        ]  # fmt: skip
        assert gone.exists()
        by_path = known(settings)
        assert by_path.keys() == {f"daily/{path.name}" for path in (paths[0], paths[1], paths[3])}
        damaged = by_path[f"daily/{paths[0].name}"]
        assert damaged is not None
        assert "it has no end" in damaged.problem

    def test_progress_is_over_all_of_them(
        self, settings: Settings, postgres16: PostgresServer, recorder: Recorder
    ):
        paths = [
            guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, at)
            for at in (SUNDAY_THE_FIRST, SUNDAY_THE_FIRST.replace(hour=3))
        ]
        verify(settings, *paths, report=recorder)
        total = sum(path.stat().st_size for path in paths)
        moved = [event for event in recorder.events if event.bytes_done is not None]
        assert {event.phase for event in recorder.events} == {"verify"}
        assert {event.bytes_expected for event in moved} == {total}
        done = [event.bytes_done or 0 for event in moved]
        assert done == sorted(done)
        assert done[-1] == total

    def test_a_verify_that_is_cancelled_keeps_what_it_found_out(
        self, settings: Settings, postgres16: PostgresServer
    ):
        paths = [
            guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, at)
            for at in (SUNDAY_THE_FIRST, SUNDAY_THE_FIRST.replace(hour=3))
        ]

        def report(event: Event) -> None:
            if f"checking {paths[1]}" in event.message:
                raise Cancelled

        with pytest.raises(Cancelled):
            verify(settings, *paths, report=report)
        assert {path: proof is not None for path, proof in known(settings).items()} == {
            f"daily/{paths[0].name}": True,
            f"daily/{paths[1].name}": False,
        }

    def test_nothing_to_verify_is_an_error(self, settings: Settings, recorder: Recorder):
        with pytest.raises(ConfigurationError, match="nothing to verify"):
            verify(settings, report=recorder)


class TestWhatHappensMeanwhile:
    def test_a_backup_that_runs(self, settings: Settings, old: Path, recorder: Recorder):
        with database_lock(settings, settings.pgdatabase, what="backup", actor="a", job=""):
            verify(settings, old, report=recorder)
        assert proofs(settings) == [Proof.COMPLETE]
        assert not recorder.warnings()

    @pytest.mark.parametrize("how", ["written to", "replaced", "deleted"])
    def test_a_copy_that_changes_while_it_is_read_is_not_proven(
        self, settings: Settings, old: Path, how: str, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("pgconsole.dumps.integrity._PROGRESS_EVERY", 0.0)
        acted: list[Event] = []

        def report(event: Event) -> None:
            if not event.bytes_done or acted:
                return
            acted.append(event)
            if how == "written to":
                with old.open("ab") as file:
                    file.write(b"!")
            elif how == "replaced":  # by the same again
                old.with_name("new").write_bytes(old.read_bytes())
                old.with_name("new").rename(old)
            else:
                old.unlink()

        with pytest.raises(
            VerifyError, match="deleted" if how == "deleted" else "changed"
        ) as caught:
            verify(settings, old, report=report)
        result = caught.value.result
        assert isinstance(result, VerifyResult)
        assert [copy.proof for copy in result.copies] == [None]
        assert result.evidence == ()
        assert read_evidence(settings) == {}
        assert not any(MANIFEST_SUFFIX in name for name in files_in(settings))

    def test_a_copy_that_is_deleted_gets_no_manifest(
        self, settings: Settings, old: Path, recorder: Recorder
    ):
        def report(event: Event) -> None:
            recorder(event)
            if event.message.startswith("complete"):
                old.unlink()

        verify(settings, old, report=report)
        assert files_in(settings) == []


class TestFilesElsewhere:
    """A safety backup, a download, a file on another disk."""

    def test_are_verified_and_nothing_is_kept(
        self, settings: Settings, old: Path, tmp_path: Path, recorder: Recorder
    ):
        elsewhere = old.rename(tmp_path / "some.sql.gz")
        result = verify(settings, elsewhere, report=recorder)
        assert [(copy.proof, copy.rows) for copy in result.copies] == [(Proof.COMPLETE, 1000)]
        assert result.evidence == ()
        assert read_evidence(settings) == {}
        assert not list(tmp_path.glob(f"*{MANIFEST_SUFFIX}"))

    def test_are_held_against_a_manifest_that_lies_beside(
        self, settings: Settings, own: list[Path], tmp_path: Path, recorder: Recorder
    ):
        target = tmp_path / "pre_restore_20260201_020000.sql.gz"
        own[0].rename(target)
        manifest = own[0].with_name(own[0].name + MANIFEST_SUFFIX)
        beside = manifest.rename(f"{target}{MANIFEST_SUFFIX}")
        verify(settings, target, report=recorder)
        data = bytearray(target.read_bytes())
        data[4] ^= 1  # a time stamp in the first member
        target.write_bytes(data)
        with pytest.raises(VerifyError, match="SHA-256"):
            verify(settings, target, report=recorder)
        beside.unlink()
        verify(settings, target, report=recorder)  # the dump itself is what it was

    def test_that_are_symbolic_links_are_not_followed(
        self, settings: Settings, old: Path, tmp_path: Path, recorder: Recorder
    ):
        link = tmp_path / "link.sql.gz"
        link.symlink_to(old)
        with pytest.raises(VerifyError, match="symbolic link"):
            verify(settings, link, report=recorder)


READ = """
import sys
from pathlib import Path
from pgconsole.backups.verify import VerifyRequest, run_verify
from pgconsole.errors import VerifyError
from pgconsole.settings import Settings

settings = Settings.model_validate({"BACKUP_DIR": sys.argv[2]})
fail(sys.argv[1])
try:
    run_verify(settings, VerifyRequest((sys.argv[3],), (), "bob"), lambda _: None)
except VerifyError as error:
    print(error)
"""


def test_a_file_that_the_disk_has_lost_is_damaged(settings: Settings, old: Path, tmp_path: Path):
    plan = Plan(str(tmp_path / "calls"), calls=("pread64",), at=1, error=errno.EIO, lasting=True)
    found = subprocess.run(
        [sys.executable, "-c", FAIL + READ, plan.to_json(), settings.backup_dir, old],
        capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert "the disk reported a fault" in found.stdout, found.stderr
    assert proofs(settings) == [Proof.DAMAGED]

"""Whom a proof is about: all names of a file, whoever has read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder
from tests.backups.verifying import known, proofs, verify
from tests.conftest import MakeSettings

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.evidence import Proof, evidence_path, read_evidence
from pgconsole.backups.upload import UploadRequest, run_upload
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.manifest import parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import DamagedError, VerifyError
from pgconsole.settings import Settings

SUNDAY_THE_FIRST = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    return make_settings(postgres16, database)


@pytest.fixture
def own(settings: Settings, recorder: Recorder) -> list[Path]:
    """A backup of ours that is in all classes, of which nothing is proven any more."""
    result = run_backup(settings, BackupRequest("alice", SUNDAY_THE_FIRST), recorder)
    evidence_path(settings).unlink()
    recorder.events.clear()
    return [Path(path) for path in result.paths]


class TestHardLinks:
    def test_are_read_once_and_proven_together(
        self, settings: Settings, own: list[Path], recorder: Recorder
    ):
        result = verify(settings, own[1], own[0], report=recorder)
        assert [copy.location for copy in result.copies] == [str(own[1]), str(own[0])]
        assert recorder.text.count("checking") == 1
        assert recorder.events[-1].bytes_expected in (None, own[0].stat().st_size)
        assert proofs(settings) == [Proof.COMPLETE] * 3
        assert len(result.evidence) == 3

    def test_are_damaged_together(self, settings: Settings, own: list[Path], recorder: Recorder):
        with own[0].open("r+b") as file:
            file.truncate(100)
        with pytest.raises(VerifyError) as caught:
            verify(settings, *own, report=recorder)
        assert len(caught.value.problems) == 1
        assert proofs(settings) == [Proof.DAMAGED] * 3

    def test_whose_manifests_differ_stand_for_themselves(
        self, settings: Settings, own: list[Path], recorder: Recorder
    ):
        manifest = own[1].with_name(own[1].name + MANIFEST_SUFFIX)
        other = parse_manifest(manifest.read_bytes(), "").model_copy(update={"sha256": "0" * 64})
        manifest.unlink()  # it is a hard link too
        manifest.write_bytes(other.to_json())
        with pytest.raises(VerifyError) as caught:
            verify(settings, *own, report=recorder)
        (problem,) = caught.value.problems
        assert problem.problem == f"{own[1]} is damaged"
        assert {
            path.split("/")[0]: proof and proof.proof for path, proof in known(settings).items()
        } == {"daily": Proof.COMPLETE, "weekly": Proof.DAMAGED, "monthly": Proof.COMPLETE}


class TestOtherOperations:
    def test_a_backup_is_complete_in_all_its_classes(self, settings: Settings, recorder: Recorder):
        result = run_backup(settings, BackupRequest("alice", SUNDAY_THE_FIRST, "job-1"), recorder)
        found = known(settings)
        assert len(found) == 3
        for proof in found.values():
            assert proof is not None
            assert (proof.proof, proof.by, proof.job) == (Proof.COMPLETE, "alice", "job-1")
            assert proof.sha256 == result.sha256
            assert proof.at == result.finished_at
            assert proof.seconds > 0

    def test_a_backup_is_no_worse_where_evidence_cannot_be_written(
        self, settings: Settings, recorder: Recorder
    ):
        evidence_path(settings).mkdir(parents=True)
        result = run_backup(settings, BackupRequest("alice", SUNDAY_THE_FIRST), recorder)
        assert all(Path(path).exists() for path in result.paths)
        assert any("what was proven can't be written" in text for text in recorder.warnings())

    def test_a_class_that_is_made_up_has_the_proof_of_its_file(
        self, settings: Settings, recorder: Recorder
    ):
        result = run_backup(settings, BackupRequest("alice", SUNDAY_THE_FIRST, "job-1"), recorder)
        weekly = Path(result.paths[1])
        weekly.unlink()  # as if its process had been killed before it made this link
        weekly.with_name(weekly.name + MANIFEST_SUFFIX).unlink()
        evidence = evidence_path(settings)
        lines = [line for line in evidence.read_bytes().splitlines() if b"weekly" not in line]
        evidence.write_bytes(b"\n".join(lines))
        tuesday = SUNDAY_THE_FIRST + timedelta(days=2)
        run_backup(settings, BackupRequest("alice", tuesday, "job-2"), recorder)
        assert weekly.samefile(result.paths[0])
        found = known(settings)
        proof = found[f"weekly/{weekly.name}"]
        assert proof is not None
        assert (proof.proof, proof.job) == (Proof.COMPLETE, "job-1")

    @pytest.mark.usefixtures("s3_bucket")
    def test_an_upload_proves_the_local_copy_alone(
        self,
        settings: Settings,
        own: list[Path],
        s3_variables: dict[str, str],
        make_settings: MakeSettings,
        recorder: Recorder,
    ):
        with_s3 = make_settings(None, settings.pgdatabase, **s3_variables)
        run_upload(with_s3, UploadRequest(own[0].name, "carol", "job-2"), recorder)
        found = known(settings)
        assert {proof and (proof.proof, proof.by, proof.job) for proof in found.values()} == {
            (Proof.COMPLETE, "carol", "job-2")
        }
        assert all(copy.startswith("local:") for copy in read_evidence(settings))

        own[0].write_bytes(own[0].read_bytes()[:-1])
        with pytest.raises(DamagedError):
            run_upload(with_s3, UploadRequest(own[0].name, "carol"), recorder)
        assert set(proofs(settings)) == {Proof.DAMAGED}

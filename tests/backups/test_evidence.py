"""What was proven of copies, over years and from several processes at once."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.backups.helpers import Recorder
from tests.conftest import MakeSettings

from pgconsole import durable
from pgconsole.backups import evidence_history
from pgconsole.backups.evidence import (
    Evidence,
    Proof,
    copy_id,
    evidence_path,
    last_look,
    latest,
    line_of,
    note,
    read_evidence,
    record,
)
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.storage.local import LocalStorage

AT = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(database="app", S3_BACKUP_BUCKET="bucket")


@pytest.fixture
def backup(settings: Settings) -> StoredBackup:
    return lie_there(settings, AT)


def lie_there(settings: Settings, taken_at: datetime) -> StoredBackup:
    """A file under a backup's name."""
    name = BackupName("app", taken_at, BackupClass.DAILY)
    path = settings.backup_dir / name.relative_path
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"a dump")
    found = LocalStorage(settings.backup_dir).find(name)
    assert found is not None
    return found


def proof_of(settings: Settings, backup: StoredBackup, **changed: object) -> Evidence:
    fields = {
        "copy": copy_id(settings, backup), "proof": Proof.COMPLETE, "at": AT, "by": "alice",
        "seconds": 1.5, "size": backup.size, "modified": backup.modified, "sha256": "ab" * 32,
    }  # fmt: skip
    return Evidence(**fields | changed)  # type: ignore[arg-type]


def test_what_was_recorded_is_read(settings: Settings, backup: StoredBackup):
    first = proof_of(settings, backup)
    second = proof_of(
        settings, backup, proof=Proof.DAMAGED, problem="at byte 7 [it] is\nbad", job="j"
    )
    assert read_evidence(settings) == {}
    record(settings, first)
    record(settings, second)
    found = read_evidence(settings)
    assert found == {"local:daily/app_daily_20260225_020000.sql.gz": [first, second]}
    assert latest(found, settings, backup) == second
    assert evidence_path(settings).stat().st_mode & 0o077 == 0


def test_copies_in_different_places_have_evidence_of_their_own(
    settings: Settings, backup: StoredBackup
):
    in_s3 = replace(backup, place=Place.S3, location=f"backups/{backup.name.relative_path}")
    record(settings, proof_of(settings, backup))
    assert latest(read_evidence(settings), settings, in_s3) is None
    record(settings, proof_of(settings, in_s3, proof=Proof.DAMAGED))
    found = read_evidence(settings)
    assert found.keys() == {copy_id(settings, backup), f"s3://bucket/{in_s3.location}"}
    assert getattr(latest(found, settings, backup), "proof", None) is Proof.COMPLETE
    other_bucket = settings.model_copy(update={"s3_bucket": "other"})
    assert latest(found, other_bucket, in_s3) is None


@pytest.mark.parametrize("how", ["written to", "touched", "replaced"])
def test_evidence_about_a_copy_that_changed_does_not_count(
    settings: Settings, backup: StoredBackup, how: str
):
    record(settings, proof_of(settings, backup))
    path = Path(backup.location)
    if how == "written to":
        with path.open("ab") as file:
            file.write(b"!")
        os.utime(path, ns=(0, int(backup.modified.timestamp() * 1e9)))
    elif how == "touched":
        os.utime(path)
    else:
        path.rename(path.with_name("other"))
        path.write_bytes(b"b dump")
    now = LocalStorage(settings.backup_dir).find(backup.name)
    assert now is not None
    assert latest(read_evidence(settings), settings, now) is None


def test_an_older_proof_counts_again_if_the_copy_is_as_it_was(
    settings: Settings, backup: StoredBackup
):
    good = proof_of(settings, backup)
    record(settings, good, proof_of(settings, backup, size=7, proof=Proof.DAMAGED))
    assert latest(read_evidence(settings), settings, backup) == good


_LATER = timedelta(hours=1)


@pytest.mark.parametrize(
    ("found", "counts"),
    [
        ("restored complete", 0),
        ("complete restored complete complete", 1),
        ("restored complete restored complete", 2),
        ("restored damaged", 1),
        ("restored complete damaged", 2),
        ("restored damaged complete", 2),
        ("damaged restored complete", 1),
        ("damaged complete", 1),
    ],
)
def test_once_restored_a_copy_stays_that_until_it_is_damaged(
    settings: Settings, backup: StoredBackup, found: str, counts: int
):
    """Looking at it again takes nothing away, and when that was is known as well."""
    proofs = [
        proof_of(settings, backup, proof=Proof(word), at=AT + number * _LATER)
        for number, word in enumerate(found.split())
    ]
    record(settings, *proofs)
    kept = read_evidence(settings)
    assert latest(kept, settings, backup) == proofs[counts]
    assert last_look(kept, settings, backup) == proofs[-1]


def test_what_was_restored_before_a_copy_changed_does_not_count(
    settings: Settings, backup: StoredBackup
):
    before = proof_of(settings, backup, proof=Proof.RESTORED, size=7)
    now = proof_of(settings, backup)
    record(settings, before, now)
    assert latest(read_evidence(settings), settings, backup) == now


def _like(copy: str, proof: str) -> bytes:
    at = "2026-02-25T02:00:00+00:00"
    return (
        f'\n{{"copy":{copy},"proof":"{proof}","at":"{at}","by":"x","seconds":1,"size":1,'
        f'"modified":"{at}"}}\n'
    ).encode()


LINES = {
    "half a line": b'\n{"copy":"local:daily/x","proof":"complete","at":"2026-0',
    "no JSON": b"\n\x00\xff\xfe garbage\n",
    "another type": b"\n[1, 2]\n7\nnull\n",
    "a proof of a later version": _like('"a"', "blessed"),
    "a copy that is no text": _like('["a"]', "complete"),
    "a time of no zone": _like('"a"', "complete").replace(b"+00:00", b""),
    "deep": b"\n" + b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize("garbage", LINES.values(), ids=LINES)
def test_garbage_spoils_nothing(settings: Settings, backup: StoredBackup, garbage: bytes):
    first, second = proof_of(settings, backup), proof_of(settings, backup, by="bob")
    record(settings, first)
    with evidence_path(settings).open("ab") as file:
        file.write(garbage)
    record(settings, second)
    assert read_evidence(settings) == {first.copy: [first, second]}


def test_what_a_later_version_adds_is_passed_over(settings: Settings, backup: StoredBackup):
    proof = proof_of(settings, backup)
    record(settings, proof)
    path = evidence_path(settings)
    path.write_bytes(path.read_bytes().replace(b'"by":', b'"colour":"green","by":'))
    assert read_evidence(settings) == {proof.copy: [proof]}


def test_evidence_that_cannot_be_written_is_told(
    settings: Settings, backup: StoredBackup, recorder: Recorder
):
    evidence_path(settings).mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        record(settings, proof_of(settings, backup))
    note(settings, recorder, proof_of(settings, backup))
    assert "can't be written" in recorder.warnings()[0]
    note(settings, recorder)
    assert len(recorder.warnings()) == 1


class TestYears:
    """60,000 proofs, as verifying 20 backups every hour makes in four months."""

    LINES = 60_000
    COPIES = 20
    GONE = 500  # backups that were deleted in that time

    @pytest.fixture
    def alive(self, settings: Settings) -> list[StoredBackup]:
        return [lie_there(settings, AT + timedelta(days=day)) for day in range(self.COPIES)]

    def lines(self, settings: Settings, alive: list[StoredBackup]) -> Iterator[bytes]:
        """Each backup lives for a while; the last ones are there."""
        first = AT - timedelta(days=self.GONE)
        copies = [
            copy_id(settings, alive[0]).replace(f"{AT:%Y%m%d}", f"{first + timedelta(day):%Y%m%d}")
            for day in range(self.GONE + self.COPIES)
        ]
        assert copies[-1] == copy_id(settings, alive[-1])
        line = line_of(proof_of(settings, alive[0], copy="COPY", at=AT))
        rounds = self.LINES // self.COPIES
        for turn in range(rounds):
            begin = turn * self.GONE // (rounds - 1)
            at = (AT + timedelta(hours=turn)).isoformat()
            for copy in copies[begin : begin + self.COPIES]:
                yield line.replace(b"COPY", copy.encode()).replace(
                    AT.isoformat().encode(), at.encode(), 1
                )

    def test_the_file_stays_short(self, settings: Settings, alive: list[StoredBackup]):
        lines = list(self.lines(settings, alive))
        path = evidence_path(settings)
        path.parent.mkdir()
        largest = 0
        size = 500  # as if so many were recorded at once
        for start in range(0, len(lines), size):
            path.touch()
            before = path.stat().st_size
            with path.open("ab") as file:
                file.write(b"".join(lines[start : start + size]))
            evidence_history.tidy(settings, path, before, path.stat().st_size)
            largest = max(largest, path.stat().st_size)
        assert largest < 2 << 20
        found = read_evidence(settings)
        last = AT + timedelta(hours=self.LINES // self.COPIES - 1)
        for copy in alive:
            assert found[copy_id(settings, copy)][-1].at == last

    def test_what_matters_is_kept(self, settings: Settings, alive: list[StoredBackup]):
        copy = alive[0]
        in_s3 = replace(copy, place=Place.S3, location=f"backups/{copy.name.relative_path}")
        gone = replace(copy, name=replace(copy.name, taken_at=AT - timedelta(days=9)))
        other_volume = replace(copy, name=copy.name.in_class(BackupClass.WEEKLY))
        (settings.backup_dir / "weekly").mkdir()  # its volume is not mounted
        history = [Proof.RESTORED, Proof.DAMAGED, *[Proof.COMPLETE] * 30]
        proofs = {
            copy_id(settings, one): [
                proof_of(settings, one, proof=proof, at=AT + timedelta(hours=hour))
                for hour, proof in enumerate(history)
            ]
            for one in (copy, in_s3, gone, other_volume)
        }
        kept = evidence_history.needed(settings, proofs)
        for one in (copy, in_s3, other_volume):
            mine = [proof for proof in kept if proof.copy == copy_id(settings, one)]
            wanted = proofs[copy_id(settings, one)]
            assert mine == [*wanted[:2], *wanted[-8:]]
        assert copy_id(settings, gone) not in {proof.copy for proof in kept}

    def test_a_clock_that_was_set_back_does_not_bring_an_older_proof_to_the_front(
        self, settings: Settings, alive: list[StoredBackup]
    ):
        copy, path = alive[0], evidence_path(settings)
        good = proof_of(settings, copy, at=AT + timedelta(days=365))  # the clock ran ahead
        bad = proof_of(settings, copy, at=AT, proof=Proof.DAMAGED)
        record(settings, good)
        record(settings, bad)
        evidence_history.tidy(settings, path, 0, 5 << 20)
        assert latest(read_evidence(settings), settings, copy) == bad

    def test_copies_in_s3_do_not_pile_up(
        self, settings: Settings, alive: list[StoredBackup], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr(evidence_history, "_MOST_REMOTE", 3)
        proofs = {
            name: [proof_of(settings, alive[0], copy=name, at=AT + timedelta(days=day))]
            for day, name in enumerate(f"s3://bucket/{number}" for number in range(9))
        }
        kept = evidence_history.needed(settings, proofs)
        assert [one.copy for one in kept] == [f"s3://bucket/{number}" for number in (6, 7, 8)]

    def test_a_full_disk_does_not_cost_a_proof(self, settings: Settings, alive: list[StoredBackup]):
        path = evidence_path(settings)
        record(settings, proof_of(settings, alive[0]))
        content = path.read_bytes()
        (path.parent / f"{path.name}.new").mkdir()  # the rewriting fails
        evidence_history.tidy(settings, path, 0, 5 << 20)
        assert path.read_bytes() == content


def _append(settings: Settings, backup: StoredBackup, writer: int, count: int) -> None:
    for number in range(count):
        evidence_history._STEP = 300  # every few proofs somebody rewrites the file
        record(settings, proof_of(settings, backup, copy=f"s3://{writer}/{number}"))


def test_nobody_loses_a_proof_while_others_rewrite_the_file(
    settings: Settings, backup: StoredBackup
):
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=_append, args=(settings, backup, writer, 50)) for writer in range(4)
    ]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    assert [process.exitcode for process in writers] == [0] * 4
    wanted = {f"s3://{writer}/{number}" for writer in range(4) for number in range(50)}
    assert read_evidence(settings).keys() == wanted


def test_the_file_is_rewritten_just_after_it_was_opened_to_append(
    settings: Settings, backup: StoredBackup, monkeypatch: pytest.MonkeyPatch
):
    record(settings, proof_of(settings, backup, by="alice"))
    open_to_append = durable.open_to_append
    rewritten: list[Path] = []

    def interrupted(path: Path) -> int:
        fd = open_to_append(path)
        if not rewritten:
            rewritten.append(path)
            durable.replace(path, path.read_bytes())
        return fd

    monkeypatch.setattr(durable, "open_to_append", interrupted)
    record(settings, proof_of(settings, backup, by="bob"))
    assert rewritten
    (proofs,) = read_evidence(settings).values()
    assert [proof.by for proof in proofs] == ["alice", "bob"]


def test_a_rewriter_that_stands_still_does_not_hold_a_backup_up(
    settings: Settings, backup: StoredBackup, monkeypatch: pytest.MonkeyPatch
):
    import fcntl

    monkeypatch.setattr(evidence_history, "_PATIENCE", 0.1)
    record(settings, proof_of(settings, backup))
    with evidence_path(settings).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(OSError, match="being rewritten"):
            record(settings, proof_of(settings, backup))

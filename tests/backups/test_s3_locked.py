"""Versions and locks in S3: what can't be deleted stays in sight, what is hidden is called so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.backups.helpers import Recorder
from tests.backups.shelf import look_at, name_of, put_s3, s3_names
from tests.cli.program import run
from tests.conftest import MakeSettings
from tests.moto_server import MotoServer
from tests.wal.conftest import Segments

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import s3_backups
from pgconsole.backups.delete import DeleteRequest, confirm_delete, find_copies, run_delete
from pgconsole.backups.locked import HIDES
from pgconsole.backups.opened import find_backup, open_backup
from pgconsole.backups.prune import PruneRequest, make_plan, run_prune
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.errors import RefusedError, StorageError
from pgconsole.settings import Settings
from pgconsole.storage.base import Place
from pgconsole.storage.s3 import S3Storage
from pgconsole.wal.push_s3 import push_s3
from pgconsole.widgets.inside_text import State, notice
from pgconsole.widgets.known import Known

pytestmark = pytest.mark.slow  # see `make test-slow`

ALICE = PruneRequest("alice")
TOMORROW = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)


class Bucket:
    """A bucket of one test's own.

    Attributes:
        moto: Where it is.
        name: Its name.
        settings: Keep one backup of each class, in S3 too.
    """

    def __init__(self, moto: MotoServer, name: str, settings: Settings) -> None:
        self.moto = moto
        self.name = name
        self.settings = settings

    def fill(self, dump: bytes, count: int = 4) -> list[str]:
        """So many daily backups that are known to be good; the newest first."""
        stored = [put_s3(self.settings, name_of(age), dump) for age in range(count)]
        look_at(self.settings, *s3_backups(self.settings).backups)
        return stored

    def lock(self, key: str, mode: str = "COMPLIANCE", until: datetime = TOMORROW) -> None:
        """Lock one object."""
        retention: Any = {"Mode": mode, "RetainUntilDate": until}
        self.moto.client.put_object_retention(Bucket=self.name, Key=key, Retention=retention)

    @property
    def versions(self) -> dict[str, int]:
        """How many versions of each key the bucket has, delete markers left out."""
        found: dict[str, int] = {}
        for version in self.moto.client.list_object_versions(Bucket=self.name)["Versions"]:
            found[version["Key"]] = found.get(version["Key"], 0) + 1
        return found


def make_bucket(moto: MotoServer, make_settings: MakeSettings, name: str, **kind: bool) -> Bucket:
    moto.make_bucket(name, **kind)
    variables = moto.environment(name) | {"S3_RETENTION": "true", "RETENTION_DAILY": "1"}
    return Bucket(moto, name, make_settings(database="app", **variables))


@pytest.fixture
def versioned(
    moto: MotoServer, make_settings: MakeSettings, request: pytest.FixtureRequest
) -> Bucket:
    """A bucket that keeps versions, without locks."""
    return make_bucket(
        moto, make_settings, f"versioned-{abs(hash(request.node.name))}", versions=True
    )


@pytest.fixture
def locking(
    moto: MotoServer, make_settings: MakeSettings, request: pytest.FixtureRequest
) -> Bucket:
    """A bucket in which objects can be locked."""
    return make_bucket(moto, make_settings, f"locking-{abs(hash(request.node.name))}", locks=True)


def test_a_versioned_bucket_hides_and_says_so(
    versioned: Bucket, old_dump: bytes, recorder: Recorder
):
    _, *old = versioned.fill(old_dump)
    made = make_plan(versioned.settings, Place.S3)
    assert [(entry.location, entry.hides) for entry in made.delete] == [(key, True) for key in old]
    assert all(HIDES in entry.reason for entry in made.delete)
    assert made.freed == 0
    result = run_prune(versioned.settings, ALICE, recorder)
    assert (result.deleted, result.hidden, result.bytes_freed) == ((), tuple(old), 0)
    assert s3_names(versioned.settings) == {name_of(0)}
    assert set(versioned.versions) >= set(old)
    assert f"hidden, not deleted: {old[0]}" in recorder.text
    assert f"to hide: {old[0]}" in recorder.text
    assert not any(line.startswith("deleted") for line in recorder.text.splitlines())


@pytest.mark.parametrize("mode", ["COMPLIANCE", "GOVERNANCE"])
def test_a_locked_object_stays_in_sight(
    locking: Bucket, old_dump: bytes, recorder: Recorder, mode: str
):
    _, free, locked, _ = locking.fill(old_dump)
    locking.lock(locked, mode)
    made = make_plan(locking.settings, Place.S3)
    (kept,) = (entry for entry in made.keep if entry.location == locked)
    assert kept.reason.startswith(f"locked until {TOMORROW:%Y-%m-%d %H:%M} UTC ({mode}); older")
    result = run_prune(locking.settings, ALICE, recorder)
    assert locked not in result.deleted + result.hidden
    assert free in result.hidden
    assert s3_names(locking.settings) == {name_of(0), name_of(2)}
    assert S3Storage(locking.settings).read_small(locked) == old_dump


def test_a_legal_hold_counts_and_a_lock_that_has_ended_does_not(
    locking: Bucket, old_dump: bytes, recorder: Recorder
):
    _, held, ended, _ = locking.fill(old_dump)
    locking.moto.client.put_object_legal_hold(
        Bucket=locking.name, Key=held, LegalHold={"Status": "ON"}
    )
    locking.lock(ended, until=datetime.now(UTC) - timedelta(seconds=1))
    result = run_prune(locking.settings, ALICE, recorder)
    assert ended in result.hidden
    assert s3_names(locking.settings) == {name_of(0), name_of(1)}


def test_a_lock_that_came_after_the_plan(locking: Bucket, old_dump: bytes):
    """Storage itself refuses: in this bucket a deletion would always succeed."""
    _, old = locking.fill(old_dump, 2)
    storage = S3Storage(locking.settings)
    (backup,) = (one for one in storage.listing().backups if one.location == old)
    locking.lock(old)
    with pytest.raises(StorageError, match="is not deleted: it is locked until"):
        storage.remove(backup)
    assert old in {one.location for one in storage.listing().backups}


def test_an_unversioned_bucket_asks_for_no_object(
    moto: MotoServer, make_settings: MakeSettings, old_dump: bytes, recorder: Recorder
):
    bucket = make_bucket(moto, make_settings, "plain-retention")
    _, *old = bucket.fill(old_dump, 20)
    before = len(moto.requests)
    made = make_plan(bucket.settings, Place.S3)
    asked = moto.requests[before:]
    assert {request.method for request in asked} == {"GET"}
    assert len(asked) <= 3 + 2  # a listing of each class, then the bucket's lock and versioning
    assert [entry.location for entry in made.delete] == old
    result = run_prune(bucket.settings, ALICE, recorder)
    assert (result.deleted, result.hidden) == (tuple(old), ())
    assert result.bytes_freed == len(old) * len(old_dump)


def test_the_command_and_the_look_say_it(locking: Bucket, old_dump: bytes):
    _, free, locked = locking.fill(old_dump, 3)
    locking.lock(locked)
    done = run(locking.settings, "prune", "--dry-run")
    lines = {line.split()[1]: line.strip() for line in done.stdout.splitlines()[2:]}
    assert lines[free.rpartition("/")[2]].startswith("hide ")
    assert lines[locked.rpartition("/")[2]].startswith("keep ")
    assert "locked until" in lines[locked.rpartition("/")[2]]
    assert "1 to delete (at most 0 Bytes)" in done.stdout
    shown = run(locking.settings, "show", "--s3", locked)
    assert f"kept      locked until {TOMORROW:%Y-%m-%d %H:%M} UTC (COMPLIANCE)" in shown.stderr
    backup = find_backup(locking.settings, Place.S3, locked)
    opened: Known[Any] = Known(value=open_backup(locking.settings, backup))
    state = State(opened, Known(), Known(), Known())
    parts = notice("evidence", state, locking.settings, backup, datetime.now(UTC))
    assert parts[0] == f"In S3 it is locked until {TOMORROW:%Y-%m-%d %H:%M} UTC (COMPLIANCE)\n"
    doctor = run(locking.settings, "doctor")
    assert "keeps versions and can lock objects" in doctor.stdout
    assert "nothing ever frees their space" in doctor.stdout
    assert "read back and hidden by a delete marker" in doctor.stdout


def test_a_bucket_that_locks_all_that_is_stored_takes_backups_and_wal(
    locking: Bucket, postgres16: PostgresServer, database: str, make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch, recorder: Recorder, tmp_path: Any,
):  # fmt: skip
    """With a default retention S3 refuses every body without Content-MD5, also those of parts."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    locking.moto.client.put_object_lock_configuration(
        Bucket=locking.name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 1}},
        },
    )
    settings = make_settings(postgres16, database, **locking.moto.environment(locking.name))
    before = len(locking.moto.requests)
    result = run_backup(settings, BackupRequest("alice"), recorder)
    push_s3(Segments(tmp_path / "data").write(), settings)
    puts = [one for one in locking.moto.requests[before:] if one.method == "PUT"]
    assert len(puts) >= 3  # a part, a manifest, a segment; moto itself refuses the last two without
    assert any("partNumber=1" in one.path for one in puts)
    assert all("Content-MD5" in one.headers for one in puts)
    manifest = result.keys[0] + MANIFEST_SUFFIX  # moto locks no object that came in parts
    assert S3Storage(settings).lock_of(manifest) is not None


def chosen(settings: Settings, *wanted: str) -> DeleteRequest:
    """An operator's yes to the deletion of these objects."""
    copies = find_copies(settings, [], wanted)
    return DeleteRequest((), wanted, confirm_delete("yes", copies), "alice")


def test_what_an_operator_deletes_is_hidden_and_said_so(
    versioned: Bucket, old_dump: bytes, recorder: Recorder
):
    _, old, *_ = versioned.fill(old_dump)
    result = run_delete(versioned.settings, chosen(versioned.settings, old), recorder)
    assert (result.deleted, result.hidden, result.bytes_freed) == ((), (old,), 0)
    assert f"hidden, not deleted: {old}" in recorder.text


def test_what_is_locked_is_not_deleted_and_nothing_with_it(
    locking: Bucket, old_dump: bytes, recorder: Recorder
):
    _, free, locked, _ = locking.fill(old_dump)
    locking.lock(locked)
    with pytest.raises(RefusedError) as error:
        run_delete(locking.settings, chosen(locking.settings, free, locked), recorder)
    assert "locked until" in error.value.cause
    assert len(s3_names(locking.settings)) == 4

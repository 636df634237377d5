"""Retention in S3, on a real server: off until it is asked for, and never half done."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import ExitStack, closing

import pytest
from tests.backups.helpers import Recorder
from tests.backups.shelf import (
    WEEKLY,
    client,
    keys,
    local_names,
    look_at,
    look_at_all,
    name_of,
    newest,
    put,
    put_s3,
    s3_names,
    s3_storage,
)
from tests.conftest import MakeSettings
from tests.proxy import Proxy

from pgconsole.backups import pins
from pgconsole.backups.catalog import s3_backups
from pgconsole.backups.prune import PruneRequest, PruneResult, make_plan, run_prune
from pgconsole.backups.upload import UploadRequest, run_upload
from pgconsole.demo.servers import S3Server, free_port
from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupName
from pgconsole.errors import ExitCode, PruneError, StorageError
from pgconsole.jobs import outcome
from pgconsole.report import Event
from pgconsole.settings import Settings
from pgconsole.storage.base import Place
from pgconsole.storage.local import LocalStorage
from pgconsole.storage.s3 import S3Storage

ALICE = PruneRequest("alice")


@pytest.fixture
def settings(make_settings: MakeSettings, s3_variables: dict[str, str]) -> Settings:
    """Two of each class, in S3 too."""
    return make_settings(
        database="app", **s3_variables, S3_RETENTION="true",
        RETENTION_DAILY="2", RETENTION_WEEKLY="2", RETENTION_MONTHLY="2",
    )  # fmt: skip


def manifest_for(settings: Settings, name: BackupName, data: bytes) -> Manifest:
    """What pgconsole would have written beside this dump."""
    path = put(settings, name, data)
    with closing(LocalStorage(settings.backup_dir).open(str(path))) as source:
        checked = check_dump(source, None, lambda _: None)
    path.unlink()
    return Manifest(
        database=name.database, classes=(name.backup_class,), taken_at=name.taken_at,
        started_at=name.taken_at, finished_at=name.taken_at, verified_at=name.taken_at,
        host="h", actor="alice", server_host="s", server_version="16.14", pg_dump_version="16.14",
        options=(), raw_bytes=checked.raw_bytes, compressed_bytes=len(data),
        sha256=checked.sha256, sections=(),
    )  # fmt: skip


def put_ours(settings: Settings, name: BackupName, data: bytes, **wrong: object) -> str:
    """Store a dump with its manifest; with these things wrong in it."""
    key = put_s3(settings, name, data)
    manifest = manifest_for(settings, name, data).model_copy(update=wrong)
    client(settings).put_object(
        Bucket=settings.s3_bucket, Key=key + MANIFEST_SUFFIX, Body=manifest.to_json()
    )
    return key


def test_objects_of_the_old_scripts(settings: Settings, old_dump: bytes, recorder: Recorder):
    """Nothing goes while nobody knows which are good; then what is older than those."""
    for name in newest(4, 3, 3):
        put_s3(settings, name, old_dump)
    put_s3(settings, name_of(9, database="app2"), old_dump)
    client(settings).put_object(Bucket=settings.s3_bucket, Key="backups/daily/notes.txt", Body=b"x")
    client(settings).put_object(Bucket=settings.s3_bucket, Key="elsewhere/notes.txt", Body=b"x")
    before = keys(settings)
    assert not run_prune(settings, ALICE, recorder).deleted
    assert "s3: 10 kept because they were never verified" in recorder.text

    look_at(settings, *s3_backups(settings).backups)
    result = run_prune(settings, ALICE, recorder)
    assert s3_names(settings) == newest(2, 2, 2) | {name_of(9, database="app2")}
    assert set(result.deleted) == before - keys(settings)
    assert result.bytes_freed == 4 * len(old_dump)
    assert {"backups/daily/notes.txt", "elsewhere/notes.txt"} <= keys(settings)
    assert not run_prune(settings, ALICE, recorder).deleted


def test_off_until_it_is_asked_for(
    make_settings: MakeSettings, s3_variables: dict[str, str], old_dump: bytes, recorder: Recorder
):
    settings = make_settings(database="app", **s3_variables, RETENTION_DAILY="1")
    for age in range(3):
        put_s3(settings, name_of(age), old_dump)
        put(settings, name_of(age), old_dump)
    look_at(settings, *s3_backups(settings).backups)
    look_at_all(settings)
    run_prune(settings, ALICE, recorder)
    assert local_names(settings) == newest(1, 0, 0)
    assert s3_names(settings) == newest(3, 0, 0)


def test_what_was_uploaded_from_a_verified_dump_takes_a_slot(
    settings: Settings, old_dump: bytes, recorder: Recorder
):
    """No download is needed to know that the store has what was verified here."""
    for age in range(4):
        put_ours(settings, name_of(age), old_dump)
    put_s3(settings, name_of(5), old_dump)
    run_prune(settings, ALICE, recorder)
    assert s3_names(settings) == newest(2, 0, 0)
    assert keys(settings) == {
        f"backups/{name.relative_path}{suffix}"
        for name in newest(2, 0, 0) for suffix in ("", MANIFEST_SUFFIX)
    }  # fmt: skip


def test_a_manifest_of_another_dump_is_no_proof(
    settings: Settings, old_dump: bytes, recorder: Recorder
):
    put_ours(settings, name_of(0), old_dump, compressed_bytes=len(old_dump) + 1)
    put_ours(settings, name_of(1), old_dump, verified_at=None)
    put_ours(settings, name_of(2), old_dump, taken_at=name_of(1).taken_at)
    put_ours(settings, name_of(3), old_dump, database="app2")
    key = put_ours(settings, name_of(4), old_dump)
    client(settings).put_object(
        Bucket=settings.s3_bucket, Key=key + MANIFEST_SUFFIX, Body=b"{} no manifest"
    )
    put_ours(settings, name_of(5), old_dump)
    put_ours(settings, name_of(6), old_dump)
    assert not run_prune(settings, ALICE, recorder).deleted


def test_a_local_plan_never_deletes_in_s3_nor_the_other_way_round(
    settings: Settings, old_dump: bytes, recorder: Recorder
):
    """Each place keeps its own newest: S3 is not emptied because BACKUP_DIR is full of new ones."""
    for age in range(5):
        put(settings, name_of(age), old_dump)
    for age in range(10, 13):
        put_ours(settings, name_of(age), old_dump)
    look_at_all(settings)
    run_prune(settings, ALICE, recorder)
    assert local_names(settings) == {name_of(0), name_of(1)}
    assert s3_names(settings) == {name_of(10), name_of(11)}


def test_a_pin_holds_a_backup_that_is_only_in_s3(
    settings: Settings, old_dump: bytes, recorder: Recorder
):
    for age in range(4):
        put_ours(settings, name_of(age), old_dump)
    pins.pin(settings, name_of(3), "before the migration", "alice")
    run_prune(settings, ALICE, recorder)
    assert s3_names(settings) == newest(2, 0, 0) | {name_of(3)}


def test_an_object_that_was_replaced_meanwhile_stays(settings: Settings, old_dump: bytes):
    for age in range(3):
        put_ours(settings, name_of(age), old_dump)

    def report(event: Event) -> None:
        if event.message.startswith("to delete"):
            put_s3(settings, name_of(2), b"precious")

    with pytest.raises(StorageError, match="not the object any more"):
        run_prune(settings, ALICE, report)
    assert name_of(2) in s3_names(settings)


@pytest.mark.parametrize("replaced", [False, True])
def test_what_is_only_listed_pushes_out_nothing(
    replaced: bool, settings: Settings, old_dump: bytes, recorder: Recorder,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    """A listing that lags behind, or somebody else who deletes: a class with such a gap waits."""
    for age in range(3):
        put_ours(settings, name_of(age), old_dump)
        put_ours(settings, name_of(age, WEEKLY), old_dump)
    stale = s3_storage(settings).listing()
    if replaced:
        put_s3(settings, name_of(1), b"something else")
    else:
        (key,) = {key for key in keys(settings) if key.endswith(name_of(1).relative_path)}
        client(settings).delete_object(Bucket=settings.s3_bucket, Key=key)
    with monkeypatch.context() as lagging:
        lagging.setattr(S3Storage, "listing", lambda _: stale)
        result = run_prune(settings, ALICE, recorder)
    assert name_of(2) in s3_names(settings)
    assert result.deleted == (f"backups/{name_of(2, WEEKLY).relative_path}",)
    assert result.kept == 5
    assert (
        f"no daily backup is deleted in S3 now: backups/{name_of(1).relative_path} is not there "
        "any more as it is listed"
    ) in recorder.text


def test_pins_that_somebody_holds_end_it_with_what_was_done_so_far(
    settings: Settings, old_dump: bytes, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pins, "_PATIENCE", 0.1)
    for age in range(4):
        put_ours(settings, name_of(age), old_dump)
        put(settings, name_of(age), old_dump)
    look_at_all(settings)
    with ExitStack() as stack:

        def report(event: Event) -> None:
            if event.message.startswith("s3: 2 to delete"):  # after what is local
                stack.enter_context(pins.held_pins(settings, "bob"))

        with pytest.raises(PruneError, match="bob is changing them") as raised:
            run_prune(settings, ALICE, report)
    assert str(raised.value).count("bob is changing them") == 1  # it does not wait for each
    assert raised.value.exit_code == ExitCode.BUSY
    result = raised.value.result
    assert isinstance(result, PruneResult)
    assert len(result.deleted) == 2
    assert result.bytes_freed == 2 * len(old_dump)
    assert local_names(settings) == newest(2, 0, 0)
    assert s3_names(settings) == newest(4, 0, 0)
    of_the_job = outcome.failed(raised.value, "prune")
    assert (of_the_job.exit_code, of_the_job.result) == (ExitCode.BUSY, result)


def test_an_unreachable_store_keeps_nobody_from_looking_after_the_disk(
    make_settings: MakeSettings, s3_variables: dict[str, str], old_dump: bytes, recorder: Recorder
):
    down = {**s3_variables, "S3_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    settings = make_settings(database="app", **down, S3_RETENTION="true", RETENTION_DAILY="1")
    for age in range(3):
        put(settings, name_of(age), old_dump)
    look_at_all(settings)
    with pytest.raises(StorageError, match="connection refused"):
        run_prune(settings, ALICE, recorder)
    assert local_names(settings) == newest(1, 0, 0)


def test_a_store_that_stops_answering_is_told_of_and_swept_later(
    settings: Settings, s3: S3Server, old_dump: bytes, recorder: Recorder
):
    for age in range(4):
        put_ours(settings, name_of(age), old_dump)
    with Proxy(int(s3.endpoint.rpartition(":")[2])) as proxy:
        through = settings.model_copy(update={"s3_endpoint_url": proxy.endpoint})

        def report(event: Event) -> None:
            if event.message.startswith("deleted"):
                proxy.refuse()
            recorder(event)

        with pytest.raises(PruneError, match="could not do all") as raised:
            run_prune(through, ALICE, report)
    assert s3_names(settings) == newest(2, 0, 0) | {name_of(3)}
    assert raised.value.exit_code == ExitCode.FAILED
    assert isinstance(raised.value.result, PruneResult)
    assert raised.value.result.deleted == (f"backups/{name_of(2).relative_path}",)
    run_prune(settings, ALICE, recorder)
    assert s3_names(settings) == newest(2, 0, 0)


def remove_and_die(settings: Settings, requests: int) -> int:
    """Delete in a process that kills itself before its n-th request.

    Returns:
        Its exit status: -9 if it was killed, 0 if it came to its end before.
    """
    pid = os.fork()
    if pid == 0:
        left = requests

        def count(event: str, _: object) -> None:
            nonlocal left
            if event == "http.client.send":
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            storage = s3_storage(settings)
            (oldest,) = [b for b in storage.listing().backups if b.name == name_of(1)]
            sys.addaudithook(count)
            storage.remove(oldest)
        finally:
            os._exit(sys.exc_info()[0] is not None)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_killed_before_any_request(settings: Settings, old_dump: bytes):
    """Whatever is left, no dump has lost its manifest, and the next backup sweeps the rest."""
    status, requests, leftovers = -9, 0, 0
    storage = s3_storage(settings)
    while status == -9:
        requests += 1
        for age in range(2):
            put_ours(settings, name_of(age), old_dump)
        status = remove_and_die(settings, requests)
        listing = storage.listing()
        assert all(backup.has_manifest for backup in listing.backups)
        assert name_of(0) in s3_names(settings)
        leftovers += len(listing.leftovers)
        storage.abort_leftovers("app")
        assert storage.listing().leftovers == ()
    assert status == 0
    assert leftovers == 1
    assert s3_names(settings) == {name_of(0)}
    assert not list((settings.state_dir / "uploads").iterdir())


def test_uploaded_afterwards(settings: Settings, old_dump: bytes, recorder: Recorder):
    """`pgconsole upload` of an old script's file brings no manifest, so it proves nothing."""
    for age in range(3):
        put(settings, name_of(age), old_dump)
        run_upload(settings, UploadRequest(name_of(age).filename, "alice"), recorder)
    assert not make_plan(settings, Place.S3).delete

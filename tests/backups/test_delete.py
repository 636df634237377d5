"""Deleting and downloading what an operator chose, on a real directory and a real S3 server."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.backups.helpers import Recorder
from tests.backups.shelf import (
    client,
    fill,
    keys,
    local_names,
    look_at,
    look_at_all,
    name_of,
    put,
    put_s3,
)
from tests.conftest import MakeSettings

from pgconsole.backups import pins
from pgconsole.backups.catalog import local_backups, s3_backups
from pgconsole.backups.delete import (
    DeleteRequest,
    confirm_delete,
    decisions,
    find_copies,
    run_delete,
)
from pgconsole.backups.fetch import FetchRequest, run_fetch
from pgconsole.backups.locking import database_lock
from pgconsole.errors import BusyError, ConfigurationError, RefusedError, StorageError
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup


@pytest.fixture
def settings(make_settings: MakeSettings, s3_variables: dict[str, str]) -> Settings:
    return make_settings(database="app", **s3_variables)


@pytest.fixture
def shelf(settings: Settings, old_dump: bytes) -> tuple[StoredBackup, ...]:
    """Three daily backups, of which all are verified."""
    fill(settings, old_dump, count=3)
    look_at_all(settings)
    return tuple(one for one in local_backups(settings).backups if one.name.backup_class == "daily")


def request_for(*copies: StoredBackup, confirmed: tuple[StoredBackup, ...] = ()) -> DeleteRequest:
    paths = tuple(one.location for one in copies if one.place is Place.LOCAL)
    whole_keys = tuple(one.location for one in copies if one.place is Place.S3)
    return DeleteRequest(paths, whole_keys, confirm_delete("yes", confirmed or copies), "alice")


def test_chosen_copies_go_with_their_manifests(
    settings: Settings, shelf: tuple[StoredBackup, ...], recorder: Recorder
) -> None:
    before = local_names(settings)
    result = run_delete(settings, request_for(*shelf[1:]), recorder)
    assert result.deleted == tuple(one.location for one in shelf[1:])
    assert local_names(settings) == before - {one.name for one in shelf[1:]}
    left = {path.name for path in (settings.backup_dir / "daily").iterdir()}
    assert left == {shelf[0].name.filename, f"{shelf[0].name.filename}.manifest.json"}
    assert f"deleted {shelf[1].location}" in [event.message for event in recorder.events]


def test_if_one_must_stay_none_goes(settings: Settings, old_dump: bytes) -> None:
    put(settings, name_of(0), old_dump)
    put(settings, name_of(1), old_dump)
    look_at_all(settings)
    both = local_backups(settings).backups
    with pytest.raises(RefusedError) as error:
        run_delete(settings, request_for(*both), lambda _: None)
    assert "no copy that is proven complete" in error.value.cause
    assert len(local_names(settings)) == 2


def test_a_copy_in_s3_makes_up_for_one_here_and_the_other_way_round(
    settings: Settings, old_dump: bytes
) -> None:
    path = put(settings, name_of(0), old_dump)
    key = put_s3(settings, name_of(0), old_dump)
    look_at(settings, *local_backups(settings).backups)
    (there,) = s3_backups(settings).backups
    (here,) = local_backups(settings).backups
    assert not decisions(settings, [here])[0].allowed  # nobody looked at the one in S3
    assert run_delete(settings, request_for(there), lambda _: None).deleted == (key,)
    assert keys(settings) == set()
    assert path.exists()


def test_an_object_that_vanishes_makes_up_for_nothing(
    settings: Settings, old_dump: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(settings, name_of(0), old_dump)
    key = put_s3(settings, name_of(0), old_dump)
    look_at(settings, *local_backups(settings).backups, *s3_backups(settings).backups)
    (here,) = local_backups(settings).backups

    def vanish(event: object) -> None:
        if getattr(event, "message", "").startswith("to delete"):
            client(settings).delete_object(Bucket=settings.s3_bucket, Key=key)

    with pytest.raises((ConfigurationError, StorageError)):
        run_delete(settings, request_for(here), vanish)
    assert Path(here.location).exists()


def test_without_s3_only_local_copies_count(
    settings: Settings, old_dump: bytes, recorder: Recorder
) -> None:
    put(settings, name_of(0), old_dump)
    put_s3(settings, name_of(0), old_dump)
    look_at(settings, *local_backups(settings).backups, *s3_backups(settings).backups)
    (here,) = local_backups(settings).backups
    deaf = settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:1"})
    with pytest.raises(RefusedError):
        run_delete(deaf, request_for(here), recorder)
    assert any("copies in S3 do not count" in event.message for event in recorder.events)


def test_the_yes_is_for_these_copies_only(
    settings: Settings, shelf: tuple[StoredBackup, ...]
) -> None:
    with pytest.raises(ConfigurationError, match="not confirmed"):
        confirm_delete("Yes", shelf)
    with pytest.raises(ConfigurationError, match="not confirmed"):
        run_delete(settings, request_for(shelf[2], confirmed=shelf[1:2]), lambda _: None)
    request = request_for(shelf[2])
    Path(shelf[2].location).write_bytes(b"another one")
    with pytest.raises(ConfigurationError, match="not confirmed"):
        run_delete(settings, request, lambda _: None)
    assert Path(shelf[2].location).read_bytes() == b"another one"


def test_what_is_pinned_stays(settings: Settings, shelf: tuple[StoredBackup, ...]) -> None:
    pins.pin(settings, shelf[2].name, "for the audit", "ana")
    with pytest.raises(RefusedError) as error:
        run_delete(settings, request_for(shelf[2]), lambda _: None)
    assert "pinned by ana: for the audit" in error.value.cause


def test_who_is_busy_is_not_disturbed(settings: Settings, shelf: tuple[StoredBackup, ...]) -> None:
    with (
        database_lock(settings, "app", what="backup", actor="bob", job=""),
        pytest.raises(BusyError, match="busy"),
    ):
        run_delete(settings, request_for(shelf[2]), lambda _: None)


def test_what_is_not_there_is_named(settings: Settings, shelf: tuple[StoredBackup, ...]) -> None:
    with pytest.raises(ConfigurationError, match="no-such"):
        find_copies(settings, ["no-such"], [])
    with pytest.raises(ConfigurationError, match="nothing to delete"):
        find_copies(settings, [], [])
    names = [shelf[0].name.filename, shelf[0].location]
    assert find_copies(settings, names, []) == (shelf[0],)


def test_objects_are_downloaded_and_proven(
    settings: Settings, old_dump: bytes, recorder: Recorder
) -> None:
    wanted = tuple(put_s3(settings, name_of(age), old_dump) for age in range(2))
    result = run_fetch(settings, FetchRequest(wanted, "alice"), recorder)
    assert [Path(path).read_bytes() for path in result.paths] == [old_dump] * 2
    assert {Path(path).parent for path in result.paths} == {settings.backup_dir / "restored"}
    assert result.compressed_bytes == 2 * len(old_dump)
    with pytest.raises(ConfigurationError, match="nothing to download"):
        run_fetch(settings, FetchRequest((), "alice"), recorder)

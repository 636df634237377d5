"""Listing and reading jobs, also from directories that something has spoilt."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import MakeSettings

from pgconsole import jobs
from pgconsole.errors import PgconsoleError, StorageError
from pgconsole.jobs import JobStatus
from pgconsole.jobs.spec import Spec, new_id, parse_id, write_spec
from pgconsole.jobs.state import State, write_state
from pgconsole.jobs.store import jobs_directory
from pgconsole.settings import Settings

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
GARBAGE = {
    "empty": b"",
    "torn": b"{",
    "null": b"null",
    "list": b"[]",
    "empty object": b"{}",
    "not UTF-8": b"\xff",
    "zeros": b"\0" * 100,
    "too deep": b"[" * 100_000,
    "fields missing": b'{"id": 1}',
    "times of the wrong type": b'{"created_at": 5, "finished_at": 5}',
    "time without zone": b'{"started_at": "2026-11-22T12:00:00"}',
}


def _make(settings: Settings, at: datetime = NOON) -> Path:
    """The directory that a job leaves which is done."""
    spec = Spec(new_id("backup", at), "backup", {}, "alice", at)
    directory = jobs_directory(settings) / spec.id
    directory.mkdir(parents=True)
    write_spec(directory, spec)
    write_state(directory, State(JobStatus.DONE, at, 1, 1, "host", finished_at=at, exit_code=0))
    return directory


def test_no_jobs_yet(make_settings: MakeSettings):
    assert jobs.list_jobs(make_settings()) == []


def test_the_newest_come_first(make_settings: MakeSettings):
    settings = make_settings()
    ids = [_make(settings, NOON + timedelta(seconds=n)).name for n in range(5)]
    assert [job.id for job in jobs.list_jobs(settings)] == ids[::-1]
    assert [job.id for job in jobs.list_jobs(settings, 2)] == ids[:2:-1]


def test_only_the_newest_are_read(make_settings: MakeSettings):
    settings = make_settings()
    template = _make(settings)
    for number in range(1, 5000):
        created_at = NOON + timedelta(seconds=number)
        directory = jobs_directory(settings) / new_id("backup", created_at)
        directory.mkdir()
        for path in template.iterdir():
            (directory / path.name).hardlink_to(path)
    before = time.perf_counter()
    assert len(jobs.list_jobs(settings, 50)) == 50
    some = time.perf_counter() - before
    assert len(jobs.list_jobs(settings)) == 5000
    every = time.perf_counter() - before - some
    assert some < every / 3, (some, every)


def test_a_name_that_is_no_jobs_is_passed_over(make_settings: MakeSettings):
    settings = make_settings()
    job = _make(settings)
    for name in (
        "lost+found",
        ".20261122T120000.000000Z-backup-0000",
        "20269922T000000.000000Z-a-0000",
    ):
        (job.parent / name).mkdir()
    assert [each.id for each in jobs.list_jobs(settings, 1)] == [job.name]


@pytest.mark.parametrize("file", ["spec.json", "state.json"])
@pytest.mark.parametrize("content", GARBAGE.values(), ids=GARBAGE.keys())
def test_garbage_is_shown_as_such(make_settings: MakeSettings, file: str, content: bytes):
    settings = make_settings()
    directory = _make(settings)
    (directory / file).write_bytes(content)
    [job] = jobs.list_jobs(settings)
    assert job == jobs.read_job(settings, directory.name)
    assert "can't be read" in job.problem
    assert job.cause
    assert (job.id, job.kind, job.created_at) == (directory.name, "backup", NOON)
    assert job.status is (JobStatus.INTERRUPTED if file == "state.json" else JobStatus.DONE)
    assert job.status.ended


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("spec.json", "version", 2), ("spec.json", "request", "x"), ("spec.json", "actor", None),
        ("spec.json", "created_at", "2026-11-22T12:00:00"), ("spec.json", "surprise", 1),
        ("state.json", "status", "sleeping"), ("state.json", "pid", "one"),
        ("state.json", "problem", 1), ("state.json", "problems", [1]),
        ("state.json", "result", []), ("state.json", "finished_at", "yesterday"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_shown_as_such(make_settings: MakeSettings, file, field, value):
    settings = make_settings()
    directory = _make(settings)
    content = json.loads((directory / file).read_text())
    (directory / file).write_text(json.dumps(content | {field: value}))
    [job] = jobs.list_jobs(settings)
    assert "can't be read" in job.problem


def test_an_empty_directory_and_a_file_in_its_place(make_settings: MakeSettings):
    settings = make_settings()
    directory = jobs_directory(settings)
    directory.mkdir(parents=True)
    (directory / new_id("backup", NOON)).mkdir()
    (directory / new_id("upload", NOON)).write_text("")
    found = jobs.list_jobs(settings)
    assert [job.kind for job in found] == ["upload", "backup"]
    assert all(job.problem and job.status is JobStatus.INTERRUPTED for job in found)


def test_a_directory_of_jobs_that_is_none(make_settings: MakeSettings):
    settings = make_settings()
    settings.state_dir.mkdir()
    jobs_directory(settings).write_text("")
    with pytest.raises(StorageError, match="can't be listed"):
        jobs.list_jobs(settings)


def test_unknown_ids(make_settings: MakeSettings):
    settings = make_settings()
    _make(settings)
    for job_id in ("", "..", "../..", new_id("backup", NOON)):
        with pytest.raises(PgconsoleError, match="There is no job"):
            jobs.read_job(settings, job_id)


def test_ids_sort_by_time_and_are_unique():
    times = [NOON + timedelta(microseconds=n * 12_345) for n in range(100)]
    ids = [new_id("backup", at) for at in times]
    assert sorted(ids) == ids
    assert ids[0].startswith("20261122T120000.000000Z-backup-")
    assert [parse_id(job_id) for job_id in ids] == [(at, "backup") for at in times]
    assert len({new_id("backup", NOON) for _ in range(20)}) > 15


@pytest.mark.parametrize("kind", ["", "../x", "Backup", "a b", "a-b"])
def test_a_kind_is_a_word(kind: str):
    with pytest.raises(ValueError, match="not a kind"):
        new_id(kind, NOON)

"""Jobs read page by page: the newest first, each that has ended once, none past its time."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.conftest import MakeSettings
from tests.jobs.conftest import Jobs
from tests.jobs.test_job_store import NOON, _make

from pgconsole.errors import StorageError
from pgconsole.jobs import Job, JobStatus
from pgconsole.jobs.pages import JobPages
from pgconsole.jobs.spec import Spec, new_id, write_spec
from pgconsole.jobs.state import STATE
from pgconsole.jobs.store import LOCK, jobs_directory
from pgconsole.settings import Settings


class Reader:
    """Keeps what the pages bring, as a list of jobs does."""

    def __init__(self, settings: Settings) -> None:
        self.pages = JobPages(settings)
        self.jobs: dict[str, Job] = {}

    def renew(self) -> bool:
        """Whether anything has changed."""
        ended, began, gone = self.pages.renew()
        self._keep([*ended, *began])
        for job_id in gone:
            self.jobs.pop(job_id, None)
        return bool(ended or began or gone)

    def read_on(self, count: int) -> None:
        self._keep(self.pages.read_on(count))

    @property
    def ids(self) -> list[str]:
        return sorted(self.jobs, reverse=True)

    def _keep(self, jobs: list[Job]) -> None:
        self.jobs |= {job.id: job for job in jobs}


def several(settings: Settings, count: int) -> list[str]:
    """Jobs that are done; their ids, the newest first."""
    return [_make(settings, NOON - timedelta(hours=n)).name for n in range(count)]


def test_none_is_read_before_it_is_wanted(make_settings: MakeSettings):
    settings = make_settings()
    made = several(settings, 10)
    pages = Reader(settings)
    pages.renew()
    assert (pages.ids, pages.pages.unread) == ([], 10)
    pages.read_on(3)
    assert (pages.ids, pages.pages.unread) == (made[:3], 7)
    pages.read_on(100)
    assert (pages.ids, pages.pages.unread) == (made, 0)
    assert not pages.renew()


def test_what_comes_and_goes(make_settings: MakeSettings):
    settings = make_settings()
    made = several(settings, 6)
    pages = Reader(settings)
    pages.renew()
    pages.read_on(3)
    newest = _make(settings, NOON + timedelta(hours=1)).name
    between = _make(settings, NOON - timedelta(minutes=30)).name  # of a host whose clock is behind
    ancient = _make(settings, NOON - timedelta(days=9)).name
    for job_id in (made[1], made[4]):
        shutil.rmtree(jobs_directory(settings) / job_id)
    assert pages.renew()
    assert pages.ids == [newest, made[0], between, made[2]]
    pages.read_on(100)
    assert pages.ids == [newest, made[0], between, made[2], made[3], made[5], ancient]


def test_a_job_that_comes_in_the_same_tick_as_the_one_before(make_settings: MakeSettings):
    """The directory's time does not tell of it."""
    settings = make_settings()
    first = _make(settings, NOON)
    time = first.parent.stat().st_mtime_ns
    pages = Reader(settings)
    pages.renew()
    pages.read_on(1)
    second = _make(settings, NOON + timedelta(hours=1))
    os.utime(first.parent, ns=(time, time))
    pages.renew()
    assert pages.ids == [second.name, first.name]


def test_one_that_has_ended_is_not_read_again(make_settings: MakeSettings):
    settings = make_settings()
    directory = _make(settings)
    pages = Reader(settings)
    pages.renew()
    pages.read_on(1)
    (directory / STATE).write_text("{")
    assert not pages.renew()
    [job] = pages.jobs.values()
    assert job.status is JobStatus.DONE


def test_one_that_runs_is_looked_at_again_until_it_has_ended(started: Jobs):
    pages = Reader(started.settings)
    pages.renew()
    job = started.start_waiting()
    pages.renew()
    pages.read_on(10)
    assert list(pages.pages.active) == [job.id]
    [seen] = pages.jobs.values()
    assert (seen.id, seen.status) == (job.id, JobStatus.RUNNING)
    started.go.touch()
    started.ended(job.id)
    assert pages.renew()
    [seen] = pages.jobs.values()
    assert seen.status is JobStatus.DONE
    assert not pages.renew()


def test_one_without_a_runner_is_interrupted(make_settings: MakeSettings):
    settings = make_settings()
    spec = Spec(new_id("backup", NOON), "backup", {}, "alice", NOON)
    directory = jobs_directory(settings) / spec.id
    directory.mkdir(parents=True)
    write_spec(directory, spec)
    (directory / LOCK).touch()
    pages = Reader(settings)
    pages.renew()
    pages.read_on(1)
    assert [job.status for job in pages.jobs.values()] == [JobStatus.INTERRUPTED]


def test_names_that_are_no_jobs_count_for_nothing(make_settings: MakeSettings):
    settings = make_settings()
    made = several(settings, 2)
    for name in ("lost+found", ".hidden", "20269922T000000.000000Z-a-0000"):
        (jobs_directory(settings) / name).mkdir()
    pages = Reader(settings)
    pages.renew()
    pages.read_on(1)
    assert pages.ids == made[:1]
    pages.read_on(5)
    assert (pages.ids, pages.pages.unread) == (made, 0)


def test_no_directory_yet_and_none_any_more(make_settings: MakeSettings):
    settings = make_settings()
    pages = Reader(settings)
    assert not pages.renew()
    job = _make(settings)
    pages.renew()
    pages.read_on(1)
    assert pages.ids == [job.name]
    shutil.rmtree(jobs_directory(settings))
    assert pages.renew()
    assert pages.ids == []


def test_a_directory_that_can_not_be_read(make_settings: MakeSettings, tmp_path: Path):
    settings = make_settings()
    settings.state_dir.mkdir()
    jobs_directory(settings).write_text("")
    pages = Reader(settings)
    for _ in range(3):
        with pytest.raises(StorageError, match="can't be listed"):
            pages.renew()

"""What can be started anew, as what, and the command that does the same."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from tests.tui.job_scenes import ALL, BACKUP, MADE, NAME, PARTLY, TO_RESTORE
from tests.tui.scenes import NOW, job, settings

from pgconsole.cli import cli
from pgconsole.errors import ConfigurationError
from pgconsole.jobs import Job, JobStatus
from pgconsole.screens.retry import again, ask_again, can_retry
from pgconsole.widgets.job_words import command, subject

SLOT = {"slot": "2026-02-25T02:00:00+00:00", "due": "2026-02-25T02:00:00+00:00"}
EXPORT = {"place": "s3", "location": "backups/daily/x.sql.gz", "table": "public.a b", "path": "/x"}
VERIFY = {"paths": ["/backups/daily/a b.sql.gz"], "keys": ["k1.sql.gz", "k2.sql.gz"]}


def failed(kind: str, request: dict, status: JobStatus = JobStatus.FAILED) -> Job:  # type: ignore[type-arg]
    return job(status, kind=kind, request=request)


@pytest.mark.parametrize(
    "done",
    [
        failed("backup", {}), failed("backup", BACKUP | SLOT), failed("prune", {}),
        failed("verify", VERIFY, JobStatus.DONE), failed("upload", {"filename": "x"}),
        failed("download", {"keys": ["k"]}, JobStatus.CANCELLED), failed("export", EXPORT),
        failed("restore", TO_RESTORE, JobStatus.INTERRUPTED),
    ],
    ids=lambda done: done.kind,
)  # fmt: skip
def test_what_can_be_started_anew(done: Job) -> None:
    assert can_retry(done)


@pytest.mark.parametrize(
    "other",
    [
        ALL[0],  # it runs
        failed("export", EXPORT, JobStatus.DONE),  # its file is there
        failed("delete", {"paths": ["/x"], "keys": [], "confirmation": "f00"}),  # a yes to that
        failed("upload", {}), failed("verify", {}), failed("restore", {"database": "x"}),
        failed("nonsense", {}),
    ],
    ids=lambda other: f"{other.kind}-{other.status}",
)  # fmt: skip
def test_what_can_not(other: Job) -> None:
    """Also what has a damaged spec: its request is gone."""
    assert not can_retry(other)


def test_a_backup_is_one_of_now() -> None:
    """A name must not promise the data of then."""
    assert again(settings(), failed("backup", BACKUP | SLOT)) == ("backup", BACKUP)
    assert again(settings(), failed("backup", SLOT)) == ("backup", BACKUP)


def test_of_a_backup_that_only_s3_lacks_the_upload_is_missing() -> None:
    assert again(settings(), PARTLY) == ("upload", {"filename": NAME})
    another_class = replace(PARTLY, result=MADE)
    assert again(settings(), another_class) == ("backup", BACKUP)


def test_a_backup_of_another_database_is_no_business_of_this_console() -> None:
    with pytest.raises(ConfigurationError, match="The backup of app") as refused:
        again(settings(), failed("backup", {"database": "app"}))
    assert "PGDATABASE=app" in refused.value.fix


@pytest.mark.parametrize("kind", ["backup", "verify", "export", "upload", "download"])
def test_the_question_says_what_went_before(kind: str) -> None:
    request = {"backup": BACKUP, "verify": VERIFY, "export": EXPORT}.get(
        kind, {"filename": NAME, "keys": [NAME]}
    )
    before = replace(failed(kind, request), problem="The [disk] is full")
    asked = ask_again(settings(), before, again(settings(), before), NOW)
    rows = dict(asked.rows)
    assert "failed 1 h 59 min ago: The [disk] is full" in rows["Before"]
    assert rows["Command"].startswith("pgconsole ")
    assert subject(kind, request) in rows["What"]


@pytest.mark.parametrize(
    ("kind", "request_", "words"),
    [
        ("backup", BACKUP | SLOT, "backup"),
        ("prune", {}, "prune"),
        ("upload", {"filename": "a b.sql.gz"}, "upload 'a b.sql.gz'"),
        ("verify", VERIFY, "verify '/backups/daily/a b.sql.gz' --s3 k1.sql.gz --s3 k2.sql.gz"),
        ("restore", TO_RESTORE, f"restore /backups/daily/{NAME} --database thinktank"),
        (
            "restore",
            TO_RESTORE | {"place": "s3", "location": "k", "without_safety_backup": True},
            "restore --from-s3 k --without-safety-backup --database thinktank",
        ),
        ("export", EXPORT, "rows --s3 backups/daily/x.sql.gz 'public.a b' --csv /x"),
    ],
)
def test_the_command_does_the_same(kind: str, request_: dict, words: str) -> None:  # type: ignore[type-arg]
    text = command(kind, request_)
    assert text == f"pgconsole {words}"
    assert "f00" not in text  # no confirmation is handed on
    name, *arguments = shlex.split(words)
    found = cli.get_command(None, name)  # type: ignore[arg-type]
    assert found is not None
    found.make_context(name, list(arguments))  # it takes these arguments


def test_what_a_job_is_about() -> None:
    assert subject("restore", TO_RESTORE) == f"thinktank from {NAME}"
    assert subject("verify", VERIFY) == "a b.sql.gz and 2 more"
    assert subject("export", EXPORT) == "public.a b to /x"
    assert subject("backup", {}) == ""
    assert subject("verify", {"paths": 5, "keys": None}) == ""
    assert subject("upload", {"filename": ["x"]}) == ""
    assert subject("nonsense", {}) == command("nonsense", {}) == ""

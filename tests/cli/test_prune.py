"""`prune`, `pin` and `unpin`, end to end: real program, real files, real S3."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from tests.backups.shelf import (
    WEEKLY,
    guide_dump,
    local_names,
    look_at_all,
    name_of,
    newest,
    put,
    put_s3,
)
from tests.cli.program import PROGRAM, environment, run
from tests.conftest import MakeSettings

from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.fixture
def settings(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, tmp_path: Path
) -> Settings:
    """Four verified daily backups of which two stay, a foreign file, and one of `app2`."""
    dump = guide_dump(postgres16, database, tmp_path)
    settings = make_settings(database="app", RETENTION_DAILY="2")
    for age in range(4):
        put(settings, name_of(age), dump)
    put(settings, name_of(9, database="app2"), dump)
    (settings.backup_dir / "daily" / "notes.txt").write_text("mine")
    look_at_all(settings)
    return settings


def audit(settings: Settings) -> list[tuple[str, str]]:
    """What was done, and to what, by the audit log."""
    lines = (settings.state_dir / "audit.log").read_text().splitlines()
    return [(line["action"], line["subject"]) for line in map(json.loads, lines)]


def answer(settings: Settings, text: str, *arguments: str) -> tuple[int, str]:
    """Run on a terminal and type an answer; returns exit code and what was on it."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments], env=environment(settings), stdin=theirs, stdout=theirs,
        stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, f"{text}\n".encode())
    output = b""
    try:
        while chunk := os.read(ours, 4096):
            output += chunk
    except OSError:  # the other side is closed
        pass
    os.close(ours)
    return process.wait(60), output.decode()


def test_dry_run_gives_every_reason_and_changes_nothing(settings: Settings):
    before = sorted(settings.backup_dir.rglob("*"))
    done = run(settings, "prune", "--dry-run")
    assert done.returncode == 0, done.stderr
    lines = {line.split(maxsplit=2)[1]: line for line in done.stdout.splitlines()[1:]}
    for age in (2, 3):
        line = lines[name_of(age).filename]
        assert line.split()[0] == "delete"
        assert line.endswith("older than the 2 good daily backups that stay")
    assert lines[name_of(0).filename].endswith("daily 1 of 2")
    assert lines[name_of(9, database="app2").filename].endswith("of another database, 'app2'")
    assert lines[str(settings.backup_dir / "daily/notes.txt")].endswith("not a backup")
    assert sorted(settings.backup_dir.rglob("*")) == before

    plan = json.loads(run(settings, "prune", "--dry-run", "--json").stdout)
    assert [Path(entry["location"]).name for entry in plan["local"]["delete"]] == [
        name_of(age).filename for age in (2, 3)
    ]
    assert len(plan["local"]["keep"]) == 4
    assert run(settings, "prune", "--json").returncode == 2


def test_names_of_other_files_neither_forge_lines_nor_fail(settings: Settings):
    forged = f"x\n  delete  {name_of(0).filename}"
    for name in (os.fsencode(forged), b"\xff.sql", b"\x1b]0;owned\x07"):
        (settings.backup_dir / "daily" / os.fsdecode(name)).touch()
    strict = {"PYTHONIOENCODING": "utf-8:strict"}  # as in en_US.UTF-8
    planned = run(settings, "prune", "--dry-run", **strict)
    assert planned.returncode == 0, planned.stderr
    assert planned.stdout.count("\n  delete  ") == 2
    assert "daily/x\\n  delete" in planned.stdout
    listed = run(settings, "list", **strict)
    for output in (planned.stdout, listed.stderr):
        assert "daily/\\udcff.sql" in output
        assert "daily/\\x1b]0;owned\\x07" in output
        assert "\x1b" not in output
    pruned = run(settings, "prune", **strict)
    assert pruned.returncode == 0, pruned.stderr
    assert local_names(settings) == newest(2, 0, 0)


def test_in_a_script_it_applies_the_policy(settings: Settings):
    done = run(settings, "prune")
    assert done.returncode == 0, done.stderr
    assert local_names(settings) == newest(2, 0, 0)
    assert f"deleted {settings.backup_dir / name_of(3).relative_path}" in done.stderr
    (job,) = json.loads(run(settings, "jobs", "--json").stdout)
    assert (job["kind"], job["status"]) == ("prune", "done")
    assert len(job["result"]["deleted"]) == 2
    assert audit(settings)[-1] == ("prune", job["id"])
    again = run(settings, "prune")
    assert again.returncode == 0
    assert "Nothing to delete" in again.stderr
    assert len(json.loads(run(settings, "jobs", "--json").stdout)) == 1


@pytest.mark.parametrize("text", ["", "y", "YES", "no", "yes!"])
def test_on_a_terminal_only_a_typed_yes_counts(settings: Settings, text: str):
    code, output = answer(settings, text, "prune")
    assert code == 2, output
    assert "Are you sure? Type 'yes' to confirm:" in output
    assert "Nothing was deleted" in output
    assert local_names(settings) == newest(4, 0, 0)


@pytest.mark.parametrize("arguments", [["prune"], ["prune", "--yes"]])
def test_on_a_terminal_with_a_yes(settings: Settings, arguments: list[str]):
    code, output = answer(settings, "yes", *arguments)
    assert code == 0, output
    assert local_names(settings) == newest(2, 0, 0)


def test_what_is_pinned_stays_until_it_is_unpinned(settings: Settings):
    oldest = settings.backup_dir / name_of(3).relative_path
    pinned = run(settings, "pin", str(oldest), "--note", "before the\nmigration\x1b[31m")
    assert pinned.returncode == 0, pinned.stderr
    shown = run(settings, "prune", "--dry-run").stdout
    assert ": before the migration\n" in shown
    run(settings, "prune")
    assert local_names(settings) == newest(2, 0, 0) | {name_of(3)}

    weekly = name_of(3).in_class(WEEKLY).filename  # a pin is of the backup, whatever the class
    unpinned = run(settings, "unpin", weekly)
    assert unpinned.returncode == 0, unpinned.stderr
    run(settings, "prune")
    assert local_names(settings) == newest(2, 0, 0)
    subjects = {action: subject for action, subject in audit(settings) if "pin" in action}
    assert subjects == {"pin": name_of(3).filename, "unpin": weekly}


def test_a_pin_of_nothing_is_refused(settings: Settings):
    missing = run(settings, "pin", name_of(99).filename)
    assert missing.returncode == 2
    assert "There is no backup" in missing.stderr
    assert run(settings, "unpin", name_of(99).filename).returncode == 2
    foreign = run(settings, "pin", "notes.txt")
    assert foreign.returncode == 2
    assert "no name of a backup" in foreign.stderr


def test_a_backup_that_is_only_in_s3_can_be_pinned(
    settings: Settings, s3: S3Server, s3_bucket: str
):
    with_s3 = s3.environment(s3_bucket)
    key = put_s3(Settings.model_validate(settings.environment() | with_s3), name_of(50), b"x")
    pinned = run(settings, "pin", key, **with_s3)
    assert pinned.returncode == 0, pinned.stderr
    assert run(settings, "pin", name_of(51).filename, **with_s3).returncode == 2
    assert "S3_RETENTION" in run(settings, "prune", "--dry-run", **with_s3).stderr


@pytest.mark.parametrize("value", ["-1", "seven"])
@pytest.mark.parametrize("variable", ["RETENTION_DAILY", "RETENTION_WEEKLY", "RETENTION_MONTHLY"])
def test_what_is_no_count_is_refused(settings: Settings, variable: str, value: str):
    done = run(settings, "prune", **{variable: value})
    assert done.returncode == 2
    assert f"{variable} is {value!r}" in done.stderr
    assert f"a right value: {variable}=" in done.stderr
    assert local_names(settings) == newest(4, 0, 0)

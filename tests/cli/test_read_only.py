"""Read-only mode and protected servers, as the program shows them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from tests.cli.program import run
from tests.cli.test_restore import ask, rows
from tests.conftest import MakeSettings
from tests.guide import guide_backup

from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings

TAKEN = datetime(2026, 2, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:  # fmt: skip
    """A backup of 1,000 rows, which the database has lost since."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database)
    guide_backup(postgres16, database, settings.backup_dir, TAKEN)
    with postgres16.connect(database) as connection:
        connection.execute("DELETE FROM users")
    return settings


def name(settings: Settings) -> str:
    return f"{settings.pgdatabase}_daily_{TAKEN:%Y%m%d_%H%M%S}.sql.gz"


class TestReadOnly:
    def test_every_command_that_changes_something_is_refused(self, settings: Settings) -> None:
        commands = (
            ["backup"], ["upload", name(settings)], ["restore", "--latest", "--yes"],
            ["prune", "--yes"], ["pin", name(settings)], ["unpin", name(settings)],
            ["pause", "--reason", "x"], ["resume"], ["schedule"],
        )  # fmt: skip
        for command in commands:
            done = run(settings, *command, PGCONSOLE_READ_ONLY="true")
            assert (done.returncode, done.stdout) == (2, ""), command
            assert f"The {command[0]} is refused" in done.stderr
            assert "pgconsole is read-only" in done.stderr
        lines = map(json.loads, (settings.state_dir / "audit.log").read_text().splitlines())
        found = [(one["action"], one["result"].split(":")[0]) for one in lines]
        assert found == [(command[0], "refused") for command in commands]
        assert not (settings.state_dir / "jobs").exists()

    def test_a_running_job_is_not_cancelled(self, settings: Settings) -> None:
        assert run(settings, "backup").returncode == 0
        [job] = json.loads(run(settings, "jobs", "--json").stdout)
        done = run(settings, "cancel", job["id"], PGCONSOLE_READ_ONLY="1")
        assert done.returncode == 2
        assert "The cancel is refused" in done.stderr

    def test_what_only_reads_goes_on(self, settings: Settings) -> None:
        for command in (["list"], ["jobs"], ["info"], ["prune", "--dry-run"], ["restore", "--list"],
                        ["verify", "--latest"]):  # fmt: skip
            done = run(settings, *command, PGCONSOLE_READ_ONLY="true")
            assert done.returncode == 0, done.stderr

    def test_the_option_is_the_variable(self, settings: Settings) -> None:
        done = run(settings, "--read-only", "backup", PGCONSOLE_READ_ONLY="false")
        assert done.returncode == 2
        assert "pgconsole is read-only" in done.stderr


class TestProtected:
    def test_yes_alone_is_refused_and_the_name_is_enough(
        self, settings: Settings, postgres16: PostgresServer
    ) -> None:
        target = settings.pgdatabase
        for options, words in (
            (["--yes"], f"--confirm {target}"),
            ([], f"add --confirm {target}"),
            (["--yes", "--confirm", "another"], "--confirm names 'another'"),
        ):
            done = run(settings, "restore", "--latest", *options, PGCONSOLE_PROTECTED="true")
            assert done.returncode == 2
            assert words in done.stderr
        assert not (settings.state_dir / "jobs").exists()
        done = run(settings, "restore", "--latest", "--confirm", target, PGCONSOLE_PROTECTED="true")
        assert (done.returncode, rows(postgres16, target)) == (0, 1000), done.stderr

    def test_a_name_that_is_not_the_targets_is_refused_everywhere(self, settings: Settings) -> None:
        done = run(settings, "restore", "--latest", "--yes", "--confirm", "another")
        assert done.returncode == 2

    def test_the_question_wants_the_name(
        self, settings: Settings, postgres16: PostgresServer
    ) -> None:
        protected = settings.model_copy(update={"protected": True})
        question = f"Type the target's name, {settings.pgdatabase}, to confirm:"
        code, shown = ask(protected, "yes\n", "--latest", question=question)
        assert (code, rows(postgres16, settings.pgdatabase)) == (130, 0)
        assert "PROTECTED" in shown
        code, _ = ask(protected, f"{settings.pgdatabase}\n", "--latest", question=question)
        assert (code, rows(postgres16, settings.pgdatabase)) == (0, 1000)

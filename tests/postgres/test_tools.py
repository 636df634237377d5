"""Client tools: which one is taken, and what it may know."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pgconsole.demo.servers import PostgresServer, embedded_bin_dir
from pgconsole.errors import ToolError
from pgconsole.postgres import tools
from pgconsole.settings import Settings

ODD_NAMES = ["a=b", "two words", "postgresql://x/y", "it's", 'say "hi"', "-leading", "Ünï"]


@pytest.fixture
def only_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """No installed package of the machine is found, only what the test puts on PATH."""
    monkeypatch.setattr(tools, "_PACKAGE_DIRECTORIES", ())


def put_on_path(monkeypatch: pytest.MonkeyPatch, *directories: Path) -> None:
    monkeypatch.setenv("PATH", ":".join(map(str, directories)))


def script(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("only_path")
class TestChoice:
    def test_same_major_wins(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put_on_path(monkeypatch, embedded_bin_dir(18), embedded_bin_dir(16))
        assert tools.choose_tool("pg_dump", 16).path == embedded_bin_dir(16) / "pg_dump"
        assert tools.choose_tool("psql", 18).path == embedded_bin_dir(18) / "psql"

    def test_smallest_newer_otherwise(self, monkeypatch: pytest.MonkeyPatch) -> None:
        put_on_path(monkeypatch, embedded_bin_dir(18), embedded_bin_dir(16))
        assert tools.choose_tool("pg_dump", 14).major == 16
        assert tools.choose_tool("pg_dump", 17).major == 18

    def test_first_on_path_among_equals(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        wrapper = script(tmp_path / "bin", "pg_dump", "echo 'pg_dump (PostgreSQL) 16.1 (mine)'")
        put_on_path(monkeypatch, wrapper.parent, embedded_bin_dir(16))
        chosen = tools.choose_tool("pg_dump", 16)
        assert (chosen.path, chosen.version) == (wrapper, "16.1")

    def test_older_is_refused_and_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put_on_path(monkeypatch, embedded_bin_dir(16))
        with pytest.raises(ToolError) as caught:
            tools.choose_tool("pg_dump", 18)
        assert "server is PostgreSQL 18, found was 16." in caught.value.cause
        assert str(embedded_bin_dir(16)) in caught.value.cause
        assert "postgresql-client-18" in caught.value.fix

    def test_none_at_all(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        put_on_path(monkeypatch, tmp_path)
        with pytest.raises(ToolError, match="not installed"):
            tools.choose_tool("pg_dump", 16)

    @pytest.mark.parametrize("text", ["echo hello", "exit 1", "echo 'pg_dump (PostgreSQL) x'"])
    def test_what_is_no_pg_dump_is_passed_over(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
    ) -> None:
        script(tmp_path / "bin", "pg_dump", text)
        put_on_path(monkeypatch, tmp_path / "bin", embedded_bin_dir(16))
        assert [tool.major for tool in tools.installed_tools("pg_dump")] == [16]

    def test_development_versions(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        script(tmp_path / "bin", "pg_dump", "echo 'pg_dump (PostgreSQL) 19beta1'")
        put_on_path(monkeypatch, tmp_path / "bin")
        assert tools.choose_tool("pg_dump", 18).version == "19beta1"

    def test_debians_wrapper_is_passed_over(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        wrapper = script(tmp_path / "share", "pg_wrapper", "echo 'pg_dump (PostgreSQL) 16.1'")
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "pg_dump").symlink_to(wrapper)
        put_on_path(monkeypatch, tmp_path / "bin")
        assert tools.installed_tools("pg_dump") == []


def test_packages_are_found_without_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "17").mkdir()
    script(tmp_path / "17" / "bin", "pg_dump", "echo 'pg_dump (PostgreSQL) 17.2'")
    monkeypatch.setattr(tools, "_PACKAGE_DIRECTORIES", ((str(tmp_path), "*/bin"),))
    put_on_path(monkeypatch, tmp_path)
    assert tools.choose_tool("pg_dump", 17).path == tmp_path / "17" / "bin" / "pg_dump"


class TestEnvironment:
    def test_only_what_a_tool_needs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("AWS_SECRET_ACCESS_KEY", "PGCLIENTENCODING", "SOMETHING"):
            monkeypatch.setenv(name, "x")
        monkeypatch.setenv("PGSSLMODE", "verify-full")
        monkeypatch.setenv("PGPASSFILE", "/somewhere")
        monkeypatch.setenv("PGHOST", "elsewhere")
        environment = tools.tool_environment(Settings.model_validate({"PGHOST": "here"}))
        assert environment["PGHOST"] == "here"
        assert environment["PGSSLMODE"] == "verify-full"
        assert environment["PGPASSFILE"] == "/somewhere"
        assert "PGPASSWORD" not in environment
        assert not {"AWS_SECRET_ACCESS_KEY", "PGCLIENTENCODING", "SOMETHING"} & set(environment)

    def test_command_masks_the_password_and_quotes(self) -> None:
        settings = Settings.model_validate({"PGPASSWORD": "s3cret", "PGDATABASE": "it's"})
        line = tools.command_line(settings, ["/usr/bin/pg_dump", "--clean"])
        assert "s3cret" not in line
        assert "PGPASSWORD=***" in line
        assert line.endswith("""PGDATABASE='it'"'"'s' /usr/bin/pg_dump --clean""")

    @pytest.mark.parametrize("database", ODD_NAMES)
    def test_names_are_taken_literally(self, postgres16: PostgresServer, database: str) -> None:
        assert f'database "{database}" does not exist' in pg_dump_says(postgres16, database)

    def test_a_service_leads_nowhere_else(
        self, postgres16: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """To libpq the file of a service counts more than PGHOST, PGPORT, PGUSER and PGDATABASE."""
        (tmp_path / "services").write_text(
            "[other]\nhost=192.0.2.1\nport=1\nuser=nobody\ndbname=postgres\n"
        )
        monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
        monkeypatch.setenv("PGSERVICE", "other")
        assert 'database "mine" does not exist' in pg_dump_says(postgres16, "mine")


def pg_dump_says(server: PostgresServer, database: str) -> str:
    """What pg_dump says of a database that does not exist."""
    settings = Settings.model_validate({**server.environment, "PGDATABASE": database})
    answer = subprocess.run(
        [
            embedded_bin_dir(16) / "pg_dump", "--no-password",
            f"--dbname={tools.tool_conninfo(settings)}",
        ],
        env=tools.tool_environment(settings), capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer.stderr


def test_psycopg_is_imported_before_its_modules():
    """Two threads, of which one imports the package and one a module in it, get half of one."""
    sources = Path(tools.__file__).parents[1].rglob("*.py")
    assert not [path for path in sources if re.search(r"(?m)^ +from psycopg\.", path.read_text())]

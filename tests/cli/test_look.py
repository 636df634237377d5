"""`pgconsole show`, `rows` and `sql`: the real program on real backups, here and in S3."""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM, environment, run
from tests.conftest import MakeSettings
from tests.e2e.terminal import open_terminal
from tests.guide import guide_backup

from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e
AT = datetime(2026, 2, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def settings(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, s3: S3Server,
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch,
) -> Settings:  # fmt: skip
    monkeypatch.setenv("PATH", postgres16.environment["PATH"] + os.pathsep + os.environ["PATH"])
    return make_settings(postgres16, database, **s3.environment(s3_bucket))


def backup(settings: Settings) -> Path:
    done = run(settings, "backup")
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.splitlines()[0])


def lines(settings: Settings, *arguments: str) -> list[str]:
    done = run(settings, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_show_says_what_changed(settings: Settings, postgres16: PostgresServer) -> None:
    old = guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, AT - timedelta(days=1))
    assert run(settings, "verify", old.name).returncode == 0
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("DELETE FROM users WHERE id > 400; DROP TABLE empty")
        connection.execute('CREATE TABLE "new\ttable" AS SELECT 1 AS x')
    new = backup(settings)
    done = run(settings, "show", new.name)
    assert done.returncode == 0, done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(row[0], row[1], row[2], row[5]) for row in rows] == [
        ("public.new\\ttable", "1", "+1", "added"),
        ("public.users", "400", "-600", "shrank"),
        ("public.empty", "0", "+0", "gone"),
    ]
    assert f"before    {old.name}" in done.stderr
    assert "evidence  complete" in done.stderr
    told = json.loads(run(settings, "show", "--json", "--s3", new.name).stdout)
    assert (told["place"], told["manifest"]["database"]) == ("s3", settings.pgdatabase)
    assert "no backup is older" in told["comparison_problem"]
    assert {table["table"]: table["rows"] for table in told["tables"]} == {
        "new\ttable": 1, "users": 400,
    }  # fmt: skip


def test_rows_of_a_table(settings: Settings) -> None:
    name = backup(settings).name
    done = run(settings, "rows", name, "users", "--limit", "2", "--offset", "7")
    assert done.stdout == "id,name\n8,user 8\n9,user 9\n"
    assert "2 of 1,000 rows; --offset 9 goes on" in done.stderr
    there = run(settings, "rows", f"daily/{name}", "public.users", "--s3", "--limit", "0")
    read = list(csv.reader(io.StringIO(there.stdout)))
    assert read == [["id", "name"], *([str(i), f"user {i}"] for i in range(1, 1001))]
    assert len(lines(settings, "rows", name, "users")) == 101
    assert lines(settings, "rows", name, "users", "--offset", "2000") == ["id,name"]


def test_export_never_overwrites(settings: Settings, tmp_path: Path) -> None:
    name = backup(settings).name
    done = run(settings, "rows", name, "users", "--csv", "users.csv")
    assert done.returncode == 0, done.stderr
    assert Path("users.csv").read_text().splitlines()[:2] == ["id,name", "1,user 1"]
    again = run(settings, "rows", name, "users", "--csv", "users.csv")
    assert again.returncode == 1
    assert "a file of this name exists" in again.stderr
    assert run(settings, "rows", name, "users", "--csv", "x", "--limit", "3").returncode == 2
    assert [path.name for path in Path.cwd().glob("*.csv*")] == ["users.csv"]


def test_sql_of_objects(settings: Settings) -> None:
    name = backup(settings).name
    listed = [line.split("\t") for line in lines(settings, "sql", name)]
    assert ["TABLE", "public", "users"] in listed
    assert ["CONSTRAINT", "public", "users users_pkey"] in listed
    printed = run(settings, "sql", name, "public.users", "--s3").stdout
    assert "CREATE TABLE public.users (\n    id integer NOT NULL,\n    name text\n);" in printed
    assert printed.count("-- Name:") == 1


def test_old_backups_say_what_is_possible(settings: Settings, postgres16: PostgresServer) -> None:
    path = guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, AT)
    shown = run(settings, "show", path.name)
    assert (shown.returncode, shown.stdout) == (0, "")
    assert "has no manifest" in shown.stderr
    assert "verify the backup" in shown.stderr
    rows = run(settings, "rows", path.name, "users", "--limit", "1")
    assert rows.stdout == "id,name\n1,user 1\n"
    assert "it is read from the front" in rows.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "nothing"), "it is no name of a backup"),
        (("rows", "{name}", "user"), "close to it are 'public.users'"),
        (("sql", "{name}", "nobody"), "There is no object 'nobody'"),
        (("show", "x_daily_20260224_020000.sql.gz", "--s3"), "has no object"),
    ],
)
def test_what_is_not_there(settings: Settings, arguments: tuple[str, ...], says: str) -> None:
    name = backup(settings).name
    done = run(settings, *(argument.format(name=name) for argument in arguments))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_data_does_not_act_on_a_terminal(settings: Settings, postgres16: PostgresServer) -> None:
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("CREATE TABLE evil AS SELECT E'\\x1b[2Jgone\\x07' AS x")
    name = backup(settings).name
    assert run(settings, "rows", name, "evil").stdout == "x\n\x1b[2Jgone\x07\n"
    terminal = open_terminal([PROGRAM, "rows", name, "evil"], environment(settings))
    try:
        terminal.wait_for("\\x1b[2Jgone\\x07")
    finally:
        terminal.close()

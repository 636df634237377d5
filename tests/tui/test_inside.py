"""A backup opened by keys: on real servers, on silent ones, and with whatever names there are."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.conftest import MakeSettings, create_database, drop_database
from tests.guide import guide_backup
from tests.tui.driving import shown, until, until_shown
from tests.tui.inside_scenes import SCENES
from textual.pilot import Pilot

from pgconsole import jobs
from pgconsole.app import PgconsoleApp
from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import local_backups
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.screens.backup import BackupScreen
from pgconsole.screens.export import proposed
from pgconsole.screens.main import MainScreen
from pgconsole.screens.rows import RowsScreen
from pgconsole.settings import Settings
from pgconsole.widgets.cells import fitted, visible

TAKEN = datetime(2026, 2, 24, 2, 0, tzinfo=UTC)
SCRIPT = r"""
CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users SELECT i, 'user ' || i FROM generate_series(1, 1000) i;
CREATE TABLE "[red]odd[/]" ("[bold]x" text);
INSERT INTO "[red]odd[/]" VALUES ('[blink]not markup'), (NULL), (''), (E'\x1b[2J');
"""


@pytest.fixture(scope="module")
def odd(postgres16: PostgresServer) -> Iterator[str]:
    create_database(postgres16, "opened", SCRIPT)
    yield "opened"
    drop_database(postgres16, "opened")


@pytest.fixture
def real(
    make_settings: MakeSettings, postgres16: PostgresServer, odd: str, s3: S3Server,
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch,
) -> Settings:  # fmt: skip
    """A backup of the old scripts, and a later one of pgconsole, here and in a bucket."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, odd, **s3.environment(s3_bucket))
    guide_backup(postgres16, odd, settings.backup_dir, TAKEN - timedelta(days=1))
    run_backup(settings, BackupRequest(actor="tests", slot=TAKEN), lambda _: None)
    return settings


async def opened(pilot: Pilot[None], *keys: str) -> BackupScreen:
    """Open the selected backup."""
    await pilot.press(*keys, "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, BackupScreen))
    screen = pilot.app.screen
    assert isinstance(screen, BackupScreen)
    return screen


@pytest.mark.parametrize("pane", ["1", "2"])
async def test_look_inside_here_and_in_s3(real: Settings, pane: str) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press(pane)
        await until(pilot, lambda: app.screen._backups.selected is not None)  # type: ignore[attr-defined]
        await opened(pilot)
        await until_shown(pilot, "public.users")
        await until_shown(pilot, "public.[red]odd[/]")
        await pilot.press("s", "s", "g", "enter")  # the table with most rows first
        await until_shown(pilot, "user 2\n")
        assert "1,000 rows · 2 columns" in shown(app.screen)
        await pilot.press("G")
        await until_shown(pilot, "user 1000")
        await pilot.press("pageup", "g")
        await until_shown(pilot, "user 3\n")
        await pilot.press("escape", "G", "enter")
        await until_shown(pilot, "[blink]not markup")
        await until_shown(pilot, "␛[2J")
        assert "∅" in shown(app.screen)
        assert '""' in shown(app.screen)
        await pilot.press("enter")
        await until_shown(pilot, "Row 1 of public.[red]odd[/]")
        await pilot.press("escape", "escape", "4")
        await until_shown(pilot, "users_pkey")
        await pilot.press("slash", *"users$", "enter", "enter")
        await until_shown(pilot, "CREATE TABLE public.users")
        await pilot.press("escape")
        await until_shown(pilot, "1/")
        await pilot.press("escape")  # clears the filter
        await until_shown(pilot, "users_pkey")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, MainScreen))


async def test_verifying_brings_tables_and_something_to_compare_with(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(100, 30)) as pilot:
        await until_shown(pilot, "· listed")
        await opened(pilot, "G")
        await until_shown(pilot, "has no manifest")
        await pilot.press("f")
        await until_shown(pilot, "public.users")
        await pilot.press("escape")
        await opened(pilot)
        await until_shown(pilot, "f reads the file")
        await pilot.press("v")
        await until_shown(pilot, "Verify this copy?")
        await pilot.press(*"yes", "enter")
        await until_shown(pilot, "public.users", timeout=60)
        await until_shown(pilot, "✓ complete")
        await pilot.press("escape", "g")
        await opened(pilot)
        await pilot.press("2")
        await until_shown(pilot, "Compared with opened_daily_20260223_020000.sql.gz")
        await until_shown(pilot, "= same")
    assert [job.kind for job in jobs.list_jobs(real)] == ["verify"]
    assert all(one.has_manifest for one in local_backups(real).backups)


async def test_export_by_key(real: Settings, tmp_path: Path) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await until_shown(pilot, "✓ complete")
        await opened(pilot)
        await until_shown(pilot, "public.users")
        await pilot.press("slash", *"users", "enter", "x")
        await until_shown(pilot, "Export public.users?")
        await pilot.press("enter")
        await until_shown(pilot, "1,000 rows in", timeout=60)
        await until_shown(pilot, "Export done")
        await pilot.press("x")
        await until_shown(pilot, "Export public.users?")
        await pilot.press("enter")
        await until_shown(pilot, "that file exists: choose another name")
        await pilot.press("escape", "z")
        await until(pilot, lambda: "Export done" not in shown(app.screen))
    written = (tmp_path / "users.csv").read_text()
    assert written == "id,name\n" + "".join(f"{i},user {i}\n" for i in range(1, 1001))


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


async def test_a_silent_bucket_keeps_nobody_waiting(real: Settings, silent: str) -> None:
    """Listed while it answered, opened when it no longer does."""
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: app.screen._backups.selected is not None)  # type: ignore[attr-defined]
        app.screen.settings = real.model_copy(update={"s3_endpoint_url": silent})  # type: ignore[attr-defined]
        screen = await opened(pilot)
        await until_shown(pilot, "Reading the manifest of")
        await until_shown(pilot, "no answer for")
        await pilot.press("3", "4", "1", "escape")
        await until(pilot, lambda: isinstance(app.screen, MainScreen))
        assert not screen.is_running


async def test_rows_that_come_late_are_shown_where_they_belong() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RowsScreen))
        await pilot.press("G")
        await until_shown(pilot, "document 300")
        await pilot.press("g")
        await until_shown(pilot, "document 2 ")
        await pilot.resize_terminal(30, 20)
        await until_shown(pilot, "document 2 ")
        await pilot.press("G")
        await until_shown(pilot, "▌300")
        await pilot.press("right", "right", "right")
        await until(pilot, lambda: "document 300" not in shown(app.screen))


async def test_palette_and_help_are_those_of_the_screen() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents")
        await pilot.press("colon")
        await until_shown(pilot, "Export the selected table")
        await pilot.press(*"revers", "enter")
        await until(pilot, lambda: isinstance(app.screen, BackupScreen))
        await pilot.press("question_mark")
        await until_shown(pilot, "Write all rows of the selected table")


def test_text_of_any_kind_fits() -> None:
    assert visible("a\tb\x1b[2J\n\x7f\u202e") == "a␉b␛[2J␊␡�"
    assert fitted("漢字漢字", 5) == "漢字…"
    assert fitted("漢字", 3) == "漢…"
    assert fitted("abc", 5, right=True) == "  abc"
    assert fitted("abc", 0) == ""


def test_a_name_for_the_file_is_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.tui.inside_scenes import opened as opened_scene

    names = [proposed(table) for table in opened_scene().tables]
    assert names == ["documents.csv", "odd_table.csv", "empty.csv", "users.csv"]

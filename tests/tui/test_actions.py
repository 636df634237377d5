"""Verify, restore, pin, pause and prune by key, on real servers."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.conftest import MakeSettings
from tests.guide import guide_backup
from tests.tui.driving import shown, until, until_shown
from textual.pilot import Pilot

from pgconsole import jobs
from pgconsole.app import PgconsoleApp
from pgconsole.backups.confirmation import confirm_restore
from pgconsole.backups.pins import read_pins
from pgconsole.backups.restore_copy import find_copy
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.jobs.texts import JSON
from pgconsole.schedule.state import read_pause
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

TAKEN = datetime(2026, 2, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def real(
    make_settings: MakeSettings,
    postgres16: PostgresServer,
    database: str,
    s3: S3Server,
    s3_bucket: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """One backup of the old scripts here, and the same in a bucket."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database, **s3.environment(s3_bucket))
    path = guide_backup(postgres16, database, settings.backup_dir, TAKEN)
    there = s3.buckets / s3_bucket / "backups" / "daily" / path.name
    there.parent.mkdir(parents=True)
    there.write_bytes(path.read_bytes())
    return settings


async def say_yes(pilot: Pilot[None]) -> None:
    await until_shown(pilot, "Type yes to")
    await pilot.press("y", "e", "s", "enter")


def audited(settings: Settings) -> list[str]:
    lines = (settings.state_dir / "audit.log").read_text().splitlines()
    return [json.loads(line)["action"] for line in lines]


async def test_verify_here_and_in_s3(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "was never verified; no good one exists")
        await pilot.press("1")
        await until(pilot, lambda: shown(app.screen).count("· listed  ") == 2)
        await pilot.press("v")
        await until_shown(pilot, "Verify this copy?")
        await say_yes(pilot)
        await until_shown(pilot, "Verify done", timeout=60)
        await until_shown(pilot, "✓ complete: read whole, nothing missing")
        await until_shown(pilot, "(complete, local + S3 listed only)")
        assert shown(app.screen).count("· listed  ") == 1  # the copy in S3 is another one
        await pilot.press("2", "v")
        await until_shown(pilot, "pgconsole verify --s3")
        await say_yes(pilot)
        await until(pilot, lambda: "· listed  " not in shown(app.screen), timeout=60)
    kinds = [(job.kind, *sorted(job.request)) for job in jobs.list_jobs(real)]
    assert kinds == [("verify", "keys", "paths")] * 2
    assert jobs.list_jobs(real)[0].request["paths"] == []


async def test_damage_is_said_where_it_is(real: Settings) -> None:
    path = next(real.backup_dir.glob("daily/*.gz"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "! differs")
        await pilot.press("v")
        await say_yes(pilot)
        await until_shown(pilot, "✗ damaged", timeout=60)
        await until_shown(pilot, "is damaged: ")
        await pilot.press("z", "r")
        await until_shown(pilot, "✗ The copy was found damaged")
        await until_shown(pilot, "The gzip member")
        await until_shown(pilot, "✗ Can't be restored")


async def test_restore_brings_back_and_shows_what_was_checked(
    real: Settings, postgres16: PostgresServer
) -> None:
    with postgres16.connect(real.pgdatabase) as connection:
        connection.execute("DELETE FROM users WHERE id > 10")
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "· listed")
        await pilot.press("r")
        await until_shown(pilot, "What the backup holds is not known: it has no manifest. 10 rows")
        await until_shown(pilot, "? 1 not known")  # nobody has verified it
        await pilot.press("enter")
        await say_yes(pilot)
        await until_shown(pilot, "Restore done", timeout=60)
        await until_shown(pilot, "as expected")
        await until_shown(pilot, "✓ restored")
        await pilot.press("o")
        await until_shown(pilot, "EXPECTED      FOUND")
        await until_shown(pilot, "public.users")
        assert "1,000      1,000" in shown(app.screen)
    with postgres16.connect(real.pgdatabase) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
    job = jobs.list_jobs(real)[0]
    assert job.request["database"] == real.pgdatabase
    assert list((real.backup_dir / "safety").glob("pre_restore_*.sql.gz"))


async def test_a_failed_restore_says_how_the_target_is(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "· listed")
        await pilot.press("2")
        await until_shown(pilot, "[2 S3 · 1]")
        await pilot.press("r", *"_none", "enter")
        await until_shown(pilot, f"✗ Can't be restored: Database '{real.pgdatabase}_none'")
        await say_yes(pilot)
        await until_shown(pilot, "Nothing happens. Database")
        assert jobs.list_jobs(real) == []
        await pilot.press("escape")
        # Headless it can be tried all the same.
        copy = find_copy(real, Place.LOCAL, str(next(real.backup_dir.glob("daily/*.gz"))))
        database = f"{real.pgdatabase}_none"
        request: dict[str, JSON] = {
            "place": "local", "location": copy.location, "database": database,
            "confirmation": confirm_restore("yes", real, database, copy),
        }  # fmt: skip
        jobs.start(real, "restore", request, "ana")
        await until_shown(pilot, "Restore failed", timeout=60)
        await until_shown(pilot, database)
        await pilot.press("o")
        await until_shown(pilot, "✗ Restore failed")


async def test_a_plan_changes_nothing(real: Settings, postgres16: PostgresServer) -> None:
    """In read-only mode too; rows now and newest, as the server has them."""
    with postgres16.connect(real.pgdatabase) as connection:
        connection.execute("CREATE TABLE log (at timestamptz); INSERT INTO log VALUES (now())")
    watching = Settings.model_validate(real.environment() | {"PGCONSOLE_READ_ONLY": "true"})
    before = sorted(real.backup_dir.rglob("*"))
    app = PgconsoleApp(watching)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "· listed")
        await pilot.press("r", "R")
        await until_shown(pilot, "Only a plan")
        await until_shown(pilot, "1,001 rows in 3 tables now, and any of them may be lost")
        await until_shown(pilot, "stays")
        assert "Type yes" not in shown(app.screen)
        await pilot.press("escape")
        await until_shown(pilot, "READ-ONLY")
    assert sorted(real.backup_dir.rglob("*")) == before


async def test_pin_and_unpin(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        await until(pilot, lambda: shown(app.screen).count("· listed  ") == 2)
        await pilot.press("p")
        await until_shown(pilot, "Pin this backup?")
        await pilot.press(*"before", "space", *"[v2]", "enter")
        await until(pilot, lambda: "▌ ★2026-02-24 02:00" in shown(app.screen))
        await until_shown(pilot, "★ pinned by ")
        await until_shown(pilot, ": before [v2]")
        assert [pin.note for pin in read_pins(real).values()] == ["before [v2]"]
        await pilot.press("p")
        await until_shown(pilot, "Unpin this backup?")
        await pilot.press("enter")
        await until_shown(pilot, "Nothing typed: nothing happens")
        await say_yes(pilot)
        await until(pilot, lambda: "★" not in shown(app.screen))
    assert read_pins(real) == {}
    assert audited(real) == ["pin", "unpin"]


async def test_pause_wants_a_reason_and_resume_a_yes(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "Schedule · in")
        await pilot.press("P")
        await until_shown(pilot, "Pause the schedule?")
        await pilot.press("enter", "enter")
        await until_shown(pilot, "A pause needs a reason")
        await pilot.press(*"moving", "enter", *"nonsense", "enter")
        await until_shown(pilot, "'nonsense' is no end for a pause")
        assert read_pause(real, datetime.now(UTC)) is None
        await pilot.press("ctrl+u", "2", "h", "enter")
        await until_shown(pilot, "3 Schedule · paused")
        await until_shown(pilot, "! Schedule paused")
        paused = read_pause(real, datetime.now(UTC))
        assert paused is not None
        assert paused.reason == "moving"
        assert paused.until is not None
        assert timedelta(minutes=119) < paused.until - paused.since <= timedelta(hours=2)
        await pilot.press("3")
        await until_shown(pilot, "“moving”, by")
        await pilot.press("P")
        await say_yes(pilot)
        await until_shown(pilot, "3 Schedule · in")
    assert read_pause(real, datetime.now(UTC)) is None
    assert audited(real) == ["pause schedule", "resume schedule"]


async def prune(pilot: Pilot[None]) -> None:
    await pilot.press("colon")
    await until_shown(pilot, "Search for commands")
    await pilot.press(*"retention")
    await until_shown(pilot, "shows each file that goes")
    await pilot.press("enter")


async def test_retention_shows_its_plan_before_anything_goes(
    make_settings: MakeSettings, postgres16: PostgresServer, database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database, RETENTION_DAILY="1")
    paths = [
        guide_backup(postgres16, database, settings.backup_dir, TAKEN - timedelta(days=day))
        for day in range(2)
    ]
    app = PgconsoleApp(settings)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[1 Local · 2]")
        await prune(pilot)
        await until_shown(pilot, "Nothing is to be deleted")
        await pilot.press("escape", "v")
        await say_yes(pilot)
        await until_shown(pilot, "✓ complete", timeout=60)
        await prune(pilot)
        await until_shown(pilot, "Apply retention now?")
        await until_shown(pilot, f"daily/{paths[1].name}"[:55])
        assert paths[1].exists()
        await say_yes(pilot)
        await until_shown(pilot, "[1 Local · 1]", timeout=60)
    assert [path.exists() for path in paths] == [True, False]


async def test_without_a_backup_there_is_nothing_to_ask(make_settings: MakeSettings) -> None:
    """Nothing selected: the keys for the selected copy do nothing, and the footer greys them."""
    app = PgconsoleApp(make_settings())
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "no backup yet")
        await pilot.press("v", "r", "p")
        assert len(app.screen_stack) == 2


async def test_harmless_work_is_not_asked_about_if_that_is_not_wanted(real: Settings) -> None:
    app = PgconsoleApp(real.model_copy(update={"confirm": "destructive"}))
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "· listed")
        await pilot.press("v")
        await until_shown(pilot, "Verify done", timeout=60)
        await pilot.press("X")
        await until_shown(pilot, "None of these may be deleted")
        await pilot.press("escape", "r")
        await until_shown(pilot, "Type yes to")
    assert [job.kind for job in jobs.list_jobs(real)] == ["verify"]

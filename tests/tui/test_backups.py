"""The lists of backups by keys: filter, order, marks, and what is done to all that are marked."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.backups.shelf import keys, local_names, look_at_all, put_s3
from tests.conftest import MakeSettings
from tests.guide import guide_backup
from tests.tui.driving import shown, until, until_shown
from tests.tui.scenes import SCENES, Scene, listing, local_shelf
from textual.pilot import Pilot

from pgconsole import jobs
from pgconsole.app import PgconsoleApp
from pgconsole.backups.catalog import local_backups
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings
from pgconsole.storage.base import Place
from pgconsole.widgets.backups import Backups
from pgconsole.widgets.shelf import shelf_of

TAKEN = datetime(2026, 2, 24, 2, 0, tzinfo=UTC)


def lists(pilot: Pilot[None]) -> Backups:
    return pilot.app.screen.query_one(Backups)


def paths(pilot: Pilot[None]) -> list[str]:
    """What the active list shows."""
    return [row.path for row in lists(pilot).active.table.rows]


async def say_yes(pilot: Pilot[None]) -> None:
    await until_shown(pilot, "Type yes to")
    await pilot.press(*"yes", "enter")


async def test_filter_is_seen_counted_and_taken_off() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[0 All · 27]")
        await pilot.press("slash", *"weekly")
        await until_shown(pilot, "[0 All · 3/27]")
        await until_shown(pilot, "Shown: 3 of 27 (filter weekly)")
        assert all("/" in path and path.startswith("weekly") for path in paths(pilot))
        await pilot.press("enter", "j")  # the list has the keys again, the filter stays
        assert lists(pilot).active.table.cursor == 1
        assert "weekly" in shown(app.screen)
        await pilot.press("2")
        await until_shown(pilot, "[2 S3 · 3/27]")  # one filter for all lists
        await pilot.press("escape")
        await until_shown(pilot, "[2 S3 · 27]")
        assert "Shown:" not in shown(app.screen)


async def test_a_filter_that_is_no_expression_changes_nothing() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[0 All · 27]")
        await pilot.press("slash", "left_parenthesis")
        await until_shown(pilot, "! missing ), unterminated")
        assert len(paths(pilot)) == 27
        await pilot.press("backspace", *"!daily")
        await until_shown(pilot, "[0 All · 3/27]")
        await pilot.press(*"[0-9]", "escape")  # Esc clears it first
        await until_shown(pilot, "[0 All · 27]")


async def test_order_with_an_arrow_and_the_cursor_on_its_backup() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "TAKEN UTC ▼")
        await pilot.press("j", "j", "j")
        table = lists(pilot).active.table
        before = table.selected
        await pilot.press("S")
        await until_shown(pilot, "TAKEN UTC ▲")
        assert paths(pilot)[-1].endswith("20260225_020000.sql.gz")
        assert table.selected == before
        await pilot.press("s")
        await until_shown(pilot, "SIZE ▼")
        assert "TAKEN UTC ▲" not in shown(app.screen)
        sizes = [row.local.size for row in table.rows if row.local]
        assert sizes == sorted(sizes, reverse=True)


async def test_only_what_is_wrong() -> None:
    app = SCENES["damaged"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[0 All · 27]")
        await pilot.press("exclamation_mark")
        await until_shown(pilot, "Shown: 1 of 27 (only what is wrong)")
        await until_shown(pilot, "✗ damaged: member 17")
        await pilot.press("exclamation_mark")
        await until_shown(pilot, "[0 All · 27]")


async def test_an_unreachable_bucket_makes_places_a_guess() -> None:
    app = SCENES["s3_unreachable"]().app()
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "local ?")
        assert "The bucket my-thinktank-backups can't be reached" in shown(app.screen)
        await pilot.press("exclamation_mark")  # what is not known is not wrong
        await until_shown(pilot, "Shown: 0 of 27")


async def test_an_odd_size_is_marked_with_its_reason() -> None:
    found = listing(Place.LOCAL)
    small = replace(found.backups[0], size=5_000_000)
    odd = local_shelf(replace(found, backups=(small, *found.backups[1:])))
    app = Scene(local=odd, s3=shelf_of(replace(found, backups=()))).app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "!4.8 MiB")
        await until_shown(pilot, "! odd: its size is 4 % of the usual (the median of the 7 before)")


async def test_marks_are_shown_counted_and_kept() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[0 All · 27]")
        await pilot.press("space", "space")
        await until_shown(pilot, "2 marked")
        assert shown(app.screen).count("\n  +") + shown(app.screen).count("\n +") == 2
        await pilot.press("1")
        await until_shown(pilot, "2 marked")  # the same backups in every list
        await pilot.press("k", "space")
        await until_shown(pilot, "1 marked")
        await pilot.press("asterisk")
        await until_shown(pilot, "27 marked")
        await pilot.press("asterisk")
        await until(pilot, lambda: "marked" not in shown(app.screen))
        await pilot.press("space", "escape")
        await until(pilot, lambda: "marked" not in shown(app.screen))


async def test_path_or_url_is_copied() -> None:
    app = SCENES["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[0 All · 27]")
        await pilot.press("y")
        name = "daily/thinktank_daily_20260225_020000.sql.gz"
        await until(pilot, lambda: app.clipboard == f"/backups/{name}")
        await pilot.press("2", "y")
        url = f"s3://my-thinktank-backups/backups/{name}"
        await until(pilot, lambda: app.clipboard == url)
        await pilot.press("space", "space", "y")
        await until(pilot, lambda: len(app.clipboard.splitlines()) == 2)


@pytest.fixture
def real(
    make_settings: MakeSettings, postgres16: PostgresServer, database: str, s3: S3Server,
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch,
) -> Settings:  # fmt: skip
    """Three backups here, of which the newer two are in S3 too."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    settings = make_settings(postgres16, database, **s3.environment(s3_bucket))
    for day in range(3):
        taken = TAKEN - timedelta(days=day)
        guide_backup(postgres16, database, settings.backup_dir, taken)
    for backup in local_backups(settings).backups[:2]:
        put_s3(settings, backup.name, Path(backup.location).read_bytes())
    return settings


async def test_marked_copies_are_verified_in_one_job(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "0 All backups · 3")
        await pilot.press("asterisk", "v")
        await until_shown(pilot, "Verify these 3 copies?")
        await say_yes(pilot)
        await until_shown(pilot, "Verify done", timeout=60)
        await until(pilot, lambda: shown(app.screen).count("✓ complete ") >= 3)
        assert "3 marked" not in shown(app.screen)
    (job,) = jobs.list_jobs(real)
    assert len(job.request["paths"]) == 3  # type: ignore[arg-type]


async def test_marked_objects_are_downloaded(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "0 All backups · 3")
        await until_shown(pilot, "both")
        await pilot.press("asterisk", "d")
        await until_shown(pilot, "Downloads 2 objects")
        await say_yes(pilot)
        await until_shown(pilot, "Download done", timeout=60)
    assert len(list((real.backup_dir / "restored").glob("*.sql.gz"))) == 2


async def test_what_must_stay_is_said_before_anything_is_asked(real: Settings) -> None:
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "0 All backups · 3")
        await pilot.press("X")
        await until_shown(pilot, "None of these may be deleted")
        await until_shown(pilot, "no copy that is proven complete")
        await pilot.press("escape")
        assert jobs.list_jobs(real) == []
    assert len(local_names(real, real.pgdatabase)) == 3


async def test_marked_copies_are_deleted_where_a_proven_one_stays(real: Settings) -> None:
    look_at_all(real)
    app = PgconsoleApp(real)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "0 All backups · 3")
        await until(pilot, lambda: shown(app.screen).count("✓ complete ") >= 3)
        await pilot.press("1", "asterisk", "X")
        await until_shown(pilot, "None of these may be deleted")  # nothing proven would stay
        await pilot.press("escape", "g", "space", "X")
        await until_shown(pilot, "Delete 2 copies?")
        await pilot.press("y", "enter")
        await until_shown(pilot, "nothing happens")
        assert len(local_names(real, real.pgdatabase)) == 3
        await pilot.press("e", "s", "enter")
        await until_shown(pilot, "Delete done", timeout=60)
        await until_shown(pilot, "1 Local backups · 1")
    assert {name.taken_at for name in local_names(real, real.pgdatabase)} == {TAKEN}
    assert len(keys(real)) == 2
    lines = (real.state_dir / "audit.log").read_text().splitlines()
    assert "start delete" in [json.loads(line)["action"] for line in lines]

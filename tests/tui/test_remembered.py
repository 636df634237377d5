"""Views come back in the next console, and a remembered filter is seen."""

from __future__ import annotations

from pathlib import Path

from tests.tui import inside_scenes, job_scenes
from tests.tui.driving import open_jobs, shown, until, until_shown
from tests.tui.scenes import SCENES
from textual.pilot import Pilot

from pgconsole.app import PgconsoleApp
from pgconsole.memory import Memory
from pgconsole.screens.main import MainScreen
from pgconsole.widgets.grid import Grid


def main(file: Path) -> PgconsoleApp:
    """The main screen, with what a file remembers."""
    usual = SCENES["full"]().app()
    memory = Memory(file)
    return PgconsoleApp(usual.settings, sources=usual._sources, now=usual._now, memory=memory)


def inside(file: Path) -> PgconsoleApp:
    """An opened backup, with what a file remembers."""
    app = inside_scenes.SCENES["full"]().app()
    app.memory = Memory(file)
    return app


def all_jobs(file: Path) -> PgconsoleApp:
    """Many jobs, with what a file remembers of their list."""
    app = job_scenes.LISTS["full"]().app()
    app.memory = Memory(file)
    return app


def screen_of(pilot: Pilot[None]) -> MainScreen:
    assert isinstance(pilot.app.screen, MainScreen)
    return pilot.app.screen


async def test_the_pane_and_its_size(tmp_path: Path) -> None:
    app = main(tmp_path / "state.json")
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        height = screen_of(pilot)._panes.backups.size.height
        await pilot.press("plus", "plus", "3")
        await until(pilot, lambda: screen_of(pilot)._panes.backups.size.height > height)
        height = screen_of(pilot)._panes.backups.size.height
    app.memory.settle(20)
    again = main(tmp_path / "state.json")
    async with again.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        assert screen_of(pilot)._panes.active == "schedule"
        assert screen_of(pilot)._panes.backups.size.height == height
        await pilot.press(*["minus"] * 30)
        await until(pilot, lambda: screen_of(pilot)._panes.share == 20)
        assert "Protected" in shown(pilot.app.screen)


async def test_a_pane_that_is_no_more_is_the_first(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    memory = Memory(file)
    app = main(file)
    memory.set("main.pane", "[gone]", of=app.settings)
    memory.set("main.share", 100_000, of=app.settings)
    memory.settle(20)
    app = main(file)
    async with app.run_test(size=(160, 45)) as pilot:
        await until_shown(pilot, "here ✓ complete")
        assert screen_of(pilot)._panes.active == "all"
        assert screen_of(pilot)._panes.share == 80


async def test_the_colours(tmp_path: Path) -> None:
    app = main(tmp_path / "state.json")
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("ctrl+t")
        await until_shown(pilot, "Colours: light")
        assert app.theme == "pgconsole-light"
        await pilot.press("ctrl+t")
        await until_shown(pilot, "Colours: high-contrast")
    app.memory.settle(20)
    assert main(tmp_path / "state.json").theme == "pgconsole-high-contrast"


async def test_sort_and_filter_of_an_opened_backup(tmp_path: Path) -> None:
    app = inside(tmp_path / "state.json")
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "public.documents")
        await pilot.press("s", "s", "slash", *"public", "enter")
        await until_shown(pilot, "ROWS ▼")
        await until_shown(pilot, "[1 Tables · 3/4]")
    app.memory.settle(20)
    again = inside(tmp_path / "state.json")
    async with again.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "ROWS ▼")
        await until_shown(pilot, "[1 Tables · 3/4]")
        assert "/ public" in shown(again.screen)  # nothing is hidden silently
        assert "odd" not in shown(again.screen)
        await pilot.press("2")
        await until(pilot, lambda: "/ public" not in shown(again.screen))
        await pilot.press("1", "escape")
        await until_shown(pilot, "odd [/] table")
    again.memory.settle(20)
    assert Memory(tmp_path / "state.json").get("backup.tables.filter", "x", of=app.settings) == ""


async def test_sort_and_filter_of_the_jobs(tmp_path: Path) -> None:
    app = all_jobs(tmp_path / "state.json")
    async with app.run_test(size=(100, 30)) as pilot:
        grid = (await open_jobs(pilot)).query_one(Grid)
        await until(pilot, lambda: grid.count[0] > 3)
        everything = grid.count[0]
        await pilot.press("s", "s", "slash", *"^backup", "enter")
        await until(pilot, lambda: grid.count[0] < everything)
        order, some = grid.order, grid.count
    app.memory.settle(20)
    again = all_jobs(tmp_path / "state.json")
    async with again.run_test(size=(100, 30)) as pilot:
        grid = (await open_jobs(pilot)).query_one(Grid)
        await until(pilot, lambda: grid.count == some)
        assert grid.order == order
        assert "/ ^backup" in shown(again.screen)  # nothing is hidden silently
        assert f"{some[0]} of {some[1]}" in shown(again.screen)
        await pilot.press("escape")
        await until(pilot, lambda: grid.count[0] == everything)
    again.memory.settle(20)
    assert Memory(tmp_path / "state.json").get("jobs.filter", "x", of=app.settings) == ""


async def test_a_filter_or_column_that_somebody_wrote_there(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    memory = Memory(file)
    app = inside(file)
    memory.set("backup.tables.filter", "([", of=app.settings)
    memory.set("backup.tables.sort", "NO SUCH COLUMN", of=app.settings)
    memory.settle(20)
    app = inside(file)
    async with app.run_test(size=(80, 24)) as pilot:
        await until_shown(pilot, "[1 Tables · 4]")
        assert "([" not in shown(app.screen)

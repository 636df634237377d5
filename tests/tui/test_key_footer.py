"""The line of keys is made anew only when its keys are others."""

from __future__ import annotations

from tests.tui.driving import open_jobs, until, until_shown
from tests.tui.job_scenes import LISTS
from textual.widgets._footer import FooterKey

from pgconsole.widgets.key_footer import KeyFooter


async def test_moving_leaves_it_alone_and_another_state_does_not() -> None:
    app = LISTS["full"]().app()
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_jobs(pilot)
        await until_shown(pilot, "c Cancel")
        await pilot.pause()

        def keys() -> list[FooterKey]:
            return list(screen.query_one(KeyFooter).query(FooterKey))

        before = keys()
        screen.refresh_bindings()
        await pilot.pause()
        assert keys() == before
        await pilot.press("j")  # to a job that has ended: it can be begun anew
        await until(pilot, lambda: keys() and not set(keys()) & set(before))

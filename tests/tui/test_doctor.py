"""The doctor's window: checks as they come, leaving at any time, again by key."""

from __future__ import annotations

import threading
from collections.abc import Generator

import pytest
from tests.conftest import MakeSettings
from tests.tui.driving import shown, until, until_shown
from tests.tui.scenes import Scene

from pgconsole.app import PgconsoleApp
from pgconsole.demo.servers import PostgresServer
from pgconsole.screens.doctor import DoctorScreen
from pgconsole.settings import Settings
from pgconsole.status.checks.base import CheckResult, CheckState


class Patient:
    """Answers one check, then waits to be told to go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.runs = 0
        self.closed = 0

    def __call__(self, _settings: Settings) -> Generator[CheckResult]:
        self.runs += 1
        try:
            yield CheckResult("server", CheckState.OK, "PostgreSQL [16] answers")
            self.go_on.wait(30)
            yield CheckResult("disk", CheckState.FAILED, "full", "no [bold]space", "free some")
            yield CheckResult("S3", CheckState.NOT_SET_UP, "no bucket is set")
        finally:
            self.closed += 1


async def test_checks_come_in_one_by_one_and_again() -> None:
    patient = Patient()
    app = Scene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(DoctorScreen(Scene().settings, patient))
        await until_shown(pilot, "PostgreSQL [16] answers")
        assert "1 ok; still looking …" in shown(app.screen)
        assert "disk" not in shown(app.screen)
        await pilot.press("r")  # not while one run is under way
        patient.go_on.set()
        await until_shown(pilot, "1 failed, 1 ok, 1 not set up")
        text = shown(app.screen)
        assert "still looking" not in text
        assert text.index("✗ failed") < text.index("✓ ok")  # what is wrong comes first
        assert "Cause: no [bold]space" in text
        assert "Next: free some" in text
        await until(pilot, lambda: patient.closed == 1)
        assert patient.runs == 1
        await pilot.press("r")
        await until(pilot, lambda: patient.closed == 2)
        await until_shown(pilot, "1 failed, 1 ok, 1 not set up")
        assert shown(app.screen).count("✗ failed") == 1


async def test_leaving_ends_the_checks_early() -> None:
    patient = Patient()
    app = Scene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(DoctorScreen(Scene().settings, patient))
        await until_shown(pilot, "still looking")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(app.screen, DoctorScreen))
        patient.go_on.set()
        await until(pilot, lambda: patient.closed)  # what probes left behind is cleaned up


async def test_a_fault_of_the_doctor_is_said() -> None:
    def broken(_settings: Settings) -> Generator[CheckResult]:
        yield CheckResult("server", CheckState.OK, "fine")
        raise ValueError("no idea")

    app = Scene().app()
    async with app.run_test(size=(80, 24)) as pilot:
        app.push_screen(DoctorScreen(Scene().settings, broken))
        await until_shown(pilot, "no idea")
        assert "still looking" not in shown(app.screen)


async def test_the_real_checks(
    make_settings: MakeSettings, postgres16: PostgresServer, database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    app = PgconsoleApp(make_settings(postgres16, database))
    async with app.run_test(size=(160, 45)) as pilot:
        await pilot.press("D")
        await until_shown(pilot, "credentials:", timeout=60)
        await until(pilot, lambda: "still looking" not in shown(app.screen), timeout=60)
        await pilot.press("D")
        await until(pilot, lambda: not isinstance(app.screen, DoctorScreen))

"""No secret reaches the terminal, wherever in the console one looks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.cli.program import PROGRAM
from tests.e2e.terminal import PtyTerminal
from tests.security.tour import MARK, Tour
from tests.support import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("security"),
    pytest.mark.timeout(600),
    pytest.mark.e2e,
]

_ESCAPE = re.compile(
    rb"\x1b(?:\[[0-9;?<>=]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][A-Z0-9]|.)"
)

_JOB = re.compile(r"\w+ of (?:[0-9-]+ )?[0-9:]{8}, ")


def _job_of(screen: str) -> str:
    """Which job's log is on the screen."""
    found = _JOB.findall(screen)
    return found[-1] if found else ""


class Console:
    """A console on a screen of its own, all of whose output is kept."""

    def __init__(self, tour: Tour, variables: dict[str, str], columns: int, rows: int) -> None:
        environment = tour.variables | {"TERM": "xterm-256color"} | variables
        # Not tmux, which would need the secrets in its arguments.
        self.terminal = PtyTerminal([PROGRAM], environment, columns, rows)
        self.screens: list[str] = []

    def see(self, *keys: str, shows: str) -> None:
        """Press keys, wait until the screen shows this, and keep it."""
        self.terminal.send(*keys)
        self.screens.append(self.terminal.wait_for(shows, timeout=60))

    def leave(self, gone: str) -> None:
        """Press Escape, and wait until the screen no longer shows this.

        Whatever key came at once would be Alt with that key.
        """
        self.terminal.send("Escape")
        wait_until(lambda: gone not in self.terminal.screen(), timeout=60)

    def see_log_before(self) -> None:
        """Go to the log of the job before, and keep it."""
        before = _job_of(self.terminal.screen())

        def is_another() -> bool:
            return _job_of(self.terminal.screen()) not in ("", before)

        for _ in range(5):  # the log need not have the keys yet
            self.terminal.send("[")
            with suppress(AssertionError):
                wait_until(is_another, timeout=5)
                break
        assert is_another(), self.terminal.screen()
        self.screens.append(self.terminal.screen())

    def must_be_clean(self) -> None:
        """Look through every screen, and through all that was written to the terminal."""
        for screen in self.screens:
            assert MARK not in screen.replace("\n", ""), screen
        assert MARK.encode() not in _ESCAPE.sub(b"", self.terminal.output())


@pytest.fixture
def consoles() -> Iterator[list[Console]]:
    """Consoles that are closed at the end."""
    opened: list[Console] = []
    yield opened
    for console in opened:
        console.terminal.close()


def test_every_screen(short_tour: Tour, consoles: list[Console]):
    console = Console(short_tour, {}, 160, 45)
    consoles.append(console)
    console.see(shows="daily")
    console.see("2", shows="daily")
    console.see("3", shows="Next runs")
    console.see("4", shows="backup")
    console.see("l", shows="backup")
    for _ in range(3):  # those that the tools told on are among them
        console.see_log_before()
    console.see("a", "l", "1", shows="daily")
    console.see("J", shows="SUBJECT")
    console.see(shows="tour from")  # its rows, which come later
    console.see("Enter", shows="Course")
    console.see("2", shows="Result")
    console.see("3", shows="pg_dump")
    console.leave("Course")
    console.leave("SUBJECT")
    for key, title in (
        ("b", "Type yes"),
        ("v", "Type yes"),
        ("r", "Into database on"),
        ("D", "set up"),
        ("?", "Back up now"),
        ("Enter", "public"),
    ):
        console.see(key, shows=title)
        console.leave(title)
    console.see("Enter", shows="public")
    for tab in ("2", "3", "4", "1"):
        console.see(tab, shows="Evidence")
    console.see("Enter", shows="user 1")
    console.see("x", shows="CSV")
    console.leave("CSV")
    console.terminal.send("Escape")
    console.see(shows="Evidence")
    console.terminal.send("Escape")
    console.see(shows="STATE, PROVEN")
    console.see(":", shows="Search")
    console.must_be_clean()


@pytest.mark.parametrize(
    ("variables", "shows"),
    [
        ({"PGPASSWORD": f"wrong{MARK}"}, "password"),
        ({"AWS_SECRET_ACCESS_KEY": f"wrong{MARK}"}, "secret key"),
        ({"PGHOST": "127.0.0.1", "PGPORT": "1"}, "refused"),
    ],
)
def test_what_fails(
    short_tour: Tour, consoles: list[Console], variables: dict[str, str], shows: str
):
    console = Console(short_tour, variables, 160, 45)
    consoles.append(console)
    console.see(shows="daily")
    console.see("2", shows="2")
    console.see("D", shows=shows)
    console.must_be_clean()

"""The doctor: everything that a backup needs, looked at now, as the answers come in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import closing, suppress
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import HorizontalGroup, VerticalGroup
from textual.message import Message
from textual.widget import Widget

from pgconsole.screens.faults import fault
from pgconsole.screens.reading import ReadingScreen
from pgconsole.settings import Settings
from pgconsole.status.checks.base import CheckResult, CheckState
from pgconsole.widgets.line import Line, Part
from pgconsole.widgets.words import clean

SIGNS = {
    CheckState.FAILED: ("✗", "$text-error"),
    CheckState.WARNING: ("!", "$text-warning"),
    CheckState.UNKNOWN: ("?", "$text-warning"),
    CheckState.OK: ("✓", "$text-success"),
    CheckState.NOT_SET_UP: ("–", "$muted"),
}
_WORST_FIRST = tuple(SIGNS)

RunChecks = Callable[[Settings], Generator[CheckResult]]


def run_checks(settings: Settings) -> Generator[CheckResult]:
    """The real checks, imported when they run: they need boto3 and psycopg."""
    from pgconsole.status import doctor  # noqa: PLC0415

    yield from doctor.run_checks(settings)


class DoctorScreen(ReadingScreen):
    """Runs the checks in a thread of its own; leaving does not wait for them.

    Args:
        settings: What is to be looked at.
        checks: Runs them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("D", "dismiss", "Close"),
        Binding("r,ctrl+r", "again", "Again"),
    ]

    class Came(Message):
        """One more result of a run; None: that was all."""

        def __init__(self, run: int, result: CheckResult | None) -> None:
            super().__init__()
            self.run = run
            self.result = result

    def __init__(self, settings: Settings, checks: RunChecks = run_checks) -> None:
        super().__init__("Doctor", "r checks again · ")
        self._settings = settings
        self._checks = checks
        self._run = 0
        self._done = False
        self._results: list[CheckResult] = []
        self._summary = Line(classes="result")
        self._trouble = VerticalGroup()
        self._fine = VerticalGroup(classes="-fine")

    def content(self) -> Iterable[Widget]:
        """A summary, then what needs somebody, then the rest."""
        return self._summary, self._trouble, self._fine

    def on_mount(self) -> None:
        """Begin."""
        self.action_again()

    def on_unmount(self) -> None:
        """What still comes is of no run that is shown."""
        self._run += 1

    def action_again(self) -> None:
        """Check again, once the checks under way have ended."""
        if self._results and not self._done:
            return
        self._run += 1
        self._done = False
        self._results = []
        self._trouble.remove_children()
        self._fine.remove_children()
        self._show()
        run = self._run
        threading.Thread(target=self._look, args=[run], name="doctor", daemon=True).start()

    @on(Came)
    def came(self, message: Came) -> None:
        """Show one more."""
        if message.run != self._run:
            return
        if message.result is None:
            self._done = True
        else:
            self._results.append(message.result)
            fine = message.result.state in (CheckState.OK, CheckState.NOT_SET_UP)
            (self._fine if fine else self._trouble).mount(_row(message.result))
        self._show()

    def _look(self, run: int) -> None:
        with suppress(RuntimeError):  # the console has quit
            try:
                self._tell(run)
            except Exception as error:
                problem = fault("The doctor stopped", error, self._settings.redactor)
                texts = (problem.problem, problem.cause, problem.fix)
                self.post_message(self.Came(run, CheckResult("doctor", CheckState.UNKNOWN, *texts)))
            self.post_message(self.Came(run, None))

    def _tell(self, run: int) -> None:
        # Closed when nobody looks any more: probes that were left in the bucket go too.
        with closing(self._checks(self._settings)) as results:
            for result in results:
                if run != self._run:
                    break
                self.post_message(self.Came(run, result))

    def _show(self) -> None:
        self._summary.show(*summary(self._results, done=self._done))


def summary(results: list[CheckResult], *, done: bool) -> list[Part]:
    """How many of each kind there are so far."""
    counts = [(state, sum(result.state is state for result in results)) for state in _WORST_FIRST]
    told = ", ".join(f"{count} {state}" for state, count in counts if count)
    if done:
        return [(told, "bold")]
    return [(told, "bold"), ("; still looking …" if told else "Looking …", "$muted")]


def _row(result: CheckResult) -> HorizontalGroup:
    sign, style = SIGNS[result.state]
    state = Line(classes="result-state")
    state.show((f"{sign} {result.state}", f"{style} bold"))
    parts: list[Part] = [(f"{clean(result.name)}: ", "bold"), clean(result.found)]
    if result.cause:
        parts.append(f"\nCause: {clean(result.cause)}")
    if result.fix:
        parts.append(f"\nNext: {clean(result.fix)}")
    text = Line(classes="result-text")
    text.show(*parts)
    return HorizontalGroup(state, text, classes="result")

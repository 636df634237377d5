"""The doctor: everything that a backup needs, looked at now, as the answers come in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalGroup, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen

from pgconsole.settings import Settings
from pgconsole.status.checks.base import CheckResult, CheckState
from pgconsole.widgets.line import Line, Part
from pgconsole.widgets.words import clean

SIGNS = {
    CheckState.OK: ("✓", "$text-success"),
    CheckState.WARNING: ("!", "$text-warning"),
    CheckState.FAILED: ("✗", "$text-error"),
    CheckState.UNKNOWN: ("?", "$text-warning"),
    CheckState.NOT_SET_UP: ("–", "$muted"),
}
_BAD_FIRST = (CheckState.FAILED, CheckState.WARNING, CheckState.UNKNOWN, CheckState.OK)

RunChecks = Callable[[Settings], Generator[CheckResult]]


def run_checks(settings: Settings) -> Generator[CheckResult]:
    """The real checks, imported when they run: they need boto3 and psycopg."""
    from pgconsole.status import doctor  # noqa: PLC0415

    yield from doctor.run_checks(settings)


class DoctorScreen(ModalScreen[None]):
    """Runs the checks in a thread of its own; leaving does not wait for them.

    Args:
        settings: What is to be looked at.
        checks: Runs them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,D", "dismiss", "Close"),
        Binding("q,ctrl+q", "app.quit", "Quit"),
        Binding("r,ctrl+r", "again", "Again"),
        Binding("j,down", "scroll('down')", "Down"),
        Binding("k,up", "scroll('up')", "Up"),
        Binding("g,home", "scroll('home')", "Top"),
        Binding("G,end", "scroll('end')", "End"),
        Binding("pagedown,space", "scroll('page_down')", "Page down"),
        Binding("pageup", "scroll('page_up')", "Page up"),
    ]

    class Came(Message):
        """One more result of a run; None: that was all."""

        def __init__(self, run: int, result: CheckResult | None) -> None:
            super().__init__()
            self.run = run
            self.result = result

    def __init__(self, settings: Settings, checks: RunChecks = run_checks) -> None:
        super().__init__()
        self._settings = settings
        self._checks = checks
        self._run = 0
        self._done = False
        self._results: list[CheckResult] = []
        self._text = Line()

    def compose(self) -> ComposeResult:
        """The results."""
        with VerticalGroup(classes="reading") as box:
            box.border_title = "Doctor"
            box.border_subtitle = "Esc closes · r checks again · j k scroll · q quits"
            with VerticalScroll(classes="reading-text", can_focus=False):
                yield self._text

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
        self._show()
        run = self._run
        threading.Thread(target=self._look, args=[run], name="doctor", daemon=True).start()

    def action_scroll(self, where: str) -> None:
        """Scroll the results."""
        text = self.query_one(".reading-text", VerticalScroll)
        getattr(text, f"scroll_{where}")(animate=False)

    @on(Came)
    def came(self, message: Came) -> None:
        """Show one more."""
        if message.run != self._run:
            return
        if message.result is None:
            self._done = True
        else:
            self._results.append(message.result)
        self._show()

    def _look(self, run: int) -> None:
        with suppress(RuntimeError):  # the console has quit
            # Closed when nobody looks any more: probes that were left in the bucket go too.
            with closing(self._checks(self._settings)) as results:
                for result in results:
                    if run != self._run:
                        break
                    self.post_message(self.Came(run, result))
            self.post_message(self.Came(run, None))

    def _show(self) -> None:
        self._text.show(*doctor_text(self._results, done=self._done))


def doctor_text(results: list[CheckResult], *, done: bool) -> list[Part]:
    """A summary, then each check with its state, what was found, why and what to do."""
    counts = {
        state: sum(result.state is state for result in results)
        for state in (*_BAD_FIRST, CheckState.NOT_SET_UP)
    }
    told = [f"{count} {state}" for state, count in counts.items() if count]
    head = ", ".join(told) if told else "Looking …"
    parts: list[Part] = [
        (head, "bold"),
        ("" if done or not told else "; still looking …", "$muted"),
    ]
    width = max((len(result.name) for result in results), default=0)
    for result in results:
        sign, style = SIGNS[result.state]
        parts += [
            (f"\n{sign} {clean(result.name):<{width}}  ", style),
            (f"{result.state}", f"{style} bold"),
            f"  {clean(result.found)}",
        ]
        if result.cause:
            parts.append(f"\n    Cause: {clean(result.cause)}")
        if result.fix:
            parts.append(f"\n    Next:  {clean(result.fix)}")
    return parts

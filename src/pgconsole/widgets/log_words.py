"""What a log shows and what it leaves out, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.cells import cell_len

from pgconsole.actions.keymap import USUAL_KEYS, KeyMap
from pgconsole.errors import PgconsoleError
from pgconsole.jobs import Job
from pgconsole.jobs.spec import parse_id
from pgconsole.logs.query import Query, Window
from pgconsole.logs.requests import Answer
from pgconsole.report import Level
from pgconsole.status.past_jobs import ended, is_active
from pgconsole.widgets.line import Part
from pgconsole.widgets.problem import problem_text
from pgconsole.widgets.words import clean, clipped, counted, short_ago, size, span

_SLOW = 3  # seconds; an answer that takes longer is worth a word
_NEXT_TO_NOTHING = 64 << 10  # bytes; half a line that is being written is no news
_LEVELS = {Level.INFO: "", Level.WARNING: "warnings and errors", Level.ERROR: "errors"}
_BRIEF = _LEVELS | {Level.WARNING: "warnings+"}


@dataclass(frozen=True, slots=True)
class LogState:
    """All that is told about a log.

    Attributes:
        now: The time.
        zone: The time zone times are shown in.
        query: Which lines are wanted.
        job: The job that it is narrowed to, if that is known.
        answer: The newest answer; None: there was none yet.
        problem: Why there is no newer one.
        following: Whether the end stays in view.
        top: When the first line in view was written.
        marked: Lines that are marked; 0: too many to be known; None: it is not marking.
        order: What is being done: `searching`, `saving`.
        busy: Seconds that the answer under way takes.
        keys: Which keys do what.
    """

    now: datetime
    zone: ZoneInfo
    query: Query = field(default_factory=Query)
    job: Job | None = None
    answer: Answer | None = None
    problem: PgconsoleError | None = None
    following: bool = True
    top: datetime | None = None
    marked: int | None = None
    order: str = ""
    busy: float = 0.0
    keys: KeyMap = USUAL_KEYS

    @property
    def news(self) -> int:
        """Lines that came since it was paused."""
        return self.answer.news if self.answer is not None and not self.following else 0


def tab(state: LogState) -> str:
    """What the pane's tab says: `paused`, `+1,234`."""
    if state.problem is not None:
        return "✗"
    if state.following:
        return ""
    return f"+{state.news:,}" if state.news else "paused"


def heading(state: LogState) -> str:
    """What the pane's title says, where there is room: `paused +1,234 lines`."""
    if state.problem is not None or state.following or not state.news:
        return tab(state)
    return f"paused +{counted(state.news, 'line')}"


def info(state: LogState, width: int) -> str:
    """What is shown and whether it follows, in at most so many cells."""
    for brevity in range(4):
        text = " · ".join(part for part in _parts(state, brevity) if part)
        if cell_len(text) <= width:
            return text
    return clipped(text, width)


def notice(state: LogState) -> list[Part]:
    """Words about a state, above the lines; none: all is well."""
    answer = state.answer
    if state.problem is not None:
        return problem_text(state.problem)
    if answer is None:
        return [("Reading the logs …", "$muted")]
    parts: list[Part] = [(f"! {clean(text)}\n", "$text-warning") for text in answer.unreadable]
    if not (answer.count or answer.unread or answer.unseen):
        parts.append((_nothing(state, answer.total), "$muted"))
    return parts


def window_text(window: Window, now: datetime, zone: ZoneInfo) -> str:
    """A window of time: `since 02:00`, `02:00..03:30`; with the day, if it is not today."""
    if window.since is None:
        return f"until {_moment(window.until, now, zone)}" if window.until is not None else ""
    since = _moment(window.since, now, zone)
    return f"{since}..{_moment(window.until, now, zone)}" if window.until else f"since {since}"


def job_text(job_id: str, zone: ZoneInfo, now: datetime) -> str:
    """Which job: `Backup of 02:00:01`."""
    parsed = parse_id(job_id)
    if parsed is None:
        return clean(job_id)
    began, kind = parsed
    return f"{clean(kind).replace('_', ' ').capitalize()} of {_moment(began, now, zone, ':%S')}"


def _parts(state: LogState, brevity: int) -> list[str]:
    """The parts of `info`; the briefer, the more is left out."""
    query, answer = state.query, state.answer
    parts = [_what(state, brevity), (_LEVELS if brevity < 2 else _BRIEF)[query.level]]
    parts.append(window_text(query.window, state.now, state.zone))
    if answer is not None:
        if brevity < 3:
            parts.append(_count(query, answer, brevity))
        if answer.unread > _NEXT_TO_NOTHING:
            parts.append(f"reading {size(answer.unread)} more")
        elif answer.unseen:
            parts.append(f"looking at {answer.unseen:,} more")
    if state.order:
        parts.append(f"{state.order} …")
    elif state.busy > _SLOW:
        parts.append(f"no answer for {span(timedelta(seconds=state.busy))}")
    if state.problem is not None:
        parts.append("not read any more")
    elif answer is not None:
        parts.append(_position(state, brevity))
    return parts


def _what(state: LogState, brevity: int) -> str:
    if not state.query.job:
        return "all logs"
    text = job_text(state.query.job, state.zone, state.now)
    job = state.job
    if job is None or brevity >= 2:
        return text
    if is_active(job):
        return f"{text}, running"
    return f"{text}, {clean(job.status).replace('_', ' ')} {short_ago(ended(job), state.now)}"


def _count(query: Query, answer: Answer, brevity: int) -> str:
    if query == Query(job=query.job):
        return counted(answer.count, "line") if brevity == 0 else f"{answer.count:,}"
    lines = " lines" if brevity == 0 else ""
    return f"{answer.count:,} of {answer.total:,}{lines}"


def _position(state: LogState, brevity: int) -> str:
    keys = state.keys
    if state.marked is not None:
        what = counted(state.marked, "line") if state.marked else "many lines"
        return f"{what} marked: {keys.key('copy')} copies, {keys.key('clear')} leaves"
    if state.following:
        return "following"
    news = f" +{state.news:,}" if state.news else ""
    lines = " line" if state.news == 1 else " lines"
    text = f"PAUSED{news}{lines if news and brevity < 2 else ''}"
    if state.top is not None:
        day = state.top.astimezone(state.zone).date()
        if day != state.now.astimezone(state.zone).date():
            text = f"from {day:%m-%d} · {text}"
    return text if brevity else f"{text}, {keys.key('follow')} follows"


def _nothing(state: LogState, total: int) -> str:
    query = state.query
    if not total and not query.job:
        return "Nothing has been logged yet.\nEach job's log, and the scheduler's, appears here."
    if query == Query(job=query.job):
        return "This job has no log: it has not begun to write one, or its directory is gone."
    back = state.keys.key("clear")
    return f"None of {total:,} lines is shown. {back} takes back what leaves them out, one by one."


def _moment(moment: datetime | None, now: datetime, zone: ZoneInfo, seconds: str = "") -> str:
    assert moment is not None
    local = moment.astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else "%m-%d "
    return f"{local:{day}%H:%M{seconds}}"

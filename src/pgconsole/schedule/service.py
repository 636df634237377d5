"""The scheduler: an initial backup, then one for each slot, until it is told to end.

`course` decides, `backups` runs, `signs` leaves what others see. Nothing that matters is in memory
alone: killed at any moment, the next scheduler finds out what became of every slot.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

from pgconsole import jobs, locks
from pgconsole.errors import BusyError, ExitCode, PgconsoleError, StorageError
from pgconsole.report import Level
from pgconsole.schedule import backups
from pgconsole.schedule.backups import SlotBackup
from pgconsole.schedule.course import (
    Course,
    Situation,
    accounted_ahead,
    decide,
    decide_at_start,
    is_fresh,
    may_wait,
    missed_slots,
)
from pgconsole.schedule.history import Slot, SlotOutcome
from pgconsole.schedule.log import Log, Write
from pgconsole.schedule.runs import in_words
from pgconsole.schedule.service_log import ServiceLog
from pgconsole.schedule.signals import StopSignals
from pgconsole.schedule.signs import HEARTBEAT, Signs
from pgconsole.schedule.state import schedule_directory
from pgconsole.settings import Settings

LOCK = "lock"
_LOOK_AT_JOB = 0.5  # seconds between two looks at a running job
_LOOK_AGAIN = 1.0  # seconds, where a slot waits for a job that is soon over

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The present."""
    return datetime.now(UTC)


def run_scheduler(settings: Settings, write: Write, clock: Clock = utc_now) -> int:
    """Run the schedule in the foreground until SIGTERM or SIGINT. Call it from the main thread.

    Args:
        settings: Read once: a change needs a restart.
        write: Takes each line of the log.
        clock: The present, timezone-aware.

    Returns:
        The exit code: 0 after an orderly end.

    Raises:
        ReadOnlyError: This is read-only mode.
        BusyError: Another scheduler runs on this backup directory.
        StorageError: The backup directory can't be written.
    """
    jobs.permit(settings, jobs.current_actor(), "schedule", settings.backup_schedule)
    with StopSignals() as signals, _only_one(settings):
        scheduler = Scheduler(settings, write, clock)
        scheduler.begin()
        while scheduler.step(signals.count):
            signals.wait(scheduler.rest())
        scheduler.end()
    return ExitCode.OK


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    path = schedule_directory(settings) / LOCK
    now = utc_now().isoformat(timespec="seconds")
    me = locks.Holder(jobs.current_actor(), "scheduler", now, socket.gethostname(), os.getpid())
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.hold(path, me))
        except locks.LockedError as error:
            raise BusyError(
                f"Another scheduler runs on {settings.backup_dir}",
                cause=_who(error.holder),
                fix="end that one first, or give this one a BACKUP_DIR of its own",
            ) from None
        except OSError as error:
            raise StorageError(
                f"The lock file {path} can't be used",
                cause=error.strerror or str(error),
                fix="check the permissions and the free space of BACKUP_DIR",
            ) from error
        yield


def _who(holder: locks.Holder | None) -> str:
    if holder is None:
        return "it has only just begun"
    return (
        f"process {holder.pid} on {holder.host}, started by {holder.who}, since "
        f"{holder.since_time:%Y-%m-%d %H:%M:%S} UTC"
    )


class Scheduler:
    """One life of the scheduler. The caller holds the lock, and lets time pass.

    Args:
        settings: The schedule and what to back up.
        write: Takes each line of the log.
        clock: The present, timezone-aware.
    """

    def __init__(self, settings: Settings, write: Write, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._started_at = clock()
        self._log = Log(write, settings.redactor, ServiceLog(schedule_directory(settings)))
        self._signs = Signs(settings, self._log, self._started_at)
        self._past = self._signs.past()
        self._course = self._new_course(self._past, self._started_at)
        self._missed: list[datetime] | None = None  # at start-up, until they are decided on
        self._waiting_since: datetime | None = None
        self._running: list[SlotBackup] = []
        self._stops = 0
        self._cancelled = False
        self._given_up = False

    def begin(self) -> None:
        """Find out what became of the slots of the last life, and take the initial backup."""
        settings, now = self._settings, self._started_at
        self._log.say(
            f"schedule {settings.backup_schedule!r} ({in_words(settings.backup_schedule)}) in "
            f"{settings.backup_timezone}; database {settings.pgdatabase!r}; "
            f"backups in {settings.backup_dir}"
        )
        self._missed = missed_slots(
            self._past,
            self._signs.last_life(),
            now,
            settings.backup_schedule,
            settings.backup_timezone,
        )
        for slot in reversed(self._past):
            if slot.outcome is SlotOutcome.STARTED:
                self._resolve(slot)
        self._look_at_jobs()
        self._take_up(now)
        self._signs.beat(now)

    def step(self, stops: int) -> bool:
        """Do what is to be done now.

        Args:
            stops: How often it was told to end so far.

        Returns:
            Whether to go on.
        """
        self._look_at_jobs()
        if stops > self._stops:
            self._stops = stops
            self._stop()
        if stops and (self._given_up or not self._running):
            return False
        now = self._clock()
        if self._course.is_ahead_of(now):
            self._log.say("the clock was set back by hours; going on from it", Level.WARNING)
            self._course = self._new_course(self._signs.past(), now)
        self._take_up(now)
        self._signs.write()
        self._signs.beat(now)
        return True

    def rest(self) -> float:
        """How many seconds there is nothing to do. The clock may be moved meanwhile: not long."""
        if self._running:
            return _LOOK_AT_JOB
        if self._waiting_since is not None:
            return _LOOK_AGAIN
        until_slot = (self._course.next - self._clock()).total_seconds()
        return max(0.0, min(until_slot, HEARTBEAT.total_seconds()))

    def end(self) -> None:
        """Say good-bye."""
        self._signs.write()
        self._signs.beat(self._clock(), stopped=True)
        self._log.say("stopped")

    def _new_course(self, past: list[Slot], now: datetime) -> Course:
        settings = self._settings
        ahead = accounted_ahead(past, now)
        return Course(settings.backup_schedule, settings.backup_timezone, now, ahead)

    def _resolve(self, slot: Slot) -> None:
        """What became of a backup whose end the last life did not see?"""
        try:
            job = slot.job or backups.find_job(self._settings, slot)
        except PgconsoleError as error:
            self._ended(slot, *backups.lost(error))
            return
        if job:
            self._log.say(f"backup of {_time(slot)}, begun by the last scheduler: job {job}")
            self._follow(replace(slot, job=job), from_the_end=True)
        else:
            why = "the scheduler ended before it could start the backup"
            self._ended(slot, SlotOutcome.MISSED, why)

    def _situation(self) -> Situation:
        busy = self._running[-1].in_words() if self._running else ""
        return Situation(busy or backups.who_is_busy(self._settings), self._signs.pause())

    def _take_up(self, now: datetime) -> None:
        """Decide on what is due, unless that waits for a job that is soon over."""
        if self._missed is None and now < self._course.next:
            self._waiting_since = None
            return
        if self._waits(now):
            return
        if self._missed is None:
            self._act(decide(self._course.due(now), now, self._situation()))
        else:
            missed, self._missed = self._missed, None
            self._act(decide_at_start(missed, now, self._situation(), self._fresh(now)))

    def _waits(self, now: datetime) -> bool:
        """Pruning takes seconds: a day must not go without a backup for that."""
        if backups.is_held_briefly(self._settings):
            if self._waiting_since is None:
                self._waiting_since = now
                who = backups.who_is_busy(self._settings)
                self._log.say(f"a backup is due and waits a few minutes at most: {who}")
            if may_wait(self._waiting_since, now):
                return True
        self._waiting_since = None
        return False

    def _fresh(self, now: datetime) -> datetime | None:
        settings = self._settings
        taken = backups.last_good_backup(settings, now)
        if taken and is_fresh(taken, now, settings.backup_schedule, settings.backup_timezone):
            return taken
        return None

    def _act(self, decided: list[Slot]) -> None:
        # Written down before it is done: a slot whose backup has begun never begins again.
        self._signs.write(decided)
        for slot in decided:
            if slot.outcome is SlotOutcome.STARTED:
                self._start(slot)
            else:
                self._log.say(f"slot {_time(slot)} {slot.outcome}: {slot.why}", Level.WARNING)
        if not self._running:
            self._say_next()

    def _start(self, slot: Slot) -> None:
        try:
            job = backups.start_backup(self._settings, slot)
        except PgconsoleError as error:
            self._ended(slot, SlotOutcome.FAILED, f"{error.problem}: {error.cause}")
            return
        how = f" ({slot.why})" if slot.why else ""
        self._log.say(f"backup of {_time(slot)}{how}: job {job}")
        slot = replace(slot, job=job, at=self._clock())
        self._signs.write([slot])
        self._follow(slot, from_the_end=False)

    def _follow(self, slot: Slot, *, from_the_end: bool) -> None:
        try:
            self._running.append(SlotBackup(self._settings, slot, from_the_end=from_the_end))
        except (PgconsoleError, OSError) as error:
            self._ended(slot, *backups.lost(error))

    def _look_at_jobs(self) -> None:
        for backup in list(self._running):
            try:
                entries, job = backup.look()
            except (PgconsoleError, OSError) as error:
                self._running.remove(backup)
                self._ended(backup.slot, *backups.lost(error))
                continue
            for entry in entries:
                self._log.show(entry)
            if job is not None:
                self._running.remove(backup)
                made = backups.success_in_words(job)
                self._ended(backup.slot, *backups.judge(job, backup.slot.why), made)

    def _ended(self, slot: Slot, outcome: SlotOutcome, why: str, made: str = "") -> None:
        self._signs.write([replace(slot, outcome=outcome, why=why, at=self._clock())])
        if outcome is SlotOutcome.DONE:
            self._log.say(f"backup of {_time(slot)} done: {made}")
        else:
            level = Level.ERROR if outcome is SlotOutcome.FAILED else Level.WARNING
            self._log.say(f"backup of {_time(slot)} {outcome}: {why}", level)
        if not self._stops:
            self._say_next()

    def _stop(self) -> None:
        """Wait for the running backup or cancel it, as configured; a second signal cancels it."""
        if not self._running or self._cancelled:
            return
        if self._settings.on_stop == "wait" and self._stops == 1:
            self._log.say("told to end: waiting for the backup; a second signal cancels it")
            return
        self._cancelled = True
        self._log.say("told to end: cancelling the backup")
        for backup in self._running:
            if problem := backup.cancel():
                # It goes on without us, and the next scheduler looks after it.
                self._log.say(problem, Level.ERROR)
                self._given_up = True

    def _say_next(self) -> None:
        zone = self._settings.backup_timezone
        self._log.say(f"next backup: {self._course.next.astimezone(zone):%a %Y-%m-%d %H:%M %Z}")


def _time(slot: Slot) -> str:
    return f"{slot.due:%Y-%m-%d %H:%M:%S} UTC"

"""The restore operation: from a copy of a backup to a database that was looked at.

`integrity -> connectivity -> compatibility -> confirmation -> safety backup -> restore -> check`,
DESIGN section 5.
"""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.backups.confirmation import restore_token
from pgconsole.backups.download import download
from pgconsole.backups.evidence import Evidence, Proof, copy_id, proof_of, record
from pgconsole.backups.integrity import ProvenDump, prove
from pgconsole.backups.locking import database_lock
from pgconsole.backups.preflight import local_problems
from pgconsole.backups.psql_restore import RestoredContent, TransactionEndedError, feed_psql
from pgconsole.backups.restore_check import Check, check_restored
from pgconsole.backups.restore_copy import FoundCopy, beside, find_copy
from pgconsole.backups.restore_gate import check_compatible
from pgconsole.backups.restore_look import Look, look, look_again
from pgconsole.backups.restore_sessions import cut_sessions, missing_database_explained
from pgconsole.backups.safety import make_safety_backup
from pgconsole.backups.signatures import refuse_stripped, signer
from pgconsole.dumps.naming import check_database_name, is_encrypted
from pgconsole.errors import (
    BusyError,
    Cancelled,
    ConfigurationError,
    DamagedError,
    PgconsoleError,
    PreflightError,
    ServerError,
)
from pgconsole.postgres.explain import where
from pgconsole.postgres.server import AdvisoryLock, ServerInfo, advisory_lock, probe
from pgconsole.postgres.sessions import sessions_of
from pgconsole.postgres.tools import Tool
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

_NAMED = 5  # differences, in a message
_OWN = "pgconsole "  # how the names of our sessions begin


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """A backup to be restored.

    Attributes:
        place: Where the copy lies.
        location: Its absolute path, or its key in the bucket.
        database: The target; the settings' own database if empty.
        confirmation: What `confirm_restore` made of the operator's yes.
        without_safety_backup: Go on though the target can't be backed up; asked for in so many
            words.
        actor: Who asked.
        job: The id of the job that runs it, or empty.
    """

    place: Place
    location: str
    database: str
    confirmation: str
    actor: str
    without_safety_backup: bool = False
    job: str = ""


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """A database that was restored, and that was looked at. Times are UTC.

    Attributes:
        database: The target.
        location: The copy that was restored: a path, or a key.
        path: The local file that was read.
        safety_backup: Where the safety backup lies; empty if there is none.
        sessions_cut: How many sessions of others were ended.
        raw_bytes: Uncompressed bytes of the dump.
        checks: What was expected and what was found.
        started_at: When the operation began.
        finished_at: When the check had passed.
    """

    database: str
    location: str
    path: str
    safety_backup: str
    sessions_cut: int
    raw_bytes: int
    checks: tuple[Check, ...]
    started_at: datetime
    finished_at: datetime


def run_restore(settings: Settings, request: RestoreRequest, report: Report) -> RestoreResult:
    """Restore a backup in place of what the target database holds. Call it from the main thread.

    Until the last stage nothing is changed but the sessions that are cut off; a failure or a
    cancellation of the last stage rolls everything back, and what the target is then is looked at.

    Args:
        settings: The server, the backup directory, the bucket.
        request: What to restore, where to, and the operator's yes.
        report: Told what happens.

    Raises:
        ConfigurationError: The request makes no sense, nobody confirmed exactly this, or a private
            key that is needed is missing or does not fit.
        BusyError: Somebody else works on the target.
        PreflightError: Something stands in the way.
        DamagedError: The dump is not whole, or not its manifest's; or it was altered.
        ServerError: The server can't be used; or what is there now is not what was restored.
        ToolError: A tool is missing or failed.
        StorageError: The copy can't be read, or the safety backup can't be written.
        Cancelled: Raised by `report` or by a signal, and passed on.
    """
    return _Restore(settings, request, report).run()


class _Restore:
    """One restore on its way through the stages."""

    def __init__(self, settings: Settings, request: RestoreRequest, report: Report) -> None:
        self._settings = settings
        self._request = request
        self._reported = report
        self._phase = "lock"
        self._touched = False
        self._database = request.database or settings.pgdatabase
        self._target = settings.model_copy(update={"pgdatabase": self._database})
        self._started_at = datetime.now(UTC)

    def run(self) -> RestoreResult:
        """All stages."""
        try:
            return self._run()
        except BaseException:
            if not self._touched:
                self._say(self._phase, "nothing was sent to the target: it was not touched")
            raise

    def _run(self) -> RestoreResult:
        with ExitStack() as stack:
            self._lock(stack)
            began = time.monotonic()
            dump = self._integrity()
            stack.callback(dump.file.close)
            server, held = self._connectivity(stack)
            psql = self._compatibility(server, dump)
            copy = self._confirmation()
            safety = self._safety_backup()
            cut = self._cut_sessions(held)
            content = self._feed(psql, dump, safety)
            checks = self._check(content, safety)
            self._keep_evidence(
                copy, Proof.RESTORED, began, sha256=dump.checked.sha256,
                signed=signer(self._settings, dump.manifest),
            )  # fmt: skip
        return RestoreResult(
            database=self._database,
            location=copy.location,
            path=str(dump.path),
            safety_backup=str(safety or ""),
            sessions_cut=cut,
            raw_bytes=dump.checked.raw_bytes,
            checks=checks,
            started_at=self._started_at,
            finished_at=datetime.now(UTC),
        )

    def _report(self, event: Event) -> None:
        self._phase = event.phase
        self._reported(event)

    def _say(self, phase: str, text: str, level: Level = Level.INFO) -> None:
        self._report(Event(phase, text, level))

    def _lock(self, stack: ExitStack) -> None:
        """Nobody else backs up or restores the target from this directory."""
        check_database_name(self._database)
        if problems := local_problems(self._settings):
            raise PreflightError(problems)
        stack.enter_context(
            database_lock(
                self._settings, self._database, what="restore", actor=self._request.actor,
                job=self._request.job,
            )
        )  # fmt: skip
        self._say("lock", f"locked database {self._database!r}")

    def _integrity(self) -> ProvenDump:
        request = self._request
        copy = find_copy(self._settings, request.place, request.location)
        began = time.monotonic()
        try:
            if copy.place is Place.S3:
                return download(
                    self._settings, copy, self._report, actor=request.actor, job=request.job
                )
            return self._local(copy)
        except DamagedError as error:
            self._keep_evidence(copy, proof_of(error), began, problem=str(error))
            raise

    def _local(self, copy: FoundCopy) -> ProvenDump:
        settings, path = self._settings, Path(copy.location)
        manifest = beside(settings, path)
        refuse_stripped(settings, copy.stored, copy.location, manifest)
        return prove(settings, path, manifest, self._report, encrypted=is_encrypted(path.name))

    def _connectivity(self, stack: ExitStack) -> tuple[ServerInfo, AdvisoryLock]:
        """Reach the target, and keep other hosts from it."""
        with missing_database_explained(self._target):
            server = probe(self._target)
        who = f"restore by {self._request.actor} on {socket.gethostname()}"
        held = stack.enter_context(advisory_lock(self._target, who))
        self._say(
            "connectivity",
            f"PostgreSQL {server.version} at {where(self._target)}, database {self._database!r}",
        )
        return server, held

    def _compatibility(self, server: ServerInfo, dump: ProvenDump) -> Tool:
        psql = check_compatible(self._target, server, dump)
        self._say(
            "compatibility",
            f"the dump (PostgreSQL {dump.checked.server_version or 'unknown'}, pg_dump "
            f"{dump.checked.pg_dump_version or 'unknown'}) can be restored by psql "
            f"{psql.version} ({psql.path})",
        )
        return psql

    def _confirmation(self) -> FoundCopy:
        """See that somebody said yes to this copy, as it is, and to this target."""
        copy = find_copy(self._settings, self._request.place, self._request.location)
        wanted = restore_token(self._settings, self._database, copy)
        if self._request.confirmation != wanted:
            raise ConfigurationError(
                f"The restore of {copy.location} into {self._database!r} is refused",
                cause="nobody confirmed it for this target and for this copy as it is now",
                fix="start it again, and confirm it: the copy may have been replaced meanwhile",
            )
        self._say("confirmation", f"confirmed by {self._request.actor}")
        return copy

    def _safety_backup(self) -> Path | None:
        try:
            return make_safety_backup(self._target, self._report, actor=self._request.actor)
        except PgconsoleError as error:
            if not self._request.without_safety_backup:
                raise _without_safety(self._database, error) from error
            self._say(
                "safety",
                f"no safety backup; going on without it, as asked for: {error}",
                Level.WARNING,
            )
            return None

    def _cut_sessions(self, held: AdvisoryLock) -> int:
        if not held.survived():
            raise BusyError(
                f"The lock of database {self._database!r} on the server was lost",
                cause="the connection that held it was cut: another host may work on it now",
                fix="nothing was restored; start it again",
            )
        cut = cut_sessions(self._target, [held.pid], self._report)
        said = f"{cut} sessions of others were cut off" if cut else "nobody else is connected"
        self._say("sessions", said)
        return cut

    def _feed(self, psql: Tool, dump: ProvenDump, safety: Path | None) -> RestoredContent:
        """Restore in one transaction; if it does not get to its end, look what is there then."""
        before = look(self._target)
        self._touched = True
        try:
            return feed_psql(self._target, psql, dump.source, dump.checked.sections, self._report)
        except BaseException as error:
            self._look_after(before, safety, error)
            raise

    def _look_after(self, before: Look, safety: Path | None, error: BaseException) -> None:
        same, words = look_again(self._target, before)
        if same and isinstance(error, TransactionEndedError):
            same, words = None, "its objects are the same, but its rows may have been changed"
        if not same and safety is not None:
            words += f"; what it was is in {safety}"
        self._say("restore", words, Level.INFO if same else Level.ERROR)
        if isinstance(error, PgconsoleError):
            error.cause = "; ".join(filter(None, (error.cause, words)))

    def _check(self, content: RestoredContent, safety: Path | None) -> tuple[Check, ...]:
        name = f"Database {self._database!r} is restored, but"
        try:
            self._say("check", "counting what is there now")
            checks = check_restored(self._target, content)
        except Cancelled:  # too late: what is committed must not be called cancelled
            raise ServerError(
                f"{name} was not checked", cause="it was cancelled by then", fix=_undo(safety)
            ) from None
        except PgconsoleError as error:
            raise ServerError(
                f"{name} could not be checked", cause=str(error), fix=_undo(safety)
            ) from error
        wrong = [check for check in checks if not check.good]
        for check in wrong:
            self._say("check", _difference(check), Level.ERROR)
        if wrong:
            more = len(wrong) - _NAMED
            shown = "; ".join(_difference(check) for check in wrong[:_NAMED])
            cause = shown + (f"; and {more} more differences" if more > 0 else "")
            raise ServerError(
                f"{name} differs from the dump",
                cause=cause + self._writers(wrong),
                fix=_undo(safety),
            )
        self._say("check", f"{len(checks)} checks: all that was expected was found")
        return checks

    def _writers(self, wrong: list[Check]) -> str:
        """Who may have changed rows since: sessions come back as soon as the restore is over."""
        if any(check.what != "rows" for check in wrong):
            return ""
        with suppress(ServerError):
            sessions = sessions_of(self._target)
            others = sum(n for name, n in sessions.by_application if not name.startswith(_OWN))
            if others:
                return (
                    "; all rows were loaded and committed, but others are connected again "
                    f"({others} sessions) and may have written since"
                )
        return ""

    def _keep_evidence(
        self, copy: FoundCopy, proof: Proof, began: float, *, sha256: str = "", problem: str = "",
        signed: str = "",
    ) -> None:  # fmt: skip
        if copy.stored is None:
            return  # no listing shows this file
        evidence = Evidence(
            copy=copy_id(self._settings, copy.stored),
            proof=proof,
            at=datetime.now(UTC),
            by=self._request.actor,
            seconds=time.monotonic() - began,
            size=copy.size,
            modified=copy.modified,
            sha256=sha256,
            problem=problem,
            job=self._request.job,
            signed=signed,
        )
        try:
            record(self._settings, evidence)
        except OSError as error:  # what was found out stays true
            self._say(self._phase, f"the proof can't be written down: {error}", Level.WARNING)


def _without_safety(database: str, error: PgconsoleError) -> PgconsoleError:
    return PgconsoleError(
        f"No safety backup of {database!r} can be made, so nothing was restored",
        cause=": ".join(filter(None, (error.problem, error.cause))),
        fix=f"{error.fix or 'remove the cause'}; or, if what is there now may be lost, restore "
        "with --without-safety-backup",
    )


def _difference(check: Check) -> str:
    return f"{check.what} {check.name}: expected {check.expected}, found {check.found}"


def _undo(safety: Path | None) -> str:
    if safety is None:
        return "compare it with the dump; there is no safety backup"
    return f"compare it with the dump; what it was before is in {safety}"

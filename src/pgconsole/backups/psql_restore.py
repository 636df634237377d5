"""The restore stage: a dump through psql into a database, in one transaction or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from pgconsole.backups.psql_feed import Fed, Feed
from pgconsole.backups.psql_process import OPTIONS, PsqlProcess
from pgconsole.backups.psql_session import Fate, RestoreSession, inherited_constraints
from pgconsole.backups.psql_watch import PHASE, Progress, Watch
from pgconsole.backups.script_log import advice, complaint
from pgconsole.dumps.created import Created
from pgconsole.dumps.manifest import Section
from pgconsole.dumps.members import decode_all
from pgconsole.dumps.prefetch import prefetched
from pgconsole.dumps.scanner import Boundary
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import DamagedError, PgconsoleError, ServerError, ToolError
from pgconsole.postgres.explain import explain_connection_failure, where
from pgconsole.postgres.tools import Tool, command_line, tool_conninfo, tool_environment
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings

_AHEAD = 32  # decoded pieces of 256 KiB
_END_TIMEOUT = 10.0  # seconds that psql may take to exit once it reads no more
_BAD_CONNECTION = 2  # psql's exit status

# The limits are for people's queries. A dump switches off those that its pg_dump knew.
# For psql the end of its input is the end of the script, and it commits, unless an `\\if` is still
# open (from psql 15 on). If we are killed the input ends, perhaps before psql is told to end too.
_PREAMBLE = """\
\\if true
SELECT '{mark}' || pg_catalog.pg_backend_pid() || ' ' || pg_catalog.txid_current();
SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings \
WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', \
'transaction_timeout');
\\restrict {key}
"""
_END = "\nSELECT '{mark}' || pg_catalog.txid_current();\n"
_COMMIT = "\\unrestrict {key}\n\\endif\n"


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """A table whose rows were loaded.

    Attributes:
        schema: Its schema; None if the dump names none.
        table: Its name.
        expected: Rows in the dump.
        loaded: Rows that the server took.
    """

    schema: str | None
    table: str
    expected: int
    loaded: int


@dataclass(frozen=True, slots=True)
class RestoredContent:
    """What a restore has put into the database.

    Attributes:
        tables: The tables whose rows were loaded, in the dump's order.
        objects: What else the dump made, and the tables themselves.
    """

    tables: tuple[LoadedTable, ...]
    objects: tuple[Created, ...]


class TransactionEndedError(ToolError):
    """The dump has ended the transaction of its restore: undoing that one undoes not all.

    Args:
        cause: How it was found out.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(
            "The dump has ended the transaction of its restore",
            cause=cause,
            fix="look at the database; the safety backup has what it was",
        )


def feed_psql(
    target: Settings,
    psql: Tool,
    source: RangedSource,
    sections: Sequence[Section],
    report: Report,
) -> RestoredContent:
    r"""Restore a dump in one transaction. Call it from the main thread.

    The dump is scanned again while it is fed, and nothing that was not scanned reaches psql: the
    file may have changed since it was checked. Whatever goes wrong before the commit, psql is
    ended, and this returns only when the server has undone everything, or after a minute without
    an answer.

    Args:
        target: The server and, as `pgdatabase`, the database.
        psql: One that knows `\restrict`, see `dump_gate.choose_psql`.
        source: The dump.
        sections: Its sections, as `check_dump` found them.
        report: Progress, what psql says, who blocks it, and what became of the transaction.

    Raises:
        RefusedError: There is something in the dump that must not reach psql.
        TransactionEndedError: It has ended the transaction, unseen: the target may be changed.
        DamagedError: The dump is damaged, or not the one that was checked.
        ToolError: psql or the server could not do it; says where in the dump.
        ServerError: The server can't be reached, or the connection was lost.
        StorageError: The dump can't be read.
        Cancelled: Raised by `report` or by a signal, and passed on, unless the transaction had been
            committed by then.
    """
    return _Restore(target, psql, source, sections, report).run()


class _Restore:
    """One restore on its way."""

    def __init__(
        self,
        target: Settings,
        psql: Tool,
        source: RangedSource,
        sections: Sequence[Section],
        report: Report,
    ) -> None:
        self._target = target
        self._source = source
        self._sections = sections
        self._report = report
        self._mark = secrets.token_hex(16) + " "
        self._argv = [str(psql.path), *OPTIONS, f"--dbname={tool_conninfo(target)}"]
        environment = tool_environment(target, application_name="pgconsole restore")
        self._process = PsqlProcess(self._argv, environment, self._mark)
        self._key = secrets.token_hex(32)
        self._preamble = _PREAMBLE.format(mark=self._mark, key=self._key)
        self._feed = Feed(inherited_constraints(target))
        self._watch = Watch(report)
        self._txid = ""
        self._passed = 0  # sections
        self._rows = 0  # of the section that passes
        self._fed: list[Section] = []  # those with rows
        self._content: RestoredContent | None = None  # set when all is ready to be committed
        self._done = Progress(report, sum(section.raw_bytes for section in sections))

    def run(self) -> RestoredContent:
        self._report(Event(PHASE, command_line(self._target, self._argv)))
        try:
            self._process.start()
            self._begin()
            self._feed_all()
            self._content = self._confirmed()
            self._commit()
        except BaseException as error:
            self._process.stop()
            if self._committed_all_the_same(error):
                assert self._content is not None
                return self._content
            raise
        finally:
            self._process.stop()
        self._say_new_lines()
        return self._content

    def _begin(self) -> None:
        """Connect, and learn which transaction it is."""
        self._write(self._preamble.encode())
        pid, self._txid = self._answer(0).split()
        session = RestoreSession(self._target, int(pid), int(self._txid))
        session.check_target()
        self._watch.session = session

    def _feed_all(self) -> None:
        with prefetched(decode_all(self._source), _AHEAD) as pieces:
            for _, piece in pieces:
                for fed in self._feed.pieces(piece):
                    self._hand_over(fed)
                self._say_new_lines()
        for fed in self._feed.finish():
            self._hand_over(fed)
        if self._passed != len(self._sections):
            raise _changed(self._feed.scanner.offset)

    def _hand_over(self, fed: Fed) -> None:
        self._rows += fed.newlines
        if fed.ended is not None:
            self._close(fed.ended)
        self._write(fed.data)
        copy = self._feed.scanner.copy
        self._done.passed(self._feed.scanner.offset, copy.name if copy else None)
        self._watch.moved()

    def _close(self, boundary: Boundary) -> None:
        """A section ends: it has to be the one that was checked."""
        copy = boundary.copy
        rows = self._rows - 1 if copy else 0  # the line that ends them is none
        found = (boundary.kind, copy and copy.schema, copy and copy.table, rows)
        section = self._sections[self._passed] if self._passed < len(self._sections) else None
        if section is None or found != (
            section.kind, section.schema_name, section.table, section.rows,
        ):  # fmt: skip
            raise _changed(boundary.offset)
        if copy:
            self._fed.append(section)
        self._passed += 1
        self._rows = 0

    def _confirmed(self) -> RestoredContent:
        """All that was fed has been done: compare it with what the server says it did."""
        self._write(_END.format(mark=self._mark).encode())
        txid = self._answer(1)
        if txid != self._txid:
            raise TransactionEndedError(f"it began as {self._txid} and ends as {txid}")
        counts = self._process.copied
        if len(counts) != len(self._fed):
            raise ToolError(
                f"The server has loaded {len(counts)} of {len(self._fed)} tables",
                cause="psql has read the dump in another way than pgconsole",
                fix="keep the dump and report this; nothing was committed",
            )
        tables = tuple(
            LoadedTable(section.schema_name, str(section.table), section.rows, count)
            for section, count in zip(self._fed, counts, strict=True)
        )
        for table in tables:
            if table.loaded != table.expected:
                raise ToolError(
                    f"Table {table.table} was not loaded whole",
                    cause=f"of its {table.expected} rows the server took {table.loaded}",
                    fix="look for a trigger or rule of the target that leaves rows out",
                )
        return RestoredContent(tables, tuple(self._feed.objects))

    def _commit(self) -> None:
        """The end of the script makes psql commit; believe only the server that it did."""
        self._write(_COMMIT.format(key=self._key).encode())
        self._process.end(self._waiting)
        if self._process.process.returncode != 0:
            raise self._failure()
        assert self._watch.session is not None
        fate = self._watch.session.end()
        if fate is not Fate.COMMITTED:
            raise ServerError(
                "psql ended well, but the server does not confirm the commit",
                cause=f"it says of the transaction: {fate}",
                fix="look at the database before anything else is done",
            )

    def _committed_all_the_same(self, error: BaseException) -> bool:
        """Look what became of the transaction, and say so.

        Raises:
            TransactionEndedError: The dump has ended it, and may have begun others.
        """
        session = self._watch.session
        fate = session.end() if session else Fate.ROLLED_BACK
        if isinstance(error, TransactionEndedError):
            self._say_changed(error, fate)
            return False
        if self._process.ended_transaction:
            ended = TransactionEndedError(str(error) or "it was cancelled then")
            self._say_changed(ended, fate)
            raise ended from error
        name = f"database {self._target.pgdatabase!r}"
        if fate is Fate.COMMITTED and self._content is not None:
            message = f"{name} was restored all the same: the server had committed before"
            self._report(Event(PHASE, f"{error or 'cancelled too late'}; {message}", Level.WARNING))
            return True
        message, level = {
            Fate.ROLLED_BACK: (f"{name} is as it was", Level.INFO),
            Fate.COMMITTED: (f"{name} was changed", Level.ERROR),
            Fate.UNKNOWN: (
                f"whether {name} is as it was is unknown: the server does not answer. It undoes "
                "what was not committed",
                Level.ERROR,
            ),
        }[fate]
        if isinstance(error, PgconsoleError):
            error.problem += f"; {message}"
        self._say_new_lines()
        self._report(Event(PHASE, message, level))
        return False

    def _say_changed(self, error: TransactionEndedError, fate: Fate) -> None:
        """What became of the transaction says nothing of what came after its end."""
        changed = "was" if fate is Fate.COMMITTED else "may have been"
        error.problem += f"; database {self._target.pgdatabase!r} {changed} changed"
        self._say_new_lines()
        self._report(Event(PHASE, error.problem, Level.ERROR))

    def _write(self, data: bytes | memoryview) -> None:
        if not self._process.write(data, self._waiting):
            raise self._failure()

    def _answer(self, number: int) -> str:
        answer = self._process.answer(number, self._waiting_for_answer)
        if answer is None:
            raise self._failure()
        return answer

    def _waiting(self) -> None:
        """Look at everything else while psql is busy."""
        self._say_new_lines()
        self._done.say()
        self._watch.look()

    def _waiting_for_answer(self) -> None:
        self._waiting()
        if self._process.drained() and self._watch.lost():
            raise ToolError(
                "psql did not understand the end of the dump",
                cause="it waits for more, as if a string or a statement were open",
                fix="keep the dump and report this; nothing was committed",
            )

    def _say_new_lines(self) -> None:
        for line in self._process.new_lines():
            level = Level.INFO if " NOTICE:  " in line else Level.WARNING
            self._report(Event(PHASE, line, level))

    def _failure(self) -> PgconsoleError:
        """Why psql has ended before it was told to."""
        ended = self._process.wait(_END_TIMEOUT)
        lines = self._process.last_lines
        if self._watch.session is None and any("connection to server" in line for line in lines):
            return explain_connection_failure(self._target, "\n".join(lines))
        status = self._process.process.returncode
        if not ended or status < 0:
            return self._process.failure() or ToolError("psql closed its input")
        line, words, row = complaint(lines)
        place = None
        if line is not None:
            place = self._feed.log.place(line - self._preamble.count("\n"), row)
        at = f"at line {place.line} of the dump, in `{place.statement}`" if place else "at its end"
        if status == _BAD_CONNECTION:
            return ServerError(
                f"The connection to {where(self._target)} was lost {at}",
                cause=words,
                fix="read the server's log, then restore again",
            )
        return ToolError(f"The restore failed {at}", cause=words, fix=advice(words))


def _changed(offset: int) -> DamagedError:
    return DamagedError(
        "The dump is not the one that was checked",
        cause=f"it differs before byte {offset} of the uncompressed dump",
        fix="find out who writes to the file, then restore again",
    )

"""No dump makes psql do anything but restore: neither past the gate nor past the feeder alone."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from pathlib import Path

import pytest
from tests.backups.feeding import check, feed, gate, state
from tests.backups.helpers import plain_dump
from tests.conftest import MakeSettings
from tests.dumps.helpers import HEADER, TRAILER, BytesSource, manifest_of

from pgconsole.backups import psql_watch
from pgconsole.backups.dump_gate import can_be_restricted, choose_psql, refuse_unsafe
from pgconsole.backups.psql_restore import TransactionEndedError
from pgconsole.demo.servers import PostgresServer, embedded_bin_dir
from pgconsole.dumps.copystatement import CopyStatement
from pgconsole.dumps.cutter import make_section
from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import Member, SectionKind
from pgconsole.dumps.writer import WrittenDump
from pgconsole.errors import DamagedError, RefusedError, ServerError, ToolError
from pgconsole.postgres.tools import Tool
from pgconsole.settings import Settings

COMMANDS = {
    "shell": "\\! touch {x}\n",
    "behind a comment": "/* x */ \\! touch {x}\n",
    "after a semicolon": "SELECT 1; \\! touch {x}\n",
    "in the middle of a line": "SELECT 1 \\! touch {x}\n;\n",
    "copy from a program": "\\copy users from program 'touch {x}'\n",
    "output to a file": "\\o {x}\n",
    "output to a program": "\\o |touch {x}\nSELECT 1;\n",
    "query to a program": "SELECT 1 \\g |touch {x}\n",
    "backticks": "\\echo `touch {x}`\n",
    "include": "\\i {script}\n",
    "after a fake unrestrict": "\\unrestrict {key}\n\\! touch {x}\n",
    "after a table that ends early": "COPY empty FROM stdin;\n1\n\\.\n\\! touch {x}\n",
}


class Trap:
    """A dump with something in it, and the file that this would make."""

    def __init__(self, server: PostgresServer, database: str, directory: Path) -> None:
        self.file = directory / "touched"
        self.script = directory / "script.sql"
        self.script.write_text(f"\\! touch {self.file}\n")
        self.dump = plain_dump(server, database)
        self.key = self.dump.split(b"\\restrict ")[1].split(b"\n")[0].decode()

    def with_sql(self, sql: str) -> bytes:
        """The dump with this between two statements of its own."""
        made = sql.format(x=self.file, script=self.script, key=self.key).encode()
        at = self.dump.index(b"ALTER TABLE ONLY public.users\n")
        return self.dump[:at] + made + self.dump[at:]


@pytest.fixture
def trap(postgres16: PostgresServer, database: str, tmp_path: Path) -> Trap:
    return Trap(postgres16, database, tmp_path)


@pytest.fixture
def target(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    return make_settings(postgres16, database)


@pytest.mark.parametrize("sql", COMMANDS.values(), ids=COMMANDS)
def test_commands_are_refused_and_do_not_run(
    trap: Trap, target: Settings, postgres16: PostgresServer, sql: str
) -> None:
    before = state(postgres16, target.pgdatabase)
    dump = trap.with_sql(sql)
    restrict = "unrestrict" in sql  # its key is the dump's own: only a scan of the whole sees it
    for refuse in (gate, feed):
        with pytest.raises((RefusedError, DamagedError) if restrict else RefusedError) as caught:
            refuse(target, dump)
        assert "byte" in caught.value.cause
    assert not trap.file.exists()
    assert state(postgres16, target.pgdatabase) == before


def test_the_trap_works(trap: Trap, postgres16: PostgresServer, database: str) -> None:
    """Plain psql obeys: so the tests above show something."""
    dump = trap.with_sql("\\unrestrict {key}\n\\! touch {x}\n")
    subprocess.run(
        [postgres16.bin_dir / "psql", "-X", "-q", "-o", "/dev/null"], input=dump, check=True,
        env=postgres16.environment | {"PGDATABASE": database}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert trap.file.exists()


def test_a_manifest_can_not_hide_a_command_in_rows(trap: Trap, target: Settings) -> None:
    """It takes for rows what is SQL for psql, and all its sums are right."""
    copy = b"COPY public.users (id, name) FROM stdin;\n"
    rows = f"1\ta\n\\.\n\\! touch {trap.file}\n{copy.decode()}2\tb\n\\.\n".encode()
    parts = {SectionKind.BEFORE: HEADER + copy, SectionKind.DATA: rows, SectionKind.AFTER: TRAILER}
    data = b""
    sections = []
    statement = CopyStatement("public", "users", ("id", "name"), copy.decode().strip())
    for kind, text in parts.items():
        member = Member(len(data), len(text), text.count(b"\n"))
        of_rows = statement if kind is SectionKind.DATA else None
        sections.append(make_section(kind, of_rows, len(text), [member]))
        data += gzip.compress(text)
    written = WrittenDump(
        raw_bytes=sum(map(len, parts.values())), compressed_bytes=len(data), gzip_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(), sections=tuple(sections),
        server_version="", pg_dump_version="", warnings=(),
    )  # fmt: skip

    with pytest.raises(DamagedError, match="the rows of users end in it, before byte"):
        check_dump(BytesSource(data), manifest_of(written), lambda _: None)
    with pytest.raises(RefusedError, match="touch"):
        feed(target, b"".join(parts.values()), sections=sections)
    assert not trap.file.exists()


# What a dump may do behind the scanner's back: from here on psql reads strings in another way.
CHANGE = "DO $$BEGIN PERFORM set_config('standard_conforming_strings','off',false); END$$;\n"


def test_psql_refuses_what_the_scanner_can_not_see(
    trap: Trap, target: Settings, postgres16: PostgresServer
) -> None:
    before = state(postgres16, target.pgdatabase)
    dump = trap.with_sql(CHANGE + "SELECT 'a\\', '\n\\! touch {x}\n';\n")
    gate(target, dump)
    with pytest.raises(ToolError, match=r"as it was.*backslash commands are restricted"):
        feed(target, dump)
    assert not trap.file.exists()
    assert state(postgres16, target.pgdatabase) == before


def test_a_dump_that_ends_its_transaction_unseen_is_found_out(trap: Trap, target: Settings) -> None:
    dump = trap.with_sql(CHANGE + "SELECT 'a\\', '; COMMIT; --'\n;\n")
    gate(target, dump)
    with pytest.raises(ToolError, match=r"ended the transaction of its restore; .* was changed"):
        feed(target, dump)


@pytest.mark.parametrize("begin", ["", "BEGIN;"])
def test_what_a_dump_does_behind_its_hidden_rollback_is_not_called_undone(
    trap: Trap, target: Settings, postgres16: PostgresServer, begin: str
) -> None:
    """The transaction that began is rolled back; what follows it is not."""
    before = state(postgres16, target.pgdatabase)
    hidden = f"ROLLBACK; UPDATE public.users SET name = $$x$$; {begin}"
    dump = trap.with_sql(f"{CHANGE}SELECT 'a\\', '; {hidden} --'\n;\n")
    gate(target, dump)
    with pytest.raises(TransactionEndedError, match="may have been changed") as caught:
        feed(target, dump)
    assert "as it was" not in caught.value.problem
    assert state(postgres16, target.pgdatabase) != before


def test_psql_has_to_be_where_pgconsole_looks(
    trap: Trap, target: Settings, postgres16: PostgresServer, monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    """A pooler or a list of hosts may take psql to another server."""
    before = state(postgres16, "postgres")
    psql = tmp_path / "psql"
    psql.write_text(f'#!/bin/sh\nexec {postgres16.bin_dir}/psql "$@" --dbname=postgres\n')
    psql.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(ServerError, match="connected to something else"):
        feed(target, trap.dump)
    assert state(postgres16, "postgres") == before


def test_a_string_that_only_psql_sees_open_ends(
    trap: Trap, target: Settings, postgres16: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psql_watch, "_STILL", 0.2)
    monkeypatch.setattr(psql_watch, "_LOOK_EVERY", 0.2)
    before = state(postgres16, target.pgdatabase)
    with pytest.raises(ToolError, match="did not understand the end"):
        feed(target, trap.with_sql(CHANGE + "SELECT 'a\\';\n"))
    assert state(postgres16, target.pgdatabase) == before


def test_the_file_may_not_change_after_it_was_checked(
    trap: Trap, target: Settings, postgres16: PostgresServer
) -> None:
    before = state(postgres16, target.pgdatabase)
    sections = check(trap.dump)[1].sections
    for other in (
        trap.dump.replace(b"user 7\n", b"user 7\n7777\tmore\n"),
        trap.dump.replace(b"COPY public.empty", b"COPY public.users"),
        trap.dump[: trap.dump.index(b"COPY public.users")],
    ):
        with pytest.raises(DamagedError):
            feed(target, other, sections=sections)
    assert state(postgres16, target.pgdatabase) == before


class TestTools:
    """Which psql may restore at all."""

    @pytest.mark.parametrize(
        ("major", "version", "able"),
        [
            (9, "9.6.24", False), (12, "12.22", False), (13, "13.21", False), (13, "13.22", False),
            (14, "14.18", False), (14, "14.19", False), (15, "15.13", False), (15, "15.14", True),
            (16, "16.9", False), (16, "16.10", True), (17, "17.5", False), (17, "17.6", True),
            (17, "17beta2", False), (18, "18.0", True), (18, "18rc1", True), (19, "19devel", True),
        ],
    )  # fmt: skip
    def test_versions(self, major: int, version: str, able: bool) -> None:
        assert can_be_restricted(Tool("psql", Path("psql"), version, major)) is able

    @pytest.mark.parametrize("version", [16, 18])
    def test_the_installed_ones_know_restrict(self, version: int) -> None:
        program = embedded_bin_dir(version) / "psql"
        assert b"\\unrestrict RESTRICT_KEY" in program.read_bytes()
        said = subprocess.run([program, "--version"], capture_output=True, check=True, text=True)
        number = said.stdout.split()[2]
        assert can_be_restricted(Tool("psql", program, number, version))

    def test_an_old_psql_is_not_chosen(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _old_psql(tmp_path)
        monkeypatch.setenv("PATH", f"{tmp_path}:{embedded_bin_dir(18)}")
        monkeypatch.setattr("pgconsole.postgres.tools._PACKAGE_DIRECTORIES", ())
        assert choose_psql(16).major == 18

        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ToolError, match=r"16\.9 .* too old .*restrict.*16\.10") as caught:
            choose_psql(16)
        assert str(tmp_path) in caught.value.problem

    def test_no_psql_at_all(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setattr("pgconsole.postgres.tools._PACKAGE_DIRECTORIES", ())
        with pytest.raises(ToolError, match="psql is not installed"):
            choose_psql(16)

    def test_a_dump_of_a_newer_client_is_refused_by_an_older_one(
        self, trap: Trap, tmp_path: Path
    ) -> None:
        tool = Tool("psql", _old_psql(tmp_path), "16.9", 16)
        with pytest.raises(ToolError, match="update the client tools"):
            refuse_unsafe(check(trap.dump)[1], tool, 16)

    def test_a_dump_of_a_newer_server_is_refused(
        self, postgres18: PostgresServer, target: Settings
    ) -> None:
        with pytest.raises(RefusedError, match=r"dump is of PostgreSQL 18.*server is older"):
            gate(target, plain_dump(postgres18, "postgres"))


def _old_psql(directory: Path) -> Path:
    program = directory / "psql"
    program.write_text("#!/bin/sh\necho 'psql (PostgreSQL) 16.9'\n")
    program.chmod(0o755)
    return program

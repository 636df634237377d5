"""Every headless command once, with planted secrets, under a umask of the test's choice."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.program import PROGRAM
from tests.support import wait_until
from tests.wal.conftest import NAME, Segments

from pgconsole.demo.servers import PostgresServer, S3Server

# What no byte of ours may hold, however it is written: every secret has it in its midst.
MARK = "kern4711geheim"
PASSWORD = f"p@ss#w:o/r\\d'\"% {MARK} ünï"
SECRET_KEY = f"sEc/+=@#:\\\"'% {MARK}"
SESSION_TOKEN = f"tok/en+=={MARK}=="
STRANGERS = {  # other programs' secrets in our environment
    "SOMEBODYS_TOKEN": f"x{MARK}",
    "PGADMIN_DEFAULT_PASSWORD": f"y{MARK}",
    "DATABASE_URL": f"postgresql://app:{MARK}@db/app",
}
# A tool that tells all it knows and fails, as one run with a debugger or a bad option does.
_CHATTERBOX = """#!/bin/sh
case "$1" in --version) env > {seen}/version; exec {real} --version;; esac
env > {seen}/{name}
printf 'connecting to postgresql://tour:%s@host/db failed\\n' "$PGPASSWORD" >&2
env >&2
echo "$0 $*" >&2
exit 1
"""


@dataclass
class Tour:
    """What was run, and what came of it.

    Attributes:
        directory: A directory of its own; `backups` in it is the BACKUP_DIR.
        umask: Of every process.
        variables: What configures pgconsole.
        outputs: What each command printed, by its words.
        command_lines: Of all processes that ran meanwhile.
    """

    directory: Path
    umask: int
    variables: dict[str, str]
    outputs: dict[str, str] = field(default_factory=dict)
    command_lines: set[bytes] = field(default_factory=set)

    @property
    def backup_dir(self) -> Path:
        """BACKUP_DIR; the first command makes it, with the directory above."""
        return self.directory / "srv" / "backups"

    @property
    def seen(self) -> Path:
        """What the tools that tell all have seen of their environment."""
        return self.directory / "seen"

    def run(self, *arguments: str, code: int = 0, **variables: str) -> str:
        """Run a command to its end; what it printed."""
        done = subprocess.run(
            [PROGRAM, *arguments],
            env=self.variables | variables, umask=self.umask, stdin=subprocess.DEVNULL,
            cwd=self.directory, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        said = done.stdout + done.stderr
        self.outputs[" ".join([*variables, *arguments])] = said
        assert done.returncode == code, (arguments, said)
        return done.stdout

    def schedule(self) -> None:
        """Let the scheduler take the backup that it takes when it starts, then end it."""
        process = subprocess.Popen(
            [PROGRAM, "schedule"], env=self.variables, umask=self.umask, cwd=self.directory,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        slots = self.backup_dir / ".pgconsole" / "schedule" / "slots.jsonl"
        try:
            wait_until(lambda: slots.exists() and b'"done"' in slots.read_bytes(), timeout=60)
        finally:
            process.send_signal(signal.SIGTERM)
            self.outputs["schedule"] = process.communicate(timeout=60)[0]

    def tell_tale(self, name: str, real: Path) -> str:
        """A PATH on which a client tool tells all that it knows, and fails."""
        self.seen.mkdir(exist_ok=True)
        directory = self.directory / f"tell-tale-{name}"
        directory.mkdir()
        script = _CHATTERBOX.format(
            seen=shlex.quote(str(self.seen)), real=shlex.quote(str(real / name)), name=name
        )
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
        return f"{directory}{os.pathsep}{self.variables['PATH']}"


def run_tour(directory: Path, umask: int, server: PostgresServer, s3: S3Server) -> Tour:
    """Run every headless command on this server's database `tour`, and some that fail."""
    tour = _tour(directory, umask, server, s3)
    with _watched_processes(tour):
        _work(tour)
        _look(tour)
        _fail(tour, server)
    return tour


def run_work(directory: Path, umask: int, server: PostgresServer, s3: S3Server) -> Tour:
    """Run only what writes."""
    tour = _tour(directory, umask, server, s3)
    _work(tour)
    return tour


def run_short(directory: Path, umask: int, server: PostgresServer, s3: S3Server) -> Tour:
    """Run two backups, and what fails: enough for every screen of the console."""
    tour = _tour(directory, umask, server, s3)
    tour.run("backup")
    _fail(tour, server)
    return tour


def _tour(directory: Path, umask: int, server: PostgresServer, s3: S3Server) -> Tour:
    tour = Tour(directory, umask, {})
    tour.variables = _variables(tour, server, s3)
    return tour


def _variables(tour: Tour, server: PostgresServer, s3: S3Server) -> dict[str, str]:
    return {
        **server.environment,
        **s3.environment("tour"),
        **STRANGERS,
        "PGUSER": "tour",
        "PGPASSWORD": PASSWORD,
        "PGDATABASE": "tour",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "S3_BACKUP_PREFIX": f"{tour.directory.name}/",
        "S3_RETENTION": "true",
        "RETENTION_DAILY": "2",
        "BACKUP_DIR": str(tour.backup_dir),
        "PGCONSOLE_ENV_FILE": os.devnull,
        "HOME": "/nonexistent",
        "LANG": "C.UTF-8",
    }


def _work(tour: Tour) -> None:
    """What writes, in the order of a life."""
    tour.schedule()
    path = tour.run("backup").splitlines()[0]
    tour.run("backup")
    tour.run("pin", Path(path).name, "--note", "before the move")
    tour.run("prune", "--dry-run")
    tour.run("prune", "--yes")
    tour.run("unpin", Path(path).name)
    tour.run("pause", "--reason", "moving")
    tour.run("resume")
    tour.run("verify", "--all")
    key = f"{tour.directory.name}/daily/{Path(path).name}"
    tour.run("verify", "--s3", key)
    tour.run("rows", Path(path).name, "users", "--csv", str(tour.directory / "users.csv"))
    tour.run("restore", "--latest", "--yes")
    tour.run("restore", "--from-s3", key, "--yes")
    tour.run("upload", Path(path).name)
    segments = Segments(tour.directory / "data")
    tour.run("wal-push", str(segments.write()))
    tour.run("wal-push", "--gzip", str(segments.write(NAME[:-1] + "4")))
    tour.run("wal-push", "--s3", str(segments.write(NAME[:-1] + "5")))


def _look(tour: Tour) -> None:
    """What only reads."""
    name = Path(tour.run("list").split()[0]).name
    for arguments in (
        ["list", "--json"], ["list", "--s3"], ["restore", "--list"], ["restore", "--list-s3"],
        ["show", name], ["show", "--s3", name], ["rows", name, "users"], ["sql", name],
        ["status"], ["status", "--json"], ["info"], ["jobs", "--json"],
    ):  # fmt: skip
        tour.run(*arguments)
    job = tour.run("jobs").split()[0]
    tour.run("jobs", job)
    tour.run("jobs", job, "--follow")
    tour.run("doctor")
    tour.run("cancel", job, code=1)


def _fail(tour: Tour, server: PostgresServer) -> None:
    """What fails, and says why: every party involved may repeat what it was told."""
    newest = tour.run("list").split()[0]
    tour.run("backup", code=1, PGPASSWORD=f"wrong{MARK}")
    tour.run("backup", code=1, PATH=tour.tell_tale("pg_dump", server.bin_dir))
    tour.run("restore", newest, "--yes", code=1, PATH=tour.tell_tale("psql", server.bin_dir))
    tour.run("list", "--s3", code=1, AWS_SECRET_ACCESS_KEY=f"wrong{MARK}")
    tour.run("backup", code=4, AWS_SECRET_ACCESS_KEY=f"wrong{MARK}")
    conninfo = f"host=127.0.0.1 user=tour password={MARK}"
    tour.run("restore", newest, "--yes", "--database", conninfo, code=2)
    tour.run("info", code=2, PGDATABASE=conninfo)
    tour.run("info", code=2, S3_ENDPOINT_URL=f"https://key:{MARK}@127.0.0.1")


class _watched_processes:
    """Collects the command lines of all processes while the block runs."""

    def __init__(self, tour: Tour) -> None:
        self._found = tour.command_lines
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self._found.add(path.read_bytes())
                except OSError:
                    continue

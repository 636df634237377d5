"""A machine as the documents describe it: the guide's database, backups, bucket and container."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sysconfig
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.docs.commands import ROOT
from tests.guide import guide_backup

from pgconsole.demo.servers import PostgresServer, S3Server

DOCUMENTED = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)  # the time in the documents' file names
PROMPT = b"Type 'yes' to confirm:"
# What can't run here: there is no Docker engine. `exec` runs the rest of its line on this machine,
# where the shims lie in another directory; compose files are read, not run.
_DOCKER = """#!/bin/sh
command=$1; shift
case $command in
exec)
    while [ "${1#-}" != "$1" ]; do shift; done
    [ "$1" = thinktank-backup ] || exit 64
    shift
    exec "$@" ;;
logs) [ "$1" = thinktank-backup ] && tail -n "${2#--tail=}" "$SERVICE_LOG" ;;
ps) echo "1c9f  pgconsole  thinktank-backup" ;;
compose)
    [ "$1" = -f ] || exit 65
    while [ "$1" = -f ]; do [ -f "$2" ] || exit 65; shift 2; done
    case $1 in up|build|down|stop|logs|pull) ;; *) exit 66 ;; esac ;;
*) exit 67 ;;
esac
"""


@dataclass
class Site:
    """Runs the commands of documents.

    Attributes:
        directory: The working directory; `backups` in it stands for `/backups`.
        environment: The variables that are set there.
    """

    directory: Path
    environment: dict[str, str]

    @property
    def backup_dir(self) -> Path:
        """What the documents call `/backups`."""
        return self.directory / "backups"

    def text(self, command: str) -> str:
        """The command with the places that this machine has for those of the documents."""
        text = re.sub(r"(?<![\w.])/backups\b", str(self.backup_dir), command)
        return text.replace("/usr/local/bin/", f"{ROOT}/docker/backup/")

    def run(self, command: str, timeout: float = 100.0) -> tuple[int, str]:
        """Run a command on a terminal, say `yes` where it asks, and return status and output."""
        text = self.text(command)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.directory)
            os.execve("/bin/bash", ["bash", "-o", "pipefail", "-c", text], self.environment)
        output, ends = bytearray(), time.monotonic() + timeout
        answered = 0
        while (data := _read(terminal, ends)) is not None:
            output += data
            if output.count(PROMPT) > answered:
                answered += 1
                os.write(terminal, b"yes\n")
            if b"Next runs" in output and answered == 0:  # a console that has read: leave it
                answered = 1
                os.write(terminal, b"q")
        if time.monotonic() > ends:
            os.killpg(pid, signal.SIGKILL)
        os.close(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, output.decode(errors="replace").replace("\r\n", "\n")


def _read(terminal: int, ends: float) -> bytes | None:
    ready, _, _ = select.select([terminal], [], [], max(0.0, ends - time.monotonic()))
    if not ready:
        return None
    try:
        return os.read(terminal, 65536) or None
    except OSError:  # the last program on the terminal has ended
        return None


def make_site(directory: Path, server: PostgresServer, s3: S3Server, bucket: str) -> Site:
    """Set everything up, with the backups that the documents name, locally and in S3."""
    site = Site(directory, _environment(directory, server, s3, bucket))
    site.backup_dir.mkdir()
    (directory / "bin").mkdir()
    docker = directory / "bin" / "docker"
    docker.write_text(_DOCKER)
    docker.chmod(0o755)
    (directory / "service.log").write_text("backup: done\n")
    (directory / "docker").symlink_to(ROOT / "docker")
    path = guide_backup(server, "thinktank", site.backup_dir, DOCUMENTED)
    subprocess.run(
        ["pgconsole", "upload", path.name], env=site.environment, check=True, cwd=directory,
        executable=Path(sysconfig.get_path("scripts")) / "pgconsole", capture_output=True,
    )  # fmt: skip
    return site


def _environment(
    directory: Path, server: PostgresServer, s3: S3Server, bucket: str
) -> dict[str, str]:
    programs = [directory / "bin", Path(sysconfig.get_path("scripts")), server.bin_dir]
    return {
        **server.environment,
        **s3.environment(bucket),
        "PATH": os.pathsep.join([*map(str, programs), "/usr/local/bin", "/usr/bin", "/bin"]),
        "PGDATABASE": "thinktank",
        "BACKUP_DIR": str(directory / "backups"),
        "SERVICE_LOG": str(directory / "service.log"),
        "HOME": str(directory),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "COLUMNS": "200",
    }

"""Runs an image as docker-compose-prod.yaml says, in namespaces of its own."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sysconfig
import time
from pathlib import Path
from typing import Any

from docker.check_image.build import ROOT, Image
from docker.check_image.host import require

# `docker run`: its own mounts and processes, the image read-only, no capability, no way to get one.
_RUN = """
set -e
mount --bind "$ROOT" "$ROOT"
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount -t tmpfs tmpfs "$ROOT/tmp"
mount --bind "$VOLUME" "$ROOT/backups"
mount -o remount,bind,ro "$ROOT"
cd "$ROOT"
exec chroot "$ROOT" setpriv $PRIVILEGES env -i "$@"
"""
# `docker exec`: into the same namespaces, with the same rights and variables.
_EXEC = """#!/bin/sh
command=$1; shift
case $command in
exec)
    while [ "${1#-}" != "$1" ]; do shift; done
    [ "$1" = thinktank-backup ] || exit 64
    shift
    exec nsenter --target "$(cat PID)" --mount --pid --root --wd \\
        env -i setpriv PRIVILEGES env -i ENV "$@" ;;
logs) [ "$1" = thinktank-backup ] && tail -n "${2#--tail=}" LOG ;;
ps) echo "1c9f  pgconsole  thinktank-backup" ;;
run)  # one command in the image, as root, with the volume
    [ "$1 $2 $3 $4" = "--rm --user 0 --volume" ] && [ "${5#*:}" = /backups ] || exit 65
    [ "$6" = --entrypoint ] && [ "$8" = pgconsole ] || exit 66
    command=$7; shift 8
    exec unshare --mount sh -c \
        'mount --bind VOLUME ROOT/backups; exec chroot ROOT "$0" "$@"' "$command" "$@" ;;
*) exit 67 ;;
esac
"""
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def compose(directory: Path, variables: dict[str, str], *files: str) -> dict[str, Any]:
    """What Docker Compose makes of our files with these variables in `.env` of the project's root.

    Args:
        directory: An empty directory.
        variables: The content of `.env`.
        files: Names in docker/.
    """
    (directory / ".env").write_text("".join(f"{k}={v}\n" for k, v in variables.items()))
    subprocess.run(["cp", "-a", ROOT / "docker", directory / "docker"], check=True)
    program = Path(sysconfig.get_path("scripts")) / "docker-compose"
    argv = [str(program), *(word for name in files for word in ("-f", f"docker/{name}"))]
    done = subprocess.run(
        [*argv, "config", "--format", "json"], cwd=directory, env={"PATH": os.defpath},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    require(done.returncode == 0, f"docker compose config: {done.stderr}")
    services: dict[str, Any] = json.loads(done.stdout)["services"]
    return services


class Container:
    """A running service.

    Args:
        image: What it runs.
        service: Its part of the compose file.
        volume: The directory that is its volume.
        log: Where its output goes.
    """

    def __init__(self, image: Image, service: dict[str, Any], volume: Path, log: Path) -> None:
        require(service["read_only"] and service["tmpfs"] == ["/tmp"], "it should be read-only")
        require(service["cap_drop"] == ["ALL"], "it should have no capability")
        require(service["security_opt"] == ["no-new-privileges:true"], "nor get one")
        self._image = image
        self._service = service
        self._volume = volume
        self._log = log
        self._pid_file = log.with_suffix(".pid")
        user, _, group = image.settings["USER"].partition(":")
        self._privileges = (
            f"--reuid {user} --regid {group} --clear-groups --bounding-set=-all --inh-caps=-all"
            " --no-new-privs"
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def variables(self) -> list[str]:
        """The environment of everything in it."""
        environment = self._image.environment | self._service["environment"]
        # `config` prints a dollar as a compose file writes it.
        return [f"{name}={value.replace('$$', '$')}" for name, value in environment.items()]

    @property
    def log(self) -> str:
        """`docker logs`."""
        return self._log.read_text()

    def start(self) -> None:
        """`docker start`: the image's own entry point and command."""
        argv = [*self._image.argv("ENTRYPOINT"), *self._image.argv("CMD")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child",
                 "--propagation", "private", "sh", "-c", _RUN, "sh", *self.variables, *argv],
                env={"PATH": _SYSTEM_PATH, "ROOT": str(self._image.root),
                     "VOLUME": str(self._volume), "PRIVILEGES": self._privileges},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def wait(self, timeout: float) -> int:
        """Wait until it ends by itself, and return its exit code."""
        assert self._process is not None
        return self._process.wait(timeout)

    def wait_until_it_runs(self) -> None:
        """Wait until process 1 is the image's own, not what we start it with."""
        assert self._process is not None
        name = Path(self._image.argv("ENTRYPOINT")[0]).name
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        while True:
            require(self._process.poll() is None, f"the container ended:\n{self.log}")
            for child in children.read_text().split():
                if Path(f"/proc/{child}/comm").read_text().strip() == name:
                    self._pid_file.write_text(child)
                    return
            time.sleep(0.05)

    @property
    def init(self) -> int:
        """Its process 1, as this machine numbers it."""
        return int(self._pid_file.read_text())

    def docker(self, directory: Path) -> Path:
        """Put a program `docker` there that knows this container."""
        path = directory / "docker"
        text = _EXEC
        for word, value in {
            "PID": str(self._pid_file), "PRIVILEGES": self._privileges, "LOG": str(self._log),
            "VOLUME": str(self._volume),
            "ROOT": str(self._image.root),
            "ENV": shlex.join(self.variables),  # last: it may have any word in it
        }.items():  # fmt: skip
            text = text.replace(word, value)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def healthy(self, docker: Path) -> tuple[int, str]:
        """What its health check returns and says."""
        kind, *argv = self._service["healthcheck"]["test"]
        require(kind == "CMD", "the health check should be a CMD")
        argv = [word.replace("$$", "$") for word in argv]
        done = subprocess.run(
            [docker, "exec", "thinktank-backup", *argv], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def zombies(self) -> list[str]:
        """Processes in it that nobody reaped."""
        space = (Path("/proc") / str(self.init) / "ns/pid").readlink()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if (process / "ns/pid").readlink() == space:
                    state = (process / "stat").read_text().rpartition(")")[2].split()[0]
                    if state == "Z":
                        found.append((process / "comm").read_text().strip())
            except OSError:  # it has just ended
                continue
        return found

    def stop(self, timeout: float) -> int:
        """`docker stop`: the image's signal, to process 1; its exit code."""
        number = signal.Signals[self._image.settings["STOPSIGNAL"]]
        before = time.monotonic()
        os.kill(self.init, number)
        code = self.wait(timeout)
        require(time.monotonic() - before < timeout, "it took too long to stop")
        return code

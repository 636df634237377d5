"""Build the image, run it, and run every `docker` line of the documents in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docker.check_image.build import Image, build, hygiene
from docker.check_image.container import Container, compose
from docker.check_image.host import require, say
from docker.check_image.server import check_server
from tests.docs.commands import documents, shell_commands, table_commands
from tests.docs.site import DOCUMENTED, Site
from tests.guide import guide_backup

from pgconsole.demo.servers import PostgresServer, S3Server

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pgconsole-image-check"
_PASSWORD = 'with #, $HOME and "quotes"'
_INSIDE = "PGCONSOLE_IMAGE_CHECK_INSIDE"  # set in our own mount namespace
# What may end otherwise than with 0: a health check of backups that nobody promised to be fresh.
_ALLOWED = {"doctor": (0, 1, 2), "status": (0, 1, 2)}


def main() -> None:
    """Check everything; ends with 0 only if all of it works."""
    require(os.geteuid() == 0, "it needs root, for chroot and mounts")
    require(shutil.which("debootstrap") is not None, "it needs debootstrap")
    if _INSIDE not in os.environ:
        # All mounts are in a namespace of our own: they go with it, whatever happens.
        argv = ["unshare", "--mount", "--propagation", "private", sys.executable,
                "-m", "docker.check_image"]  # fmt: skip
        raise SystemExit(
            subprocess.run(argv, env=os.environ | {_INSIDE: "1"}, check=False).returncode
        )
    started = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="image-check-"))
    scratch.chmod(0o755)
    try:
        stages = build(scratch, _CACHE)
        hygiene(stages["backup"])
        _run(stages, scratch)
    finally:
        for root in scratch.glob("*/root"):
            subprocess.run(["umount", "--recursive", "--lazy", root], check=False)
        shutil.rmtree(scratch)
    say(f"image-check: all is well, {time.monotonic() - started:.0f} s")


def _run(stages: dict[str, Image], scratch: Path) -> None:
    servers = scratch / "servers"
    servers.mkdir()
    with PostgresServer(servers / "postgres") as postgres, S3Server(servers / "s3") as s3:
        say("a real PostgreSQL 16 and a real S3 beside it")
        with postgres.connect() as connection:
            connection.execute(f"CREATE ROLE thinktank SUPERUSER LOGIN PASSWORD '{_PASSWORD}'")
            connection.execute("CREATE DATABASE thinktank OWNER thinktank")
        with postgres.connect("thinktank") as connection:
            connection.execute("CREATE TABLE notes AS SELECT i FROM generate_series(1, 5000) i")
        s3.make_bucket("image-check")
        services = compose(
            scratch,
            {
                "DB_PASSWORD": f"'{_PASSWORD}'", "PGHOST": "127.0.0.1",
                "PGPORT": str(postgres.port), **s3.environment("image-check"),
            },
            "docker-compose-prod.yaml", "docker-compose-wal.yaml",
        )  # fmt: skip
        check_server(stages["server"], services["postgres"])
        _check_backup(stages["backup"], services["backup"], postgres, scratch)


def _check_backup(
    image: Image, service: dict[str, Any], postgres: PostgresServer, scratch: Path
) -> None:
    volume = scratch / "volume"
    volume.mkdir(mode=0o755)
    guide_backup(postgres, "thinktank", volume, DOCUMENTED)
    container = Container(image, service, volume, scratch / "log")

    say("a volume that belongs to root, as the old container left it, is refused")
    container.start()
    require(container.wait(30) == 1, f"it should end with 1:\n{container.log}")
    require("-R 999:999 /backups" in container.log, f"no cure is named:\n{container.log}")
    say(_indented(container.log))
    programs = scratch / "bin"
    programs.mkdir()
    docker = container.docker(programs)
    inside = Inside(
        scratch, {"PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "xterm-256color"}
    )
    (cure,) = (text for text in _commands() if text.startswith("docker run"))
    say(f"  {cure}")
    status, output = inside.run(cure)
    require(status == 0, f"exit {status}\n{output}")

    say("it starts, takes its first backup, and is healthy")
    container.start()
    container.wait_until_it_runs()
    _until(lambda: container.healthy(docker)[0] == 0, lambda: container.log)
    say(_indented(container.healthy(docker)[1]))
    _documents(inside)
    require(container.zombies() == [], f"nobody reaped {container.zombies()}")

    say("it stops when it is told to")
    code = container.stop(60)
    require(code in {0, 143}, f"it ended with {code}:\n{container.log}")
    say(f"  exit code {code}")


class Inside(Site):
    """Runs the commands of documents as they are written."""

    def text(self, command: str) -> str:
        """The command itself."""
        return command


def _documents(inside: Inside) -> None:
    """Run every line that goes to the container, of the documents and of the old guide."""
    say("every docker line of the documents:")
    done = set()
    # The copy in S3 that the documents name.
    upload = "docker exec thinktank-backup pgconsole upload thinktank_daily_20260225_020000.sql.gz"
    commands = [upload, *_commands()]
    failures = []
    for text in commands:
        if not text.startswith(("docker exec", "docker logs", "docker ps")) or text in done:
            continue
        done.add(text)
        status, output = inside.run(text)
        allowed = next((codes for word, codes in _ALLOWED.items() if word in text), (0,))
        say(f"  {status:>3}  {text}")
        if status != 0:
            say(_indented(output))
        if status not in allowed:
            failures.append(f"{text}\nexit {status}\n{output}")
    require(not failures, "these lines fail:\n" + "\n\n".join(failures))
    require(len(done) > 10, "the documents have hardly a line")


def _commands() -> list[str]:
    """Every command of the documents."""
    return [
        command.text
        for document in documents()
        for command in (*shell_commands(document), *table_commands(document))
    ]


def _until(condition: Callable[[], bool], explain: Callable[[], str], timeout: float = 120) -> None:
    ends = time.monotonic() + timeout
    while not condition():
        require(time.monotonic() < ends, f"not within {timeout} s:\n{explain()}")
        time.sleep(0.2)


def _indented(text: str) -> str:
    return "".join(f"  | {line}\n" for line in text.splitlines()).rstrip()


main()

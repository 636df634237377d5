"""Runs the program against hostile input: it has to end, in bounded memory, and not by a crash."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cli.program import environment

from pgconsole.errors import ExitCode
from pgconsole.settings import Settings

SECONDS = 40.0  # for a command; the longest takes 2 s where nobody else works on the machine
MEMORY = 600 << 20  # bytes of private memory, threads' stacks included

# What an operator may type without knowing what is in the directory.
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("info",),
    ("list",),
    ("list", "--json"),
    ("status",),
    ("status", "--json"),
    ("doctor",),
    ("jobs",),
    ("jobs", "--json"),
    ("prune", "--dry-run"),
    ("verify", "--all"),
    ("restore", "--list"),
)

# Imports once, then forks for each command: that is the program, without its 0.3 s of start. Each
# has a limit of memory, which the jobs that it starts inherit, and a process group of its own.
_RUN = r"""
import json, os, resource, signal, sys, time
import pgconsole.cli, pgconsole.settings, pgconsole.jobs, pgconsole.backups.catalog
import pgconsole.backups.prune, pgconsole.backups.evidence, pgconsole.cli.listing
import humanize, dotenv

plan = json.load(sys.stdin)
for number, argv in enumerate(plan["commands"]):
    out = os.path.join(plan["directory"], str(number))
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_DATA, (plan["memory"], plan["memory"]))
        for fd, name in ((1, ".out"), (2, ".err")):
            os.dup2(os.open(out + name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), fd)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["pgconsole", *argv]
        pgconsole.cli.main()
        sys.exit(0)
    deadline = time.monotonic() + plan["seconds"]
    status = None
    while status is None and time.monotonic() < deadline:
        ended, found, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            status = os.waitstatus_to_exitcode(found)
        time.sleep(0.01)
    if status is None:
        os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    print(json.dumps(status), flush=True)
"""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command did.

    Attributes:
        argv: Its arguments.
        code: Its exit code; None if it had not ended in time, negative for a signal.
        out: What it printed.
        err: What it said beside.
    """

    argv: tuple[str, ...]
    code: int | None
    out: str
    err: str

    def __str__(self) -> str:
        return (
            f"pgconsole {' '.join(self.argv)} -> {self.code}\n{self.out[-3000:]}{self.err[-6000:]}"
        )


def run(
    settings: Settings,
    commands: Sequence[Sequence[str]],
    directory: Path,
    memory: int = MEMORY,
    **more: str,
) -> list[Said]:
    """Run these commands one after the other, and see that each ended as a program should.

    Args:
        settings: Where the hostile things are.
        commands: Each as its arguments.
        directory: An empty directory for what they print.
        memory: Bytes that each may have.
        more: Variables besides.
    """
    directory.mkdir(exist_ok=True)
    plan = {
        "commands": [list(argv) for argv in commands], "directory": str(directory),
        "memory": memory, "seconds": SECONDS,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        env=environment(settings, **more), cwd=directory, input=json.dumps(plan), text=True,
        capture_output=True, timeout=len(commands) * SECONDS + 30, check=True,
    )  # fmt: skip
    codes = [json.loads(line) for line in done.stdout.splitlines()]
    said = [
        Said(
            tuple(argv),
            code,
            (directory / f"{number}.out").read_text(),
            (directory / f"{number}.err").read_text(),
        )
        for number, (argv, code) in enumerate(zip(commands, codes, strict=True))
    ]
    for one in said:
        check(one)
    return said


def check(said: Said) -> None:
    """See that it ended by itself, with a word that helps, and that nothing of ours broke."""
    assert said.code is not None, f"it did not end\n{said}"
    assert said.code in set(ExitCode), said
    for text in (said.out, said.err):
        assert "Traceback" not in text, said
        assert "fault in pgconsole" not in text, said
        assert "MemoryError" not in text, said
        # Nothing in it acts on a terminal.
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text), said
    if said.code not in (ExitCode.OK, ExitCode.USAGE) and said.argv[0] not in ("status", "doctor"):
        assert "pgconsole: " in said.err, f"it says nothing of why\n{said}"


def journals(settings: Settings) -> str:
    """All that the jobs wrote down; a fault of ours would have left its traceback there."""
    text = ""
    for path in sorted(settings.state_dir.glob("jobs/*/*")):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 1 << 20:
            text += path.read_text(errors="replace")
    return text


Entry = tuple[str, object]


def contents(root: Path, *, but: Sequence[str] = ()) -> dict[str, Entry]:
    """What lies under a directory, without following or opening what is no regular file.

    Args:
        root: The directory.
        but: Paths below it that are left out with all that is in them.

    Returns:
        By path: kind, and size and digest of a small file, size of a large one, target of a link.
    """
    return dict(_walk(root, root, frozenset(but)))


def _walk(root: Path, directory: Path, but: frozenset[str]) -> Iterator[tuple[str, Entry]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            path = Path(entry.path)
            name = str(path.relative_to(root))
            if name in but:
                continue
            if entry.is_symlink():
                yield name, ("link", str(path.readlink()))
            elif entry.is_dir():
                yield name, ("directory", None)
                yield from _walk(root, path, but)
            elif entry.is_file():
                size = entry.stat().st_size
                small = size < 1 << 24
                digest = hashlib.sha256(path.read_bytes()).hexdigest() if small else ""
                yield name, ("file", (size, digest))
            else:
                yield name, ("special", entry.stat(follow_symlinks=False).st_mode)

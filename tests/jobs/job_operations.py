"""A runner with operations for the tests: `python -m job_operations <directory> <lock>`."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.errors import (
    BusyError,
    Cancelled,
    ConfigurationError,
    PartlyFailedError,
    PgconsoleError,
    PreflightError,
    ServerError,
    StorageError,
)
from pgconsole.jobs.runner import main
from pgconsole.jobs.spec import Spec
from pgconsole.report import Event, Level, Report
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

ERRORS: dict[str, Callable[[], BaseException]] = {
    "failed": lambda: ServerError("db is down", cause="refused", fix="start it"),
    "busy": lambda: BusyError("db is locked", cause="held by bob"),
    "partly": lambda: PartlyFailedError(
        "not in S3", cause="no such bucket", fix="make it", result={"paths": [Path("/a")]}
    ),
    "preflight": lambda: PreflightError(
        [ServerError("db is down", cause="refused"), StorageError("disk full", fix="free some")]
    ),
    "bug": lambda: ZeroDivisionError("division by zero"),
    "exit": lambda: SystemExit(0),
}


@dataclass(frozen=True)
class Result:
    paths: tuple[Path, ...]
    place: Place
    taken_at: datetime
    note: str
    rows: dict[str, int]


def succeed(settings: Settings, spec: Spec, report: Report) -> object:
    report(Event("dump", "dumping"))
    report(Event("dump", bytes_done=10, bytes_expected=20, table="public.users"))
    report(Event("publish", "published"))
    return Result(
        paths=(settings.backup_dir / "daily" / "a.sql.gz",),
        place=Place.LOCAL,
        taken_at=datetime(2026, 11, 22, 2, tzinfo=UTC),
        note="fine",
        rows={"public.users": 3},
    )


def wait(settings: Settings, spec: Spec, report: Report) -> object:
    """Until the file `until` exists. Cancelled, it cleans up until `cleaned_when` exists."""
    report(Event("dump", "waiting"))
    try:
        _until(spec.request["until"])
    finally:
        if "cleaned_when" in spec.request:
            _until(spec.request["cleaned_when"])
            report(Event("dump", "cleaned up"))
    return None


def fail(settings: Settings, spec: Spec, report: Report) -> object:
    report(Event("dump", "dumping"))
    raise ERRORS[str(spec.request["error"])]()


def spam(settings: Settings, spec: Spec, report: Report) -> object:
    for number in range(int(str(spec.request["events"]))):
        report(Event("dump", f"event {number}", bytes_done=number))
    return None


def cancel_itself(settings: Settings, spec: Spec, report: Report) -> object:
    raise Cancelled


def environment(settings: Settings, spec: Spec, report: Report) -> object:
    return {
        "variables": dict(os.environ),
        "settings": settings.environment(),
        "directory": str(Path.cwd()),
        "session": os.getsid(0) == os.getpid(),
        "stdin": str(Path("/proc/self/fd/0").readlink()),
        "descriptors": sorted(int(fd.name) for fd in Path("/proc/self/fd").iterdir()),
    }


def leave_a_child(settings: Settings, spec: Spec, report: Report) -> object:
    """A tool that outlives a runner that was killed."""
    child = subprocess.Popen(["sleep", "60"], close_fds=False)
    report(Event("dump", f"child {child.pid}"))
    _until(spec.request["until"])
    return None


def leak(settings: Settings, spec: Spec, report: Report) -> object:
    """Say the password wherever one can say something, then fail with it or end well."""
    secret = settings.pgpassword.get_secret_value()
    report(Event("dump", f"connecting with {secret} to the server", level=Level.WARNING))
    report(Event("dump", f"\x1b[31m{secret[:3]}\x00{secret[3:]}\x1b[0m\r\nnext line"))
    report(Event("dump", repr(secret), bytes_done=1, table=f"public.{secret}"))
    sys.stdout.write(f"on stdout: {secret}\n")
    sys.stderr.write(f"on stderr: {secret!r}\n")
    os.write(2, b"half a line, then " + secret.encode()[:5])
    while _unread(2):
        time.sleep(0.001)
    os.write(2, secret.encode()[5:] + b"\n")
    subprocess.run(["sh", "-c", 'printf "tool: %s\\n" "$PGPASSWORD" >&2'], check=True)
    _until(spec.request["until"])
    how = spec.request["how"]
    if how == "error":
        raise PgconsoleError(f"no {secret}", cause=f"cause {secret}", fix=f"fix {secret}")
    if how == "bug":
        raise RuntimeError(secret)
    return None


def fill_the_disk(settings: Settings, spec: Spec, report: Report) -> object:
    report(Event("dump", "filling"))
    try:
        with (settings.backup_dir / "big").open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 512)
    except OSError as error:
        for number in range(2000):  # must not stop the work, and must not spoil the journal
            report(Event("dump", f"event {number} on a full disk"))
        raise StorageError("The dump can't be written", cause=str(error)) from error


def _unread(pipe: int) -> int:
    """Bytes in a pipe that nobody has read yet."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def _until(path: object) -> None:
    while not Path(str(path)).exists():
        time.sleep(0.01)


OPERATIONS = {
    "succeed": succeed,
    "wait": wait,
    "fail": fail,
    "spam": spam,
    "cancel_itself": cancel_itself,
    "environment": environment,
    "leave_a_child": leave_a_child,
    "leak": leak,
    "fill_the_disk": fill_the_disk,
}


def find(kind: str) -> Callable[[Settings, Spec, Report], object]:
    try:
        return OPERATIONS[kind]
    except KeyError:
        raise ConfigurationError(f"no operation {kind}") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], find))

"""Start a job as a process of its own that outlives us, our terminal and our SSH connection."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pgconsole.durable import (
    PRIVATE_DIRECTORY,
    PRIVATE_FILE,
    make_directory,
    open_to_append,
    sync_directory,
)
from pgconsole.env_file import ENV_FILE_VARIABLE
from pgconsole.errors import StorageError
from pgconsole.jobs.audit import audit
from pgconsole.jobs.permission import permit
from pgconsole.jobs.spec import Spec, new_id, parse_id, write_spec
from pgconsole.jobs.store import LOCK, OUTPUT, jobs_directory
from pgconsole.jobs.texts import JSON
from pgconsole.locks import is_held
from pgconsole.postgres.tools import LIBPQ_VARIABLES
from pgconsole.secret_files import FILE_VARIABLES
from pgconsole.settings import Settings
from pgconsole.storage.links import refuse_strange_links

RUNNER = "pgconsole.jobs.runner"
_NEVER_BEGUN = timedelta(hours=1)

# What Python, OpenSSL, Kerberos and boto3 read besides our own settings; libpq's variables come to
# it. Everything else stays here: another program's secret has no business in a job.
_INHERITED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|TZDIR|LANG|LANGUAGE|LC_.*|LD_LIBRARY_PATH"
    r"|PYTHON(PATH|HOME|UTF8|DONTWRITEBYTECODE|WARNINGS|PYCACHEPREFIX)"
    r"|PGSSL.*|SSL_.*|OPENSSL_.*|KRB5.*|AWS_.*|BOTO_CONFIG|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|(?i:https?_proxy|all_proxy|no_proxy)"
)


def start(
    settings: Settings,
    kind: str,
    request: dict[str, JSON],
    actor: str,
    *,
    runner: str = RUNNER,
) -> str:
    """Start a job and return its id as soon as its process is there.

    The job's lock is taken here and handed over to the process: from the first moment that the
    job can be seen, a free lock means that nobody works on it.

    Args:
        settings: What the operator configured; handed over in the environment, secrets included.
        kind: Which operation, e.g. `backup`.
        request: The operation's own arguments. No secrets: they are written down.
        actor: Who asks, as `current_actor` says it.
        runner: The module to run.

    Raises:
        ReadOnlyError: The job would change something, and this is read-only mode.
        StorageError: The job's directory can't be written, or a link of somebody else's leads out
            of BACKUP_DIR, or the process can't be started.
        ValueError: The kind is not a word.
    """
    created_at = datetime.now(UTC)
    spec = Spec(new_id(kind, created_at), kind, request, actor, created_at)
    permit(settings, actor, kind, spec.id)
    refuse_strange_links(settings.backup_dir)
    directory = jobs_directory(settings) / spec.id
    lock = -1
    try:
        lock = _make(directory, spec)
        audit(settings, actor, f"start {kind}", spec.id, "accepted")
        _spawn(directory, lock, runner, _environment(settings))
    except OSError as error:
        shutil.rmtree(directory, ignore_errors=True)
        with suppress(OSError):
            audit(settings, actor, f"start {kind}", spec.id, f"failed: {error}")
        raise StorageError(
            f"The {kind} can't be started",
            cause=str(error),
            fix=f"see that {settings.backup_dir} can be written by this user and is not full",
        ) from error
    finally:
        if lock >= 0:
            os.close(lock)
    return spec.id


def _make(directory: Path, spec: Spec) -> int:
    """Make the job's directory, complete at once, and return the descriptor of its held lock."""
    make_directory(directory.parent)
    _remove_never_begun(directory.parent, spec.created_at)
    aside = directory.with_name(f".{directory.name}")
    aside.mkdir(mode=PRIVATE_DIRECTORY)
    lock = os.open(aside / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        write_spec(aside, spec)
        sync_directory(aside)
        aside.rename(directory)
        sync_directory(directory.parent)
    except BaseException:
        os.close(lock)
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return lock


def _remove_never_begun(directory: Path, now: datetime) -> None:
    """Remove what was made of jobs whose starter was killed before they could be seen."""
    for path in directory.glob(".*"):
        parsed = parse_id(path.name.removeprefix("."))
        # Making one takes a moment in which its lock is not held yet.
        if parsed is None or now - parsed[0] < _NEVER_BEGUN:
            continue
        with suppress(OSError):
            if not is_held(path / LOCK):
                shutil.rmtree(path)


def _spawn(directory: Path, lock: int, runner: str, environment: dict[str, str]) -> None:
    output = open_to_append(directory / OUTPUT)
    try:
        process = subprocess.Popen(
            # -P: nothing that lies in the working directory can pass for a module of ours.
            [sys.executable, "-P", "-m", runner, str(directory), str(lock)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(lock,),
            start_new_session=True,
            cwd="/",
            env=environment,
        )
    finally:
        os.close(output)
    # Somebody has to ask for the exit status, or a long-living console collects zombies. As
    # init of a container we would inherit the orphans of a double fork as well.
    threading.Thread(target=process.wait, name=f"reap {directory.name}", daemon=True).start()


def _environment(settings: Settings) -> dict[str, str]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if (_INHERITED.fullmatch(name) or name in LIBPQ_VARIABLES) and name not in FILE_VARIABLES
    }
    for name, value in settings.environment().items():
        if value:
            environment[name] = value
        else:
            environment.pop(name, None)
    environment[ENV_FILE_VARIABLE] = os.devnull  # the settings are complete
    return environment

"""Where a demo lies: a temporary directory, or one that is kept and can be come back to."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.errors import BusyError, ConfigurationError
from pgconsole.locks import Holder, LockedError, hold, is_held

_STATE = "demo.json"
_LOCK = "demo.lock"
_TOOLS = "bin"


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of a demo.

    Attributes:
        directory: Holds everything of the demo.
        kept: Whether it stays.
        prepared: Whether database and backups are there from an earlier start.
        password: Of the database's superuser; the same at every start.
    """

    directory: Path
    kept: bool
    prepared: bool
    password: str

    @property
    def postgres(self) -> Path:
        """The server's directory."""
        return self.directory / "postgres"

    @property
    def s3(self) -> Path:
        """The S3 server's directory."""
        return self.directory / "s3"

    @property
    def backups(self) -> Path:
        """BACKUP_DIR."""
        return self.directory / "backups"

    def link_tools(self, bin_dir: Path) -> Path:
        """A directory here that is another name of `bin_dir`."""
        link = self.directory / _TOOLS
        link.unlink(missing_ok=True)  # a kept demo may be come back to from another installation
        link.symlink_to(bin_dir)
        return link

    @staticmethod
    def is_complete(directory: Path) -> bool:
        """Whether a demo was prepared to the end in this directory, now or earlier."""
        return (directory / _STATE).exists()

    def finish(self) -> None:
        """Note that everything is prepared: only now can a kept demo be come back to."""
        state = self.directory / _STATE
        partial = state.with_suffix(".partial")
        fd = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(fd, "w", encoding="utf-8") as file:  # noqa: PTH123 - the mode matters
            json.dump({"password": self.password}, file)
        partial.rename(state)

    def discard(self) -> None:
        """Remove all of it unless it is kept and complete."""
        if self.kept and self.is_complete(self.directory):
            return
        if self.kept:  # the directory itself may be the user's
            for entry in ("postgres", "s3", "backups"):
                shutil.rmtree(self.directory / entry, ignore_errors=True)
            for name in (_TOOLS, _LOCK):
                (self.directory / name).unlink(missing_ok=True)
            with suppress(OSError):
                self.directory.rmdir()
        else:
            shutil.rmtree(self.directory, ignore_errors=True)


@contextmanager
def temporary_home() -> Iterator[Home]:
    """A directory that is gone afterwards, with everything in it."""
    home = Home(Path(tempfile.mkdtemp(prefix="pgconsole-demo-")), False, False, _password())
    try:
        _make_reachable(home.directory)
        home.backups.mkdir(mode=0o700)
        yield home
    finally:
        home.discard()


@contextmanager
def kept_home(directory: Path) -> Iterator[Home]:
    """A directory that stays, locked meanwhile. If nothing was finished in it, nothing stays.

    Raises:
        ConfigurationError: There is something else in it, or it can't be used.
        BusyError: Another demo runs in it.
    """
    directory = directory.absolute()
    prepared = Home.is_complete(directory)
    _refuse_foreign(directory)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make_reachable(directory)
        with hold(directory / _LOCK, _holder()):
            password = _read_password(directory) if prepared else _password()
            home = Home(directory, True, prepared, password)
            try:
                home.backups.mkdir(mode=0o700, exist_ok=True)
                yield home
            finally:
                home.discard()
    except LockedError as error:
        since = f"since {error.holder.since}" if error.holder else ""
        raise BusyError(
            f"Another demo runs in {directory} {since}".rstrip(),
            fix="quit it first, or give another directory",
        ) from error


def _refuse_foreign(directory: Path) -> None:
    """Only an empty directory or a demo's own is used: the demo removes what it made."""
    try:
        names = set(os.listdir(directory))  # noqa: PTH208 - names are wanted
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigurationError(
            f"{directory} can't be used", cause=str(error), fix="give another directory"
        ) from error
    begun = _LOCK in names and is_held(directory / _LOCK)  # `hold` will say by whom
    if names - {_LOCK} and not names >= {_STATE, "postgres"} and not begun:
        raise ConfigurationError(
            f"{directory} can't be used",
            cause="it is neither empty nor a demo that was completely prepared",
            fix="give another directory, or remove this one",
        )


def _make_reachable(directory: Path) -> None:
    """As root, PostgreSQL runs as `nobody`, who has to get through every directory above."""
    if os.geteuid() != 0:
        return
    directory.chmod(directory.stat().st_mode | 0o011)
    for parent in directory.resolve().parents:
        if not parent.stat().st_mode & 0o001:
            raise ConfigurationError(
                f"{directory} can't be used by root",
                cause=f"PostgreSQL refuses to run as root; it runs as nobody, who can't enter "
                f"{parent}",
                fix="give a directory below /var/tmp, or run the demo as another user",
            )


def _read_password(directory: Path) -> str:
    try:
        return str(json.loads((directory / _STATE).read_text(encoding="utf-8"))["password"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"{directory / _STATE} can't be read",
            cause=str(error),
            fix="remove the directory, or give another one",
        ) from error


def _password() -> str:
    return secrets.token_urlsafe(12)


def _holder() -> Holder:
    return Holder(
        who="demo", what="demo", since=datetime.now(UTC).isoformat(timespec="seconds"),
        host=socket.gethostname(), pid=os.getpid(),
    )  # fmt: skip

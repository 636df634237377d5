"""What the console remembers from one time to the next: views only, so losing it harms nothing."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pgconsole import durable
from pgconsole.settings import Settings

VERSION = 1
_LARGEST = 1 << 20  # bytes; ours has a few hundred
_LONGEST = 1000  # characters of a text
_MOST_PLACES = 100  # whose views are kept; those longest unchanged go
_EVERYWHERE = ""

Value = TypeVar("Value", str, int, bool)
_Views = dict[str, dict[str, str | int | bool]]


class Memory:
    """Views by place: a backup directory with a database, or everywhere.

    What is changed is written at once by a thread that nobody waits for. A file that
    is damaged, of another version, or out of reach counts as empty, and `problem` says why.

    Args:
        path: The file. None: nothing outlives this console.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._views, self.problem = _read(path) if path is not None else ({}, "")
        self._changed: _Views = {}
        self._lock = threading.Lock()
        self._written = threading.Event()
        self._written.set()
        self._thread: threading.Thread | None = None

    def get(self, name: str, usual: Value, *, of: Settings | None = None) -> Value:
        """What was remembered, if it is of the same type; else what is usual.

        Args:
            name: Of the view, such as `main.pane`. What it means, and whether it still exists, is
                for the caller to check: somebody may have written anything into the file.
            usual: What holds if nothing is remembered.
            of: Whose backups it is about; None: it is the same for all.
        """
        views = self._views.setdefault(_place(of), {})
        value = views.get(name)
        if type(value) is type(usual):
            return value
        views[name] = usual  # so that only what differs from it is written
        return usual

    def set(self, name: str, value: str | int | bool, *, of: Settings | None = None) -> None:
        """Remember it, for `get` with the same name. Does not wait for the disk."""
        place = _place(of)
        if self._views.get(place, {}).get(name) == value:
            return
        self._views.setdefault(place, {})[name] = value
        if self._path is None:
            return
        with self._lock:
            self._changed.setdefault(place, {})[name] = value
            self._written.clear()
            if self._thread is None:
                thread = threading.Thread(
                    target=self._write, args=[self._path], name="memory", daemon=True
                )
                thread.start()
                self._thread = thread

    def settle(self, seconds: float) -> None:
        """Let the last changes reach the disk, but wait no longer than this."""
        self._written.wait(seconds)

    def _write(self, path: Path) -> None:
        while True:
            with self._lock:
                changed, self._changed = self._changed, {}
                if not changed:
                    self._thread = None
                    self._written.set()
                    return
            try:
                _merge(path, changed)
            except OSError as error:
                self.problem = f"it can't be written: {error}"


def _place(settings: Settings | None) -> str:
    return f"{settings.pgdatabase} in {settings.backup_dir}" if settings else _EVERYWHERE


def _merge(path: Path, changed: _Views) -> None:
    """Other consoles remember too: what they wrote since stays."""
    durable.make_directory(path.parent)
    with _alone(path):
        views, _ = _read(path)
        for place, new in changed.items():
            views[place] = {**views.pop(place, {}), **new}
        places = [place for place in views if place != _EVERYWHERE][-_MOST_PLACES:]
        kept = {place: views[place] for place in (_EVERYWHERE, *places) if place in views}
        text = json.dumps({"version": VERSION, "views": kept}, indent=1)
        durable.replace(path, text.encode())


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    lock = os.open(
        path.with_name(f"{path.name}.lock"),
        os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW,
        durable.PRIVATE_FILE,
    )
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _read(path: Path) -> tuple[_Views, str]:
    """The views in a file, and why there are none if it is there and can't be used."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST:
            return {}, "it is not used: not a file of ours"
        found = json.loads(path.read_bytes())
        version = found["version"]
        if version != VERSION:
            return {}, f"it is not used: it is of version {version!r}, this is {VERSION}"
        return {str(place): _checked(views) for place, views in found["views"].items()}, ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        return {}, f"it is not used: {type(error).__name__}: {error}"


def _checked(views: Mapping[str, object]) -> dict[str, str | int | bool]:
    return {
        str(name): value
        for name, value in views.items()
        if (isinstance(value, str) and len(value) <= _LONGEST and value.isprintable())
        or isinstance(value, int)
    }

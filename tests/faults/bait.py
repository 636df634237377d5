"""Good and hostile dumps, and things that lie where a file should be."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

from tests.dumps.helpers import assembled, copy_block, manifest_of, write

from pgconsole.dumps.manifest import Manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, parse_name

ROWS = b"".join(b"%d\tuser %d\n" % (n, n) for n in range(200))


def good_dump() -> bytes:
    """A small dump with one table."""
    return assembled(b"CREATE TABLE public.users (id int, name text);\n",
                     copy_block(b"public.users", ROWS))[0]  # fmt: skip


def lay_good(directory: Path, name: str = "app_daily_20260225_020000.sql.gz") -> Path:
    """A good backup with its manifest; as old as its name says."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / name
    written = write(good_dump(), path)
    path.chmod(0o600)
    lay_manifest(path, manifest_of(written))
    return path


def lay_manifest(dump: Path, manifest: Manifest) -> Path:
    """The manifest beside a dump, with the name of its database."""
    name = parse_name(dump.name)
    assert name is not None
    manifest = manifest.model_copy(
        update={
            "database": name.database,
            "taken_at": name.taken_at,
            "classes": (name.backup_class,),
        }
    )
    path = dump.with_name(dump.name + MANIFEST_SUFFIX)
    path.write_bytes(manifest.to_json())
    return path


def _socket(path: Path) -> None:
    here = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:  # the path of a socket has 107 bytes at most
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(f"/proc/self/fd/{here}/{path.name}")
    finally:
        os.close(here)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)  # without a block on the disk


NO_DEVICES = "a device needs the right to mknod"
DEVICE = "a device without an end"
SECRET = b"what lies outside is nobody's business"


def _outside(path: Path) -> Path:
    """A directory that is not the backups'."""
    directory = next(one for one in path.parents if one.name == "backups").with_name("outside")
    directory.mkdir(exist_ok=True)
    return directory


def _link_outside(path: Path) -> None:
    target = _outside(path) / "secret"
    target.write_bytes(SECRET)
    path.symlink_to(target)


def _hard_link(path: Path) -> None:
    target = _outside(path) / "linked"
    target.write_bytes(SECRET)
    path.hardlink_to(target)


# What can lie under a name, by what it is called. A device needs root.
THINGS: dict[str, Callable[[Path], None]] = {
    "a FIFO that nobody writes": lambda path: os.mkfifo(path, 0o600),
    "a socket": _socket,
    "a directory": lambda path: path.mkdir(),
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a link to a file outside": _link_outside,
    "a link to nowhere": lambda path: path.symlink_to("/nowhere/at/all"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    DEVICE: lambda path: os.mknod(path, 0o020600, os.makedev(1, 5)),
    "a hard link to a file outside": _hard_link,
    "an empty file": lambda path: path.touch(),
    "a terabyte of zeros": _huge,
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 64),
    "a million brackets": lambda path: path.write_bytes(b"[" * 1_000_000),
    "null": lambda path: path.write_bytes(b"null\n"),
}


def can_make_devices(directory: Path) -> bool:
    """Whether this user may."""
    path = directory / "device"
    try:
        os.mknod(path, 0o020600, os.makedev(1, 5))
    except PermissionError:
        return False
    path.unlink()
    return True

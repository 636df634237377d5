"""What somebody may do to a signed backup who can write where it lies, and what a disk may."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pgconsole.backups.evidence import Proof
from pgconsole.dumps.manifest import parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX
from pgconsole.dumps.signature import new_signing_key


def beside(path: Path) -> Path:
    """Its manifest."""
    return path.with_name(path.name + MANIFEST_SUFFIX)


def edit(path: Path, **changes: object) -> None:
    """Change a manifest as somebody without the key can."""
    beside(path).write_text(json.dumps(json.loads(beside(path).read_bytes()) | changes))


def flip(path: Path) -> None:
    """As a disk does it."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def flip_manifest(path: Path) -> None:
    data = beside(path).read_bytes()
    number = data.index(b'"raw_bytes":') + len(b'"raw_bytes":')
    beside(path).write_bytes(data[:number] + b"9" + data[number + 1 :])


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 40)


def swap_manifests(path: Path) -> None:
    other = other_of(path)
    shutil.copy(beside(other), beside(path))


def swap_dumps(path: Path) -> None:
    shutil.copy(other_of(path), path)


def replay(path: Path) -> None:
    """An older backup, signed as it is, in the place of the newest one."""
    swap_dumps(path)
    swap_manifests(path)


def strip(path: Path) -> None:
    edit(path, signature=None)


def strip_and_change(path: Path) -> None:
    """A whole new pair, right in itself: of no use without a signature."""
    shutil.copy(other_of(path), path)
    manifest = parse_manifest(beside(other_of(path)).read_bytes(), "")
    mine = parse_manifest(beside(path).read_bytes(), "")
    changed = manifest.model_copy(
        update={"taken_at": mine.taken_at, "classes": mine.classes, "signature": None}
    )
    beside(path).write_bytes(changed.to_json())


def remove_manifest(path: Path) -> None:
    beside(path).unlink()


def sign_with_another_key(path: Path) -> None:
    manifest = parse_manifest(beside(path).read_bytes(), "")
    beside(path).write_bytes(new_signing_key().sign(manifest).to_json())


def other_of(path: Path) -> Path:
    return min(
        one for one in path.parent.glob("*.sql.gz*") if one != path and "json" not in one.name
    )


ATTACKS: dict[Callable[[Path], None], Proof] = {
    flip: Proof.DAMAGED,
    truncate: Proof.DAMAGED,
    flip_manifest: Proof.ALTERED,
    swap_manifests: Proof.ALTERED,
    swap_dumps: Proof.ALTERED,
    replay: Proof.ALTERED,
    strip: Proof.ALTERED,
    strip_and_change: Proof.ALTERED,
    remove_manifest: Proof.ALTERED,
    sign_with_another_key: Proof.ALTERED,
}

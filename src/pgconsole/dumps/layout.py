"""Where the members of a dump lie, as its manifest says, checked before anything relies on it."""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from pgconsole.dumps.manifest import Manifest, Section
from pgconsole.errors import DamagedError

FIX = (
    "use another backup; if the file is right and its manifest is wrong, remove the manifest and "
    "verify the backup: that writes a new one"
)


class Extent(NamedTuple):
    """A member and its place in the file.

    Attributes:
        offset: Where it begins, bytes.
        length: Its compressed size.
        raw_bytes: Its uncompressed size.
        rows: Rows that end in it.
    """

    offset: int
    length: int
    raw_bytes: int
    rows: int


def layout_of_copy(manifest: Manifest, size: int) -> list[tuple[Section, list[Extent]]]:
    """As `layout`, for a copy whose file, encrypted or not, has this size.

    Raises:
        DamagedError: As `layout`.
    """
    # Of an encrypted dump only the file's size is known; what lacks there lacks in it too.
    return layout(manifest, manifest.gzip_bytes - manifest.compressed_bytes + size)


def layout(manifest: Manifest, size: int) -> list[tuple[Section, list[Extent]]]:
    """Each section with its members; all without, if the file is not cut into members.

    Args:
        manifest: What the file should be.
        size: What the size of the gzip file is, see `Manifest.gzip_bytes`.

    Raises:
        DamagedError: The manifest contradicts itself, or the file has another size.
    """
    if manifest.gzip_bytes != size:
        raise DamagedError(
            "The file is not as long as its manifest says",
            cause=f"it ends at byte {size} instead of {manifest.gzip_bytes}",
            fix=FIX,
        )
    members = [member for section in manifest.sections for member in section.members]
    ends = [*(member.offset for member in members[1:]), size]
    extents = [
        Extent(member.offset, end - member.offset, member.raw_bytes, member.rows)
        for member, end in zip(members, ends, strict=False)
    ]
    if extents and extents[0].offset != 0:
        raise _contradiction("its first member doesn't begin at byte 0")
    for extent in extents:
        if extent.length <= 0 or extent.raw_bytes <= 0 or extent.rows < 0:
            raise _contradiction(f"its member at byte {extent.offset} can't be")
    placed = []
    rest = iter(extents)
    for section in manifest.sections:
        own = list(islice(rest, len(section.members)))
        if extents:
            _check(section, own)
        placed.append((section, own))
    return placed


def _check(section: Section, extents: list[Extent]) -> None:
    if (
        not extents
        or sum(extent.raw_bytes for extent in extents) != section.raw_bytes
        or sum(extent.rows for extent in extents) != section.rows
    ):
        name = section.table or section.kind
        raise _contradiction(f"the members of {name} don't make up the section")


def _contradiction(cause: str) -> DamagedError:
    return DamagedError(
        "The manifest is not of this file",
        cause=cause,
        fix=FIX,
    )

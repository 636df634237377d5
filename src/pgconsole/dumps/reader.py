"""Reads single sections of a dump: of its members only those that are needed."""

from __future__ import annotations

from collections.abc import Iterator

from pgconsole.dumps.layout import Extent, layout
from pgconsole.dumps.manifest import Manifest, Section, SectionKind
from pgconsole.dumps.members import ByteRange, damaged, decode_all, decode_member
from pgconsole.dumps.source import RangedSource
from pgconsole.errors import DamagedError

# Compressed bytes to ask the source for at once: one request to S3 for several members.
_REQUEST = 4 << 20
_MARKERS = (b"\\.\n", b"\\.\r\n")  # the line that ends rows, as psql takes it
_LONGEST_MARKER = 4


class DumpReader:
    """The sections of one dump.

    Args:
        source: The file or object.
        manifest: What is known of it.
        request: Bytes to ask the source for at once; fewer where only the first rows are wanted.

    Raises:
        DamagedError: The manifest is not of this file.
    """

    def __init__(
        self, source: RangedSource, manifest: Manifest, *, request: int = _REQUEST
    ) -> None:
        self._source = source
        self._request = request
        self._layout = layout(manifest, source.size)
        self._known = {id(section): extents for section, extents in self._layout}

    @property
    def sections(self) -> list[Section]:
        """All sections, in the file's order."""
        return [section for section, _ in self._layout]

    def find_table(self, schema: str | None, table: str) -> Section | None:
        """The DATA section of a table, by its unquoted names; None if the dump has none.

        Args:
            schema: None for the dumps of pg_dump before 10.3, which name no schema.
            table: Name of the table.
        """
        for section in self.sections:
            if (section.schema_name, section.table) == (schema, table):
                return section
        return None

    def raw(self, section: Section) -> Iterator[bytes]:
        r"""The section's bytes, in pieces of at most 256 KiB; for DATA with its `\.` line.

        Raises:
            StorageError: The source can't be read.
            DamagedError: It holds something else than the manifest says.
        """
        extents = self._extents(section)
        return self._decode(section, extents, 0) if extents else self._skim(section)

    def sql(self) -> Iterator[tuple[int, bytes]]:
        """All SQL in the dump's order, in pieces, each with the number of its section.

        The rows between are not read if the file is cut into members; else it is read once.

        Raises:
            StorageError: The source can't be read.
            DamagedError: It holds something else than the manifest says.
        """
        if not any(extents for _, extents in self._layout):
            yield from self._sql_of_whole()
            return
        for place, section in enumerate(self.sections):
            if section.kind is not SectionKind.DATA:
                for piece in self.raw(section):
                    yield place, piece

    def _sql_of_whole(self) -> Iterator[tuple[int, bytes]]:
        sections = self.sections
        place, left = 0, sections[0].raw_bytes if sections else 0
        for _, decoded in decode_all(self._source):
            piece = decoded
            while piece and place < len(sections):
                if sections[place].kind is not SectionKind.DATA:
                    yield place, piece[:left]
                piece, left = piece[left:], max(0, left - len(piece))
                if left == 0:
                    place += 1
                    left = sections[place].raw_bytes if place < len(sections) else 0
            if place == len(sections):
                return
        if place < len(sections):
            raise damaged(0, "it ends within a section", "its manifest is of another file")

    def rows(self, section: Section, start: int = 0) -> Iterator[bytes]:
        r"""The rows of a table from row `start` on, as COPY text.

        Args:
            section: A DATA section of this dump.
            start: How many rows to leave out.

        Returns:
            Pieces of at most 256 KiB (plus a few bytes). Together they are whole rows, each with
            its newline, without the `\.` line; a row may go on from one piece to the next.

        Raises:
            StorageError: The source can't be read.
            DamagedError: It holds something else than the manifest says.
        """
        assert section.kind is SectionKind.DATA
        if start >= section.rows:
            return iter(())
        extents = self._extents(section)
        first = 0
        while extents and extents[first].rows <= start:
            start -= extents[first].rows
            first += 1
        pieces = self._decode(section, extents, first) if extents else self._skim(section)
        return _without_marker(_without_lines(pieces, start), section)

    def _extents(self, section: Section) -> list[Extent]:
        if (extents := self._known.get(id(section))) is None:
            raise ValueError("the section is of another dump")
        return extents

    def _decode(self, section: Section, extents: list[Extent], first: int) -> Iterator[bytes]:
        """The bytes of the section's members from the `first` on; their rows are counted."""
        end = extents[-1].offset + extents[-1].length
        stream = ByteRange(self._source, extents[first].offset, end, self._request)
        for extent in extents[first:]:
            lines = 0
            compressed = stream.take(extent.length)
            for piece in decode_member(compressed, extent.offset, extent.raw_bytes):
                lines += piece.count(b"\n")
                yield piece
            expected = extent.rows + (extent is extents[-1])  # and the line that ends the rows
            if section.kind is SectionKind.DATA and lines != expected:
                raise damaged(extent.offset, f"it holds {lines} lines instead of {expected}", "")

    def _skim(self, section: Section) -> Iterator[bytes]:
        """A section of a file that is not cut into members: all before it is decoded too."""
        skip = 0
        for before in self.sections:
            if before is section:
                break
            skip += before.raw_bytes
        left = section.raw_bytes
        for _, piece in decode_all(self._source):
            wanted = piece[skip : skip + left]
            skip = max(0, skip - len(piece))
            left -= len(wanted)
            if wanted:
                yield wanted
            if left == 0:
                return
        raise damaged(0, "it ends within a section", "its manifest is of another file")


def _without_lines(pieces: Iterator[bytes], lines: int) -> Iterator[bytes]:
    """What follows the first `lines` lines."""
    for piece in pieces:
        rest = piece
        if lines:
            found = piece.count(b"\n")
            if found < lines:
                lines -= found
                continue
            begin = 0
            for _ in range(lines):
                begin = piece.index(b"\n", begin) + 1
            lines = 0
            rest = piece[begin:]
        if rest:
            yield rest


def _without_marker(pieces: Iterator[bytes], section: Section) -> Iterator[bytes]:
    """Everything but the line that ends the rows."""
    held = b""
    for piece in pieces:
        data = held + piece
        held = data[-_LONGEST_MARKER:]
        if len(data) > len(held):
            yield data[: -len(held)]
    for marker in _MARKERS:
        if held.endswith(marker):
            if len(held) > len(marker):
                yield held[: -len(marker)]
            return
    raise DamagedError(
        f"The rows of {section.table} do not end as COPY data does",
        cause="the manifest is of another file",
        fix="verify the backup",
    )

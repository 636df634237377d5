"""What a copy of a backup holds, as far as that can be told without reading it whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pgconsole.backups.looking import open_source
from pgconsole.backups.restore_copy import FoundCopy, find_copy, manifest_of
from pgconsole.dumps.head import Head, read_head
from pgconsole.dumps.manifest import Manifest, Section, SectionKind
from pgconsole.dumps.sqlnotes import Foreign, MetaCommand
from pgconsole.errors import DamagedError, PgconsoleError, SealedError
from pgconsole.settings import Settings

Name = tuple[str | None, str]
"""Schema and table; dumps of pg_dump before 10.3 name no schema."""


@dataclass(frozen=True)  # no slots: what takes a walk over all tables is worked out once
class Content:
    """One copy, as it was looked at.

    Attributes:
        copy: As it is now.
        manifest: What lies beside it; None if nothing does, or nothing of use.
        manifest_problem: Why what lies there is of no use; None if it is, or if nothing is there.
        head: What the SQL before its rows says; None if that can't be read.
        head_problem: Why not.
    """

    copy: FoundCopy
    manifest: Manifest | None = None
    manifest_problem: PgconsoleError | None = None
    head: Head | None = None
    head_problem: PgconsoleError | None = None

    @cached_property
    def rows(self) -> Mapping[Name, int] | None:
        """Rows by table; None if they are not known."""
        if self.manifest is None:
            return None
        return {
            (table.schema_name, table.table or ""): table.rows for table in self.manifest.tables
        }

    @property
    def raw_bytes(self) -> int | None:
        """Uncompressed bytes; None if they are not known."""
        return self.manifest.raw_bytes if self.manifest is not None else None

    # What of it decides whether it can be restored somewhere, see `dump_gate.Outline`.

    @property
    def server_version(self) -> str:
        """Of the server that it was taken from; may be empty."""
        if self.head is not None:
            return self.head.server_version
        return self.manifest.server_version if self.manifest is not None else ""

    @property
    def sections(self) -> tuple[Section, ...]:
        """Its sections, as far as they are known; without a manifest, which tables it has."""
        if self.manifest is not None:
            return self.manifest.sections
        made = self.head.made if self.head is not None else ()
        return tuple(
            Section(
                kind=SectionKind.DATA, schema=one.schema, table=one.name, raw_bytes=0, members=()
            )
            for one in made if one.kind == "table"
        )  # fmt: skip

    @property
    def commands(self) -> tuple[MetaCommand, ...]:
        """Backslash commands before its rows."""
        return self.head.commands if self.head is not None else ()

    @property
    def foreigners(self) -> tuple[Foreign, ...]:
        """What else pg_dump doesn't write, before its rows."""
        return self.head.foreigners if self.head is not None else ()

    @property
    def extensions(self) -> tuple[str, ...]:
        """The extensions that it creates, as far as they are known."""
        return self.head.extensions if self.head is not None else ()


def look_at_content(settings: Settings, copy: FoundCopy) -> Content:
    """Read the manifest of a copy, and the SQL before its first rows.

    Args:
        settings: Where it is.
        copy: The copy, as it was chosen.

    Raises:
        StorageError: It is gone, or its place can't be reached.
        ConfigurationError: S3 is off.
    """
    now = find_copy(settings, copy.place, copy.location)
    manifest = head = None
    manifest_problem: PgconsoleError | None = None
    head_problem: PgconsoleError | None = None
    try:
        manifest = manifest_of(settings, now)
    except DamagedError as error:
        manifest_problem = error
    try:
        head = read_head(open_source(settings, now))
    except (DamagedError, SealedError) as error:
        head_problem = error
    return Content(now, manifest, manifest_problem, head, head_problem)

"""A backup that somebody looks at: what is known of it, its tables, and what has changed."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pgconsole.backups.catalog import s3_storage, storage_of
from pgconsole.backups.evidence import Evidence, copy_id, evidence_path, read_evidence
from pgconsole.backups.s3_copy import object_key
from pgconsole.backups.signatures import in_words, read_manifest
from pgconsole.backups.subjects import find_in_s3
from pgconsole.dumps.layout import layout, layout_of_copy
from pgconsole.dumps.manifest import Manifest, Section, SectionKind
from pgconsole.dumps.naming import parse_name
from pgconsole.errors import ConfigurationError, DamagedError, PgconsoleError, StorageError
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, Storage, StoredBackup
from pgconsole.storage.local import LocalStorage

if TYPE_CHECKING:
    from pgconsole.storage.s3 import S3Storage

VERIFY_FIRST = "verify the backup: that reads it whole and writes a manifest"


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table of a dump.

    Attributes:
        section: Its DATA section.
        place: Which of the dump's sections that is, from 0.
        raw_bytes: Uncompressed size of its rows.
        compressed_bytes: What they take in the file; None if the file is not cut into members.
    """

    section: Section
    place: int
    raw_bytes: int
    compressed_bytes: int | None

    @property
    def name(self) -> str:
        """`schema.table`, as far as the dump names them."""
        schema, table = self.section.schema_name, self.section.table or ""
        return f"{schema}.{table}" if schema else table

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.section.rows


@dataclass(frozen=True, slots=True)
class OpenedBackup:
    """What is known of one copy of a backup.

    Attributes:
        backup: The copy.
        manifest: What lies beside it; None if nothing does, or nothing of use.
        problem: Why it has no manifest of use; None if it has one.
        tables: Its tables, in the order of the dump.
        evidence: What was proven of this copy, the newest first; also what no longer counts.
        evidence_problem: Why that can't be read; empty if it can.
        kept: How the store keeps it, a few words each: its encryption, its lock.
        signature: Who vouches for the manifest; empty if nobody does, and nobody asks.
    """

    backup: StoredBackup
    manifest: Manifest | None
    problem: PgconsoleError | None
    tables: tuple[TableFacts, ...]
    evidence: tuple[Evidence, ...]
    evidence_problem: str = ""
    kept: tuple[str, ...] = ()
    signature: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether single tables can be read without reading all before them."""
        return self.manifest is not None and any(one.members for one in self.manifest.sections)


class Change(StrEnum):
    """What became of a table since the backup before."""

    SAME = "same"
    GREW = "grew"
    SHRANK = "shrank"
    CHANGED = "changed"  # as many rows, other bytes
    ADDED = "added"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class TableChange:
    """One table now and before; None where it is not there."""

    now: TableFacts | None
    before: TableFacts | None

    @property
    def name(self) -> str:
        """`schema.table`."""
        return next(one.name for one in (self.now, self.before) if one is not None)

    @property
    def change(self) -> Change:
        """What became of it. Equal rows and sizes are called the same; contents are not read."""
        if self.before is None:
            return Change.ADDED
        if self.now is None:
            return Change.GONE
        if self.now.rows != self.before.rows:
            return Change.GREW if self.now.rows > self.before.rows else Change.SHRANK
        return Change.SAME if self.now.raw_bytes == self.before.raw_bytes else Change.CHANGED

    @property
    def rows(self) -> int:
        """Rows more than before."""
        return (self.now.rows if self.now else 0) - (self.before.rows if self.before else 0)

    @property
    def raw_bytes(self) -> int:
        """Uncompressed bytes more than before."""
        now = self.now.raw_bytes if self.now else 0
        return now - (self.before.raw_bytes if self.before else 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A backup and the one before it of the same database.

    Attributes:
        before: The earlier one.
        manifest: Its manifest.
        passed_over: Backups between the two that have no manifest of use.
        tables: All tables of both, in the order of the later dump, those that are gone last.
    """

    before: StoredBackup
    manifest: Manifest
    passed_over: int
    tables: tuple[TableChange, ...]


def find_backup(settings: Settings, place: Place, given: str) -> StoredBackup:
    """The copy that is meant.

    Args:
        settings: Where the backups are.
        place: Where to look.
        given: The name that a listing shows, with or without its class, or its path or key.

    Raises:
        ConfigurationError: There is none.
        StorageError: The place can't be read.
    """
    name = parse_name(given.rpartition("/")[2])
    if name is None:
        raise _no_backup(given, place, "it is no name of a backup")
    short = (name.filename, name.relative_path)
    if place is Place.LOCAL:
        local = LocalStorage(settings.backup_dir)
        path = local.path(name)
        there = given in short or os.path.realpath(given) == os.path.realpath(path)
        found = local.find(name) if there else None
        if found is None:
            raise _no_backup(given, place, f"{path if there else given} is no file of BACKUP_DIR")
        return found
    storage = s3_storage(settings)
    key = object_key(settings, name)
    if given not in (*short, key):
        raise _no_backup(given, place, f"backups lie under {settings.s3_prefix}<class>/")
    if storage.find(key) is None:
        raise _no_backup(given, place, f"bucket {settings.s3_bucket!r} has no object {key!r}")
    return find_in_s3(storage, name, key)


def open_backup(settings: Settings, backup: StoredBackup) -> OpenedBackup:
    """Read the manifest of a copy, and what was proven of it. The dump itself is not read.

    A manifest that is missing or of no use is said in `problem`, not raised.

    Raises:
        StorageError: The place can't be reached, or the manifest not be read.
    """
    storage = storage_of(settings, backup.place)
    manifest, problem = _manifest_of(settings, storage, backup)
    evidence: tuple[Evidence, ...] = ()
    evidence_problem = ""
    try:
        evidence = tuple(reversed(read_evidence(settings).get(copy_id(settings, backup), [])))
    except OSError as error:
        evidence_problem = f"{evidence_path(settings)} can't be read: {error.strerror or error}"
    tables = tables_of(manifest) if manifest is not None else ()
    kept = _kept(storage, backup)
    signature = in_words(settings, manifest) if manifest is not None else ""
    return OpenedBackup(
        backup, manifest, problem, tables, evidence, evidence_problem, kept, signature
    )


def compare(
    settings: Settings, opened: OpenedBackup, others: Sequence[StoredBackup] | None = None
) -> Comparison:
    """Compare a backup with the one before it of its database, in the same place.

    Args:
        settings: Where the backups are.
        opened: The later one.
        others: All backups of the place, if they are known; else they are listed.

    Raises:
        StorageError: The place can't be read.
        DamagedError: There is nothing to compare; says why.
    """
    if opened.manifest is None:
        assert opened.problem is not None
        raise opened.problem
    name = opened.backup.name
    storage = storage_of(settings, opened.backup.place)
    if others is None:
        others = storage.listing().backups
    earlier = sorted(
        (one for one in others
         if one.name.database == name.database and one.name.taken_at < name.taken_at),
        key=lambda one: one.name.taken_at, reverse=True,
    )  # fmt: skip
    passed_over = set()
    for before in earlier:
        manifest, _ = _manifest_of(settings, storage, before)
        if manifest is not None:
            passed_over.discard(before.name.taken_at)  # its copy of another class has none
            tables = tuple(_changes(opened.tables, tables_of(manifest)))
            return Comparison(before, manifest, len(passed_over), tables)
        passed_over.add(before.name.taken_at)
    raise DamagedError(
        f"There is nothing to compare {name.filename} with",
        cause="no backup before it has a manifest" if earlier else "no backup is older",
        fix="verify older backups: that writes their manifests" if earlier else "",
    )


def find_table(tables: Sequence[TableFacts], name: str) -> TableFacts:
    """A table by `schema.table`, or by its name alone if there is only one of it.

    Raises:
        ConfigurationError: There is none, or there are several.
    """
    for matches in (
        [table for table in tables if table.name == name],
        [table for table in tables if table.section.table == name],
    ):
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise ConfigurationError(
                f"There are {len(matches)} tables {name!r}",
                cause=", ".join(table.name for table in matches),
                fix="name the schema too",
            )
    close = difflib.get_close_matches(name, [table.name for table in tables], n=3, cutoff=0.5)
    raise ConfigurationError(
        f"There is no table {name!r} in this backup",
        cause=f"close to it are {', '.join(map(repr, close))}" if close else "",
        fix="`pgconsole show` lists its tables",
    )


def tables_of(manifest: Manifest) -> tuple[TableFacts, ...]:
    """The tables of a dump with their sizes.

    Raises:
        DamagedError: The manifest contradicts itself.
    """
    return tuple(
        TableFacts(
            section, place, section.raw_bytes,
            sum(extent.length for extent in extents) if extents else None,
        )
        for place, (section, extents) in enumerate(layout(manifest, manifest.gzip_bytes))
        if section.kind is SectionKind.DATA
    )  # fmt: skip


def _kept(storage: LocalStorage | S3Storage, backup: StoredBackup) -> tuple[str, ...]:
    """What the store says of an object besides its size."""
    if isinstance(storage, LocalStorage):
        return ()
    head = storage.head(backup.location)
    if head is None:
        return ()
    encrypted = (f"encrypted by the store ({head.encryption})",) if head.encryption else ()
    locked = head.lock is not None and head.lock.holds(datetime.now(UTC))
    return (*encrypted, str(head.lock)) if locked else encrypted


def _no_backup(given: str, place: Place, why: str) -> ConfigurationError:
    command = "pgconsole list --s3" if place is Place.S3 else "pgconsole list"
    return ConfigurationError(
        f"There is no backup {given!r}", cause=why, fix=f"give a name that `{command}` shows"
    )


def _manifest_of(
    settings: Settings, storage: Storage, backup: StoredBackup
) -> tuple[Manifest | None, PgconsoleError | None]:
    try:
        if backup.has_manifest:
            manifest = read_manifest(settings, storage, backup.location)
            layout_of_copy(manifest, backup.size)
            return manifest, None
    except (DamagedError, ConfigurationError) as error:
        return None, error
    nothing = StorageError(
        f"{backup.name.filename} has no manifest",
        cause="nothing tells where in the file its tables are",
        fix=VERIFY_FIRST,
    )
    return None, nothing


def _changes(now: Sequence[TableFacts], before: Sequence[TableFacts]) -> list[TableChange]:
    # Dumps of pg_dump before 10.3 name no schema, so names may come twice.
    rest: dict[str, list[TableFacts]] = {}
    for table in before:
        rest.setdefault(table.name, []).append(table)
    found = []
    for table in now:
        same = rest.get(table.name)
        found.append(TableChange(table, same.pop(0) if same else None))
    found += [TableChange(None, table) for tables in rest.values() for table in tables]
    return found

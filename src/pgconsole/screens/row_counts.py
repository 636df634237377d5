"""The rows of each table in the newest backups, from their manifests. In a feed's thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pgconsole.backups.history import Rows
from pgconsole.backups.pins import backup_id
from pgconsole.dumps.manifest import Manifest
from pgconsole.errors import PgconsoleError
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup

_NEWEST = 30  # backups; what is odd about older ones is of no use any more


class RowCounts:
    """Reads each manifest once, as long as its backup stays what it is."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._counts: dict[StoredBackup, Rows | None] = {}
        self._known: Mapping[str, Rows] = {}

    def read(self, backups: Iterable[StoredBackup]) -> Mapping[str, Rows]:
        """By `backup_id`, of the configured database's newest backups that have a manifest.

        Args:
            backups: The newest first.

        Returns:
            The same object again if nothing has changed.
        """
        newest: dict[str, StoredBackup] = {}
        for backup in backups:
            if backup.has_manifest and backup.name.database == self._settings.pgdatabase:
                newest.setdefault(backup_id(backup.name), backup)
                if len(newest) == _NEWEST:
                    break
        counts = {backup: self._of(backup) for backup in newest.values()}
        if counts != self._counts:
            self._counts = counts
            self._known = {backup_id(one.name): rows for one, rows in counts.items() if rows}
        return self._known

    def _of(self, backup: StoredBackup) -> Rows | None:
        if backup in self._counts:
            return self._counts[backup]
        from pgconsole.backups.catalog import load_manifest  # noqa: PLC0415 - after the first paint

        try:
            manifest = load_manifest(self._settings, backup)
        except PgconsoleError:  # whoever opens that backup is told
            return None
        return rows_of(manifest) if manifest is not None else None


def rows_of(manifest: Manifest) -> Rows:
    """By `schema.table`."""
    return {f"{one.schema_name}.{one.table}": one.rows for one in manifest.tables}

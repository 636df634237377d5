"""What people and jobs noted about backups: proofs and pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pgconsole.backups.evidence import Evidence, latest
from pgconsole.backups.pins import Pin, backup_id
from pgconsole.settings import Settings
from pgconsole.storage.base import StoredBackup


@dataclass(frozen=True, slots=True)
class Marks:
    """All proofs and pins, as they were when the backup directory was read.

    Attributes:
        settings: They say which copy a proof is about; None: there are no marks.
        proofs: By copy, the oldest first.
        pins: By backup.
        problem: Why some of them can't be read; empty if they can.
    """

    settings: Settings | None = None
    proofs: Mapping[str, list[Evidence]] = field(default_factory=dict)
    pins: Mapping[str, Pin] = field(default_factory=dict)
    problem: str = ""

    def proof(self, backup: StoredBackup) -> Evidence | None:
        """The last proof that is about this copy as it is now."""
        if self.settings is None or not self.proofs:
            return None
        return latest(self.proofs, self.settings, backup)

    def pin(self, backup: StoredBackup) -> Pin | None:
        """Who wants this backup kept, and why."""
        return self.pins.get(backup_id(backup.name)) if self.pins else None


NO_MARKS = Marks()

"""Which copies may be deleted by hand: those for which a proven one stays. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pgconsole.backups.pins import Pin, backup_id
from pgconsole.backups.retention import Trust, Verdict
from pgconsole.storage.base import Place, StoredBackup


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one copy may go.

    Attributes:
        backup: The copy.
        allowed: Whether.
        reason: Why it may, or why it must stay.
        keeper: The proven copy that stays and makes up for it, where there has to be one.
    """

    backup: StoredBackup
    allowed: bool
    reason: str
    keeper: StoredBackup | None = None


def decide(
    wanted: Sequence[StoredBackup],
    everything: Iterable[StoredBackup],
    verdicts: Mapping[str, Verdict],
    pins: Mapping[str, Pin],
    stored_whole: Callable[[StoredBackup], bool],
) -> tuple[Decision, ...]:
    """Decide about each copy that an operator wants to delete, as if all of them went.

    A copy may go if it is known to be no good, or if a good one stays: of the same backup or of a
    later one of that database. So the newest good backup can't be deleted, and while nothing is
    proven nothing can be. One that was altered goes only where a good one stays: whether it was
    depends on the keys that are trusted, and those may be set wrongly.

    Args:
        wanted: The copies.
        everything: All copies in all places that could be read.
        verdicts: What evidence says, by location.
        pins: By `backup_id`.
        stored_whole: Whether an object, by its manifest, was stored from a verified dump; asked
            only where nothing else is left.
    """
    going = {(backup.place, backup.location) for backup in wanted}
    staying = [one for one in everything if (one.place, one.location) not in going]
    decider = _Decider(staying, verdicts, pins, stored_whole)
    return tuple(decider.decide(backup) for backup in wanted)


class _Decider:
    def __init__(
        self,
        staying: Sequence[StoredBackup],
        verdicts: Mapping[str, Verdict],
        pins: Mapping[str, Pin],
        stored_whole: Callable[[StoredBackup], bool],
    ) -> None:
        self._verdicts = verdicts
        self._pins = pins
        self._stored_whole = stored_whole
        self._staying: dict[str, list[StoredBackup]] = {}
        for one in sorted(staying, key=lambda one: one.name.taken_at, reverse=True):
            self._staying.setdefault(one.name.database, []).append(one)
        self._proven: dict[str, StoredBackup | None] = {}
        self._whole: dict[str, bool] = {}

    def decide(self, backup: StoredBackup) -> Decision:
        pin = self._pins.get(backup_id(backup.name))
        if pin is not None:
            note = f": {pin.note}" if pin.note else ""
            return Decision(backup, False, f"pinned by {pin.by}{note}")
        if backup.size == 0:
            return Decision(backup, True, "it is empty")
        verdict = self._verdicts.get(backup.location)
        if verdict is not None and verdict.trust is Trust.DAMAGED:
            return Decision(backup, True, f"it is damaged: {verdict.problem}")
        keeper = self._keeper(backup)
        if keeper is None:
            why = "no copy that is proven complete, of this backup or of a later one, would stay"
            return Decision(backup, False, why)
        where = "in S3" if keeper.place is Place.S3 else "here"
        reason = f"{keeper.name.filename} stays {where}, proven complete"
        return Decision(backup, True, reason, keeper)

    def _keeper(self, backup: StoredBackup) -> StoredBackup | None:
        """A good copy that stays, of this backup or of a later one."""
        database = backup.name.database
        staying = self._staying.get(database, [])
        if database not in self._proven:
            self._proven[database] = next(filter(self._is_proven, staying), None)
        proven = self._proven[database]
        if proven is not None and proven.name.taken_at >= backup.name.taken_at:
            return proven
        objects = (
            one for one in staying
            if one.place is Place.S3 and one.name.taken_at >= backup.name.taken_at
        )  # fmt: skip
        return next(filter(self._is_whole, objects), None)

    def _is_proven(self, backup: StoredBackup) -> bool:
        verdict = self._verdicts.get(backup.location)
        return backup.size > 0 and verdict is not None and verdict.trust is Trust.VERIFIED

    def _is_whole(self, backup: StoredBackup) -> bool:
        verdict = self._verdicts.get(backup.location)
        if verdict is not None and verdict.trust.is_bad:
            return False
        if backup.location not in self._whole:
            self._whole[backup.location] = self._stored_whole(backup)
        return self._whole[backup.location]

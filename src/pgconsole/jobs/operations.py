"""Which function does which kind of job. Imported when the job runs, not when it is listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from pgconsole.errors import ConfigurationError
from pgconsole.jobs.spec import Spec
from pgconsole.report import Report
from pgconsole.settings import Settings
from pgconsole.storage.base import Place

Operation = Callable[[Settings, Spec, Report], object]
"""Does the work of a spec and returns a dataclass or None; raises as every operation does.

The result is written down as it is: names, numbers and times. Whatever is said in words goes to
`report` or into an error, where secrets are masked.
"""

Lookup = Callable[[str], Operation]
"""Finds the operation of a kind, or raises ConfigurationError."""


def lookup(kind: str) -> Operation:
    """The operation of a kind of job.

    Raises:
        ConfigurationError: There is no such kind.
    """
    try:
        return _OPERATIONS[kind]
    except KeyError:
        raise ConfigurationError(
            f"There is no operation {kind!r}",
            cause="the job was started by another version of pgconsole",
            fix=f"start it with this version; it knows {', '.join(_OPERATIONS)}",
        ) from None


def _backup(settings: Settings, spec: Spec, report: Report) -> object:
    from pgconsole.backups.backup import BackupRequest, run_backup  # noqa: PLC0415

    slot = spec.request.get("slot")
    request = BackupRequest(
        actor=spec.actor,
        slot=datetime.fromisoformat(str(slot)) if slot else None,
        job=spec.id,
    )
    return run_backup(settings, request, report)


def _upload(settings: Settings, spec: Spec, report: Report) -> object:
    from pgconsole.backups.upload import UploadRequest, run_upload  # noqa: PLC0415

    request = UploadRequest(
        filename=str(spec.request.get("filename", "")), actor=spec.actor, job=spec.id
    )
    return run_upload(settings, request, report)


def _verify(settings: Settings, spec: Spec, report: Report) -> object:
    from pgconsole.backups.verify import VerifyRequest, run_verify  # noqa: PLC0415

    request = VerifyRequest(
        paths=_texts(spec, "paths"), keys=_texts(spec, "keys"), actor=spec.actor, job=spec.id
    )
    return run_verify(settings, request, report)


def _restore(settings: Settings, spec: Spec, report: Report) -> object:
    from pgconsole.backups.restore import RestoreRequest, run_restore  # noqa: PLC0415

    request = RestoreRequest(
        place=Place(str(spec.request.get("place", Place.LOCAL))),
        location=str(spec.request.get("location", "")),
        database=str(spec.request.get("database", "")),
        confirmation=str(spec.request.get("confirmation", "")),
        without_safety_backup=spec.request.get("without_safety_backup") is True,
        actor=spec.actor,
        job=spec.id,
    )
    return run_restore(settings, request, report)


def _prune(settings: Settings, spec: Spec, report: Report) -> object:
    from pgconsole.backups.prune import PruneRequest, run_prune  # noqa: PLC0415

    return run_prune(settings, PruneRequest(actor=spec.actor, job=spec.id), report)


def _export(settings: Settings, spec: Spec, report: Report) -> object:
    from pgconsole.backups.export import ExportRequest, run_export  # noqa: PLC0415
    from pgconsole.backups.opened import find_backup  # noqa: PLC0415

    place, location, table, path = (
        str(spec.request.get(name, "")) for name in ("place", "location", "table", "path")
    )
    backup = find_backup(settings, Place(place), location)
    return run_export(settings, ExportRequest(backup, table, Path(path)), report)


def _delete(settings: Settings, spec: Spec, report: Report) -> object:
    from pgconsole.backups.delete import DeleteRequest, run_delete  # noqa: PLC0415

    request = DeleteRequest(
        paths=_texts(spec, "paths"),
        keys=_texts(spec, "keys"),
        confirmation=str(spec.request.get("confirmation", "")),
        actor=spec.actor,
        job=spec.id,
    )
    return run_delete(settings, request, report)


def _download(settings: Settings, spec: Spec, report: Report) -> object:
    from pgconsole.backups.fetch import FetchRequest, run_fetch  # noqa: PLC0415

    request = FetchRequest(keys=_texts(spec, "keys"), actor=spec.actor, job=spec.id)
    return run_fetch(settings, request, report)


def _texts(spec: Spec, name: str) -> tuple[str, ...]:
    value = spec.request.get(name)
    return tuple(map(str, value)) if isinstance(value, list) else ()


_OPERATIONS: dict[str, Operation] = {
    "backup": _backup,
    "upload": _upload,
    "verify": _verify,
    "restore": _restore,
    "prune": _prune,
    "export": _export,
    "delete": _delete,
    "download": _download,
}

"""What is known of an opened backup, in a few lines. Pure."""

from __future__ import annotations

from datetime import datetime

from pgconsole.backups.opened import Comparison, OpenedBackup
from pgconsole.backups.standing import standing
from pgconsole.dumps.manifest import Manifest
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup
from pgconsole.widgets.copy_text import SIGNS, STYLES, duration, proven_text
from pgconsole.widgets.line import Part
from pgconsole.widgets.words import ago, clean, clipped, counted, size, stamp, zone_name

_WIDE = 120
_KEY = 17  # cells
_SIGNATURE = 42  # cells


def where(settings: Settings, backup: StoredBackup) -> str:
    """Path or URL of a copy."""
    if backup.place is Place.LOCAL:
        return backup.location
    return f"s3://{settings.s3_bucket}/{backup.location}"


def facts(
    settings: Settings,
    backup: StoredBackup,
    opened: OpenedBackup | None,
    now: datetime,
    width: int,
) -> list[Part]:
    """The lines under the title, for a screen of so many cells."""
    zone = settings.backup_timezone
    taken = backup.name.taken_at
    moment = f"{stamp(taken, zone)} {zone_name(zone, taken)}"
    parts: list[Part] = [
        (f"{clean(backup.name.database)}", "bold"),
        f", {backup.name.backup_class}, taken {moment}, {ago(taken, now)}, {size(backup.size)}",
    ]
    if opened is None:
        return parts
    parts += ["\n", *_proof(opened, now)]
    if (manifest := opened.manifest) is not None:
        parts += ["\n", (_contents(manifest), ""), "\n", (_origin(manifest), "$muted")]
        parts += _keys(opened)
        if width >= _WIDE and manifest.sha256:
            how = f"\nSHA-256 {manifest.sha256} · {clean(' '.join(manifest.options))}"
            parts.append((how.rstrip(" ·"), "$muted"))
    return parts


def compared(comparison: Comparison, settings: Settings, now: datetime) -> str:
    """Which backup it is compared with."""
    before = comparison.before
    taken = before.name.taken_at
    text = f"Compared with {clean(before.name.filename)}, {ago(taken, now)}, {size(before.size)}"
    if comparison.passed_over:
        text += f"; {counted(comparison.passed_over, 'backup')} between them without a manifest"
    return text


def _proof(opened: OpenedBackup, now: datetime) -> list[Part]:
    backup = opened.backup
    proof = next((one for one in opened.evidence if one.is_about(backup)), None)
    known = standing(backup, {}, proof)
    sign, kind = SIGNS[known]
    parts: list[Part] = [(f"{sign} {known}", f"{STYLES[kind]} bold")]
    if opened.evidence_problem:
        parts.append(f": unknown what was proven, {clean(opened.evidence_problem)}")
    elif proof is None:
        parts.append(": nobody has verified this copy as it is")
    else:
        parts.append((f" {proven_text(proof, now)}", "$muted"))
    return parts


def _keys(opened: OpenedBackup) -> list[Part]:
    """Who can read it and who vouches for it; keys are cut short, `pgconsole show` has them."""
    manifest = opened.manifest
    words = []
    if manifest is not None and manifest.encryption is not None:
        keys = manifest.encryption.recipients
        whom = clipped(clean(keys[0]), _KEY) if len(keys) == 1 else counted(len(keys), "key")
        words.append(f"encrypted to {whom if keys else 'nobody knows whom'}")
    if opened.signature:
        words.append(clipped(clean(opened.signature), _SIGNATURE))
    return ["\n", (" · ".join(words), "$muted")] if words else []


def _contents(manifest: Manifest) -> str:
    rows = counted(sum(section.rows for section in manifest.sections), "row")
    tables = counted(len(manifest.tables), "table")
    text = f"{tables}, {rows}, {size(manifest.raw_bytes)} of SQL"
    if manifest.host:
        took = manifest.finished_at - manifest.started_at
        text += f", made in {duration(took.total_seconds())}"
    return text


def _origin(manifest: Manifest) -> str:
    parts = []
    if manifest.server_version:
        server = f"PostgreSQL {clean(manifest.server_version)}"
        parts.append(f"{server} on {clean(manifest.server_host)}" if manifest.host else server)
    if manifest.pg_dump_version:
        parts.append(f"pg_dump {clean(manifest.pg_dump_version)}")
    if manifest.host:
        parts.append(f"by {clean(manifest.actor)} on {clean(manifest.host)}")
    return " · ".join(parts)

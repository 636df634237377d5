"""What a job was asked to do: `spec.json`, written once, before its runner starts."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from pgconsole.durable import write_new
from pgconsole.jobs.texts import JSON, json_line
from pgconsole.untrusted import parse_time, read_whole

SPEC = "spec.json"
VERSION = 1
_ID = re.compile(r"(?P<when>\d{8}T\d{6}\.\d{6})Z-(?P<kind>[a-z][a-z_]*)-[0-9a-f]{4}")
_KIND = re.compile(r"[a-z][a-z_]*")
_WHEN = "%Y%m%dT%H%M%S.%f"


@dataclass(frozen=True, slots=True)
class Spec:
    """A job's order.

    Attributes:
        id: The job's id; the name of its directory.
        kind: Which operation, e.g. `backup`.
        request: The operation's own arguments. No secrets.
        actor: Who asked, as `current_actor` says it.
        created_at: When, UTC.
        version: Of this format.
    """

    id: str
    kind: str
    request: dict[str, JSON]
    actor: str
    created_at: datetime
    version: int = VERSION


def new_id(kind: str, created_at: datetime) -> str:
    """An id that sorts by time and says what it is, e.g. `20261122T195114.123456Z-backup-1a2b`.

    Raises:
        ValueError: The kind is not a word of lower-case letters and underscores.
    """
    if not _KIND.fullmatch(kind):
        raise ValueError(f"not a kind of job: {kind!r}")
    return f"{created_at.astimezone(UTC):{_WHEN}}Z-{kind}-{secrets.token_hex(2)}"


def parse_id(job_id: str) -> tuple[datetime, str] | None:
    """When the job was created (UTC) and its kind, or None for a name that is no job's."""
    match = _ID.fullmatch(job_id)
    if match is None:
        return None
    try:
        return datetime.strptime(match["when"], _WHEN).replace(tzinfo=UTC), match["kind"]
    except ValueError:
        return None


def write_spec(directory: Path, spec: Spec) -> None:
    """Write the order into the job's directory, down to the disk.

    Raises:
        OSError: It can't be written.
    """
    content = asdict(spec) | {"created_at": spec.created_at.isoformat()}
    write_new(directory / SPEC, json_line(content))


def read_spec(directory: Path) -> Spec:
    """Read the order.

    Raises:
        OSError: It can't be read.
        ValueError: It is not what `write_spec` wrote, or a newer version's.
    """
    text = read_whole(directory / SPEC)
    try:
        content = json.loads(text)
        spec = Spec(**content | {"created_at": parse_time(content["created_at"])})
    except (TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"fields are missing, unknown or of the wrong type: {error}") from error
    if spec.version != VERSION:
        raise ValueError(f"format {spec.version} is newer than this pgconsole")
    texts = (spec.id, spec.kind, spec.actor)
    if not all(isinstance(text, str) for text in texts) or not isinstance(spec.request, dict):
        raise ValueError("a field has the wrong type")
    if not _KIND.fullmatch(spec.kind):
        raise ValueError(f"not a kind of job: {spec.kind!r}")
    return spec

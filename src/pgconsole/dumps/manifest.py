"""The manifest beside a dump: what it holds, section by section, and where each begins."""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, FailFast, Field, ValidationError

from pgconsole.dumps.naming import BackupClass
from pgconsole.errors import DamagedError
from pgconsole.untrusted import possible

Count = Annotated[int, Field(ge=0, lt=1 << 63)]  # bytes or rows; of 64 bits, so that all can tell
Moment = Annotated[datetime, AfterValidator(possible)]
# FailFast: an error for each of millions of wrong items would fill the memory.


class SectionKind(StrEnum):
    """What a stretch of the dump is."""

    BEFORE = "before"  # SQL before the first table's data
    DATA = "data"  # the rows of one table and the `\\.` line that ends them
    BETWEEN = "between"  # SQL between two tables' data, ending with the next COPY line
    AFTER = "after"  # SQL after the last table's data


class Member(NamedTuple):
    r"""One gzip member. Its compressed length is the next member's offset minus its own.

    Attributes:
        offset: Where it begins in the file, or in what an encrypted file holds, bytes.
        raw_bytes: Its uncompressed size.
        rows: Rows that end in it (0 outside DATA sections; the `\\.` line is no row).
    """

    offset: int
    raw_bytes: int
    rows: int


class _Model(BaseModel):
    # What a later version adds is kept: where a manifest is written again, its signature must still
    # fit. For that, a field that is added has to be null by default, see `signature.py`.
    model_config = ConfigDict(frozen=True, extra="allow")


class Section(_Model):
    """One section and its members, in the file's order.

    `schema`, `table`, `columns` and `copy_statement` are set for DATA only. Names are unquoted;
    `copy_statement` is the line that precedes the rows, so that rows can be loaded by themselves.
    """

    kind: SectionKind
    schema_name: str | None = Field(None, alias="schema")
    table: str | None = None
    columns: Annotated[tuple[str, ...], FailFast()] = ()
    copy_statement: str | None = None
    rows: Count = 0
    raw_bytes: Count
    members: Annotated[tuple[Member, ...], FailFast()]

    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class Encryption(_Model):
    """How a dump is encrypted. The members' offsets are those in what the file holds.

    Attributes:
        format: The file's format, whose specification is https://c2sp.org/age.
        recipients: The public keys that it was encrypted to; empty if they are not known.
        gzip_bytes: Size of what it holds.
    """

    format: Literal["age-encryption.org/v1"] = "age-encryption.org/v1"
    recipients: Annotated[tuple[str, ...], FailFast()]
    gzip_bytes: Count

    def in_words(self) -> str:
        """Who can read it, as a clause."""
        return f"encrypted to {', '.join(self.recipients) or 'nobody knows whom'}"


class Signature(_Model):
    """Who vouches for a manifest, see `signature.py`. Proves nothing before it is checked.

    Attributes:
        algorithm: How it was made.
        key: The public key that it fits, in base64.
        value: The signature, in base64.
    """

    algorithm: str
    key: str
    value: str


class Manifest(_Model):
    """What is known of one dump. Times are UTC; sizes are bytes.

    Of a file that nobody described when it was made (one of the old scripts), verifying finds out
    what is in it. Then host, actor and server are empty, and it began and finished at `taken_at`.
    """

    format: Literal["pgconsole-manifest"] = "pgconsole-manifest"
    version: Literal[1] = 1
    database: str
    classes: Annotated[tuple[BackupClass, ...], FailFast()]
    taken_at: Moment
    started_at: Moment
    finished_at: Moment
    verified_at: Moment | None = None
    host: str
    actor: str
    server_host: str
    server_version: str
    pg_dump_version: str
    options: Annotated[tuple[str, ...], FailFast()]
    raw_bytes: Count
    compressed_bytes: Count
    sha256: str
    sections: Annotated[tuple[Section, ...], FailFast()]
    encryption: Encryption | None = None
    signature: Signature | None = None

    @property
    def gzip_bytes(self) -> int:
        """Size of the gzip file: of an encrypted dump, what its file holds."""
        return self.compressed_bytes if self.encryption is None else self.encryption.gzip_bytes

    @property
    def tables(self) -> list[Section]:
        """The DATA sections, in the file's order."""
        return [section for section in self.sections if section.kind is SectionKind.DATA]

    def to_json(self) -> bytes:
        """The manifest as UTF-8 JSON."""
        return self.model_dump_json(by_alias=True, exclude_defaults=False).encode()


class LaterManifestError(DamagedError):
    """A manifest that a later pgconsole wrote. Not to be replaced: it knows more than we do."""


def parse_manifest(data: bytes, source: str) -> Manifest:
    """Read a manifest.

    Args:
        data: The file's bytes.
        source: Its path or key, for the error.

    Raises:
        LaterManifestError: It is of a version that this pgconsole does not know.
        DamagedError: It is no manifest.
    """
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        if (version := _version(data)) > 1:
            raise LaterManifestError(
                f"Manifest {source} can't be used",
                cause=f"it has version {version}, this pgconsole knows version 1",
                fix="use the pgconsole that wrote it, or a later one",
            ) from error
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DamagedError(
            f"Manifest {source} can't be used",
            cause=f"{where}: {first['msg']}",
            fix="verify the backup: that writes a new one",
        ) from error


def _version(data: bytes) -> int:
    """The version that a manifest claims, or 0."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return 0
    if not isinstance(content, dict) or content.get("format") != "pgconsole-manifest":
        return 0
    version = content.get("version")
    return version if isinstance(version, int) else 0

"""What a store says of one object: which version it is, how it is encrypted, how it is locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef


@dataclass(frozen=True, slots=True)
class ObjectLock:
    """Why nobody, or hardly anybody, can delete an object's version.

    Attributes:
        mode: `COMPLIANCE`, `GOVERNANCE`, or empty: there is a legal hold only.
        until: When the retention ends, UTC; None for a legal hold only.
        legal_hold: Whether there is one, which has no end.
    """

    mode: str
    until: datetime | None
    legal_hold: bool

    def holds(self, now: datetime) -> bool:
        """Whether it still does."""
        return self.legal_hold or (self.until is not None and self.until > now)

    def __str__(self) -> str:
        """In words, e.g. `locked until 2026-12-31 00:00 UTC (COMPLIANCE)`."""
        if self.legal_hold:
            return "locked by a legal hold"
        return f"locked until {self.until:%Y-%m-%d %H:%M} UTC ({self.mode})"


@dataclass(frozen=True, slots=True)
class Head:
    """What the store says of one object. What follows `modified` a listing does not tell.

    Attributes:
        size: Bytes.
        etag: Its version, as the store names it.
        modified: The store's time of writing; for some stores the time the upload began. UTC.
        encryption: How the store encrypts it, as S3_SSE has it; empty if it does not say.
        lock: None if it has none, or we may not see it.
    """

    size: int
    etag: str
    modified: datetime
    encryption: str = ""
    lock: ObjectLock | None = None


def head_of(answer: HeadObjectOutputTypeDef) -> Head:
    """What an answer to HeadObject says."""
    return Head(
        answer["ContentLength"],
        answer["ETag"],
        answer["LastModified"].astimezone(UTC),
        answer.get("ServerSideEncryption", ""),
        _lock_of(answer),
    )


def _lock_of(answer: HeadObjectOutputTypeDef) -> ObjectLock | None:
    until = answer.get("ObjectLockRetainUntilDate")
    held = answer.get("ObjectLockLegalHoldStatus") == "ON"
    if until is None and not held:
        return None
    return ObjectLock(
        answer.get("ObjectLockMode", ""), until.astimezone(UTC) if until else None, held
    )

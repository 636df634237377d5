"""Checks of the bucket: reachable, listable, writable, on time, and not growing for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Final
from urllib.parse import urlsplit

from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.status.checks.base import Finding, not_set_up, ok, unknown, warning
from pgconsole.status.checks.context import Context
from pgconsole.status.checks.server import skew
from pgconsole.status.words import counted
from pgconsole.storage.s3_records import records

_WHOLE_SECONDS = timedelta(seconds=1)  # the store's clock is told in whole ones

_OLD_VERSIONS: Final = "NoncurrentVersionExpiration"

Look = Callable[[Context], Finding]


def _of_bucket(look: Look) -> Look:
    """A check that needs a bucket."""

    @wraps(look)
    def checked(context: Context) -> Finding:
        if not context.settings.s3_enabled:
            return not_set_up("S3 is not set up (S3_BACKUP_BUCKET is empty)")
        return look(context)

    return checked


def _of_listable(look: Look) -> Look:
    """A check that makes sense only if the bucket can be listed."""

    @_of_bucket
    @wraps(look)
    def checked(context: Context) -> Finding:
        try:
            context.contact()
        except StorageError:
            return unknown("not looked at", "the bucket can't be listed", "see to that first")
        return look(context)

    return checked


@_of_bucket
def listable(context: Context) -> Finding:
    """Whether the bucket can be reached and listed with these credentials."""
    contact = context.contact()
    milliseconds = contact.round_trip.total_seconds() * 1000
    found = f"{_place(context.settings)} can be listed ({milliseconds:.0f} ms)"
    if in_clear(context.settings.s3_endpoint_url):
        return warning(
            f"{found}, without TLS",
            "S3_ENDPOINT_URL begins with http://: whoever is on the way can read the backups",
            "use https://; with a certificate of your own, set AWS_CA_BUNDLE",
        )
    return ok(found)


@_of_listable
def writable(context: Context) -> Finding:
    """Whether objects can be written, read and deleted."""
    removed = context.bucket.write_and_remove()
    end = "removed" if removed else "hidden by a delete marker, as the bucket keeps versions"
    return ok(f"{_place(context.settings)}: a probe was written, read back and {end}")


@_of_listable
def clock(context: Context) -> Finding:
    """Whether the store and this host agree on the time; S3 refuses who is 15 minutes off."""
    contact = context.contact()
    if contact.store_time is None:
        return unknown("the store did not tell its time", "its answers have no date", "nothing")
    difference = abs(contact.store_time - contact.our_time) - contact.round_trip / 2
    return skew("the store's clock", max(timedelta(), difference - _WHOLE_SECONDS))


@_of_listable
def leftovers(context: Context) -> Finding:
    """Whether killed jobs left unfinished uploads or probes, which cost money unseen."""
    left = [file.record.key for file in records(context.settings.state_dir / "uploads")]
    if context.facts().jobs.value is None or any(
        not job.status.ended for job in context.facts().jobs.value or ()
    ):
        left = []  # the running job's own
    found = [*left, *context.contact().left_probes]
    if not found:
        return ok("no unfinished uploads of killed jobs")
    return warning(
        f"{counted(len(found), 'unfinished upload')} of killed jobs: {found[0]}"
        + (", ..." if len(found) > 1 else ""),
        "a job was killed, or the store could not be reached when it cleaned up",
        "the next backup aborts its database's uploads; delete .pgconsole-probe-* by hand",
    )


@_of_listable
def retention(context: Context) -> Finding:
    """Whether anybody deletes old backups in the bucket."""
    if context.settings.s3_retention:
        return ok("S3_RETENTION is on: pgconsole deletes old backups there")
    expires = context.bucket.expires_objects()
    if expires:
        return ok("a lifecycle rule of the bucket expires old objects")
    cause = "S3_RETENTION is off, and the bucket has no lifecycle rule for this prefix"
    fix = "set S3_RETENTION=true, or configure an S3 lifecycle rule for the bucket"
    if expires is None:
        cause = "S3_RETENTION is off, and the store does not tell its lifecycle rules"
        return unknown("whether old backups in S3 are ever deleted is unknown", cause, fix)
    return warning("Old backups not pruned in S3: nobody deletes them", cause, fix)


@_of_listable
def versions(context: Context) -> Finding:
    """Whether what is deleted or overwritten there is gone, and whether anybody cleans that up."""
    keeps = context.bucket.keeps_versions()
    if keeps is None:
        return unknown(
            "whether the bucket keeps deleted objects is unknown",
            "the store does not tell its versioning, or these credentials may not ask",
            "allow s3:GetBucketVersioning",
        )
    if not keeps:
        return ok("the bucket keeps no versions: who may delete there can delete backups for good")
    locks = " and can lock objects" if context.bucket.can_lock() else ""
    found = f"the bucket keeps versions{locks}: what is deleted can be brought back"
    if context.settings.s3_retention and not context.bucket.expires_objects(_OLD_VERSIONS):
        return warning(
            f"{found}; nothing ever frees their space",
            "S3_RETENTION only hides old backups there, and no lifecycle rule is seen that expires "
            "noncurrent versions",
            "configure one (NoncurrentVersionExpiration)",
        )
    return ok(found)


def in_clear(endpoint: str) -> bool:
    """Whether what goes to this endpoint can be read on its way: no TLS, and not this host."""
    url = urlsplit(endpoint)
    host = url.hostname or ""
    here = host in {"localhost", "::1"} or host.startswith("127.")
    return url.scheme == "http" and not here


def _place(settings: Settings) -> str:
    return f"s3://{settings.s3_bucket}/{settings.s3_prefix}"

"""Checks of the bucket: reachable, listable, writable, on time, and not growing for ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.status.checks.base import Finding, not_set_up, ok, unknown, warning
from pgconsole.status.checks.context import Context
from pgconsole.status.checks.server import skew
from pgconsole.status.words import counted
from pgconsole.storage.s3_records import records

_WHOLE_SECONDS = timedelta(seconds=1)  # the store's clock is told in whole ones

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
    return ok(f"{_place(context.settings)} can be listed ({milliseconds:.0f} ms)")


@_of_listable
def writable(context: Context) -> Finding:
    """Whether objects can be written, read and deleted."""
    context.bucket.write_and_remove()
    return ok(f"{_place(context.settings)}: a probe was written, read back and removed")


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


def _place(settings: Settings) -> str:
    return f"s3://{settings.s3_bucket}/{settings.s3_prefix}"

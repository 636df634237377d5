"""What several checks ask for, asked once in a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgconsole.postgres.server import ServerInfo, probe
from pgconsole.settings import Settings
from pgconsole.status.facts import Facts
from pgconsole.status.gather import gather
from pgconsole.status.pending import Once
from pgconsole.storage.s3_probe import Contact, S3Probe


@dataclass(frozen=True, slots=True)
class Context:
    """One run of the doctor. What it offers to ask is asked once, and raises the same for all.

    Attributes:
        settings: What is checked.
        now: When the run began, UTC.
        facts: What `pgconsole status --local` judges.
        server: Connects with the settings; what the server says of itself, or ServerError.
        bucket: The bucket. Only if S3 is set up.
        contact: Lists the bucket, or raises StorageError.
    """

    settings: Settings
    now: datetime
    facts: Once[Facts]
    server: Once[ServerInfo]
    bucket: S3Probe
    contact: Once[Contact]


def context_of(settings: Settings, now: datetime) -> Context:
    """A new run."""
    bucket = S3Probe(settings)
    return Context(
        settings,
        now,
        facts=Once(lambda: gather(settings, now, ask_s3=False)),
        server=Once(lambda: probe(settings)),
        bucket=bucket,
        contact=Once(bucket.contact),
    )

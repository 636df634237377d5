"""What several checks ask for, asked once in a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pgconsole.postgres.server import ServerInfo, probe
from pgconsole.settings import Settings
from pgconsole.status.pending import Once


@dataclass(frozen=True, slots=True)
class Context:
    """One run of the doctor.

    Attributes:
        settings: What is checked.
        now: When the run began, UTC.
        server: Connects with the settings and returns what the server says of itself, or raises
            ServerError.
    """

    settings: Settings
    now: datetime
    server: Once[ServerInfo]


def context_of(settings: Settings, now: datetime) -> Context:
    """A new run."""
    return Context(settings, now, server=Once(lambda: probe(settings)))

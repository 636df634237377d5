"""All that is known before a restore, and how sure each part of it is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pgconsole.backups.restore_copy import FoundCopy
from pgconsole.errors import MissingDatabaseError
from pgconsole.planning.content import Content
from pgconsole.planning.fitness import Fitness
from pgconsole.planning.host import Host
from pgconsole.planning.target import Target
from pgconsole.postgres.relations import Relations
from pgconsole.postgres.rows_now import Seen
from pgconsole.settings import Settings
from pgconsole.status.facts import Answer, Answered
from pgconsole.storage.base import Place


@dataclass(frozen=True, slots=True)
class Facts:
    """What was asked, and what became of that.

    Attributes:
        settings: The server, the backup directory, the bucket.
        copy: The copy, as it was chosen.
        database: The target; empty if none is named.
        content: What the copy holds.
        host: What this host knows.
        target: The database.
        fitness: Whether the one goes into the other; asked when both are known.
        rows: What is seen of each table, by its oid; asked when the target is known.
        without_safety_backup: Whether to go on if the target can't be backed up.
    """

    settings: Settings
    copy: FoundCopy
    database: str
    content: Answered[Content] = field(default_factory=Answer)
    host: Answered[Host] = field(default_factory=Answer)
    target: Answered[Target] = field(default_factory=Answer)
    fitness: Answered[Fitness] = field(default_factory=Answer)
    rows: Answered[Mapping[int, Seen]] = field(default_factory=Answer)
    without_safety_backup: bool = False

    @property
    def taken_at(self) -> datetime:
        """When the backup was taken; if its name doesn't say, when the copy was written. UTC."""
        name = self.copy.name
        return (name.taken_at if name is not None else self.copy.modified).astimezone(UTC)

    @property
    def of_database(self) -> str:
        """The database that it is a backup of; empty if nothing says so."""
        if self.copy.name is not None:
            return self.copy.name.database
        content = self.content.value
        manifest = content.manifest if content is not None else None
        return manifest.database if manifest is not None else ""

    @property
    def source(self) -> str:
        """The copy's path or URL."""
        if self.copy.place is Place.LOCAL:
            return self.copy.location
        return f"s3://{self.settings.s3_bucket}/{self.copy.location}"

    @property
    def there(self) -> Relations | None:
        """What is in the target; None if that is not known now."""
        if isinstance(self.target.problem, MissingDatabaseError):
            return Relations((), 0)
        known = self.target.value if self.target.problem is None else None
        return known.relations if known is not None else None

    @property
    def seen(self) -> Mapping[int, Seen]:
        """What is seen of the tables by now."""
        return self.rows.value or self.rows.so_far or {}

    @property
    def command(self) -> str:
        """The same in one line, for a script."""
        source = ["--from-s3"] if self.copy.place is Place.S3 else []
        argv = ["pgconsole", "restore", *source, self.copy.location, "--database", self.database]
        if self.without_safety_backup:
            argv.append("--without-safety-backup")
        return shlex.join(argv)


def is_pending(answer: Answered[object]) -> bool:
    """Whether nothing is known yet, not even a problem."""
    return answer.value is None and answer.problem is None

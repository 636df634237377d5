"""What is measured: the guide, the floor and pgconsole in turn, round after round."""

from __future__ import annotations

import os
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import guide, many, reading, startup
from benchmarks.database import DATABASE
from benchmarks.measure import Usage, measure
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.dumps.age_keys import new_identity

BUCKET = "bench"
_OURS = ("PG", "S3_", "AWS_", "BACKUP_", "RETENTION_", "DB_")
PGCONSOLE = Path(sys.executable).with_name("pgconsole")


@dataclass
class Results:
    """Everything that was measured.

    Attributes:
        usage: By what was run, one entry a round.
        sizes: Compressed bytes by who made the file, one entry a round.
        start_seconds: By what was started, one entry a start.
        table_share: Which share of the file reading one table takes, 0 to 1.
        uploader: What the guide's upload step ran; empty without S3.
        eager_modules: Modules that `pgconsole list` imported and should not have.
    """

    usage: dict[str, list[Usage]] = field(default_factory=lambda: defaultdict(list))
    sizes: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    start_seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    table_share: float = 0.0
    uploader: str = ""
    eager_modules: list[str] = field(default_factory=list)


class Bench:
    """Runs the rounds.

    Args:
        server: Has the database `bench`.
        s3: Has the bucket `bench`; None leaves the S3 rows out.
        scratch: An empty directory on the disk that is measured.
        say: Takes progress lines.
    """

    def __init__(
        self,
        server: PostgresServer,
        s3: S3Server | None,
        scratch: Path,
        say: Callable[[str], None],
    ) -> None:
        self.results = Results()
        self._s3 = s3
        self._scratch = scratch
        self._say = say
        self._file = scratch / "guide.sql.gz"
        self._backup_dir = scratch / "backups"
        self._backup_dir.mkdir(mode=0o700)
        self._environment = {
            name: value for name, value in os.environ.items() if not name.startswith(_OURS)
        } | server.environment
        self._environment |= {
            "PGDATABASE": DATABASE,
            "BACKUP_DIR": str(self._backup_dir),
            "FILE": str(self._file),
        }
        self._keys = _new_keys(scratch)

    def run(self, rounds: int) -> Results:
        """Take everything in turn, so that the machine's moods meet all alike."""
        for number in range(1, rounds + 1):
            self._say(f"round {number} of {rounds}")
            self._guide()
            self._run("floor", guide.shell(guide.FLOOR))
            sealed = self._pgconsole("pgconsole encrypted", self._keys)
            self._run("verify encrypted", [str(PGCONSOLE), "verify", str(sealed)], self._keys)
            file = self._pgconsole("pgconsole", {})
            self._read(file)
            self._restore(file)
            if self._s3 is not None:
                self._pgconsole("pgconsole s3", self._s3.environment(BUCKET))
        self._starts(2 * rounds)
        return self.results

    def _run(self, name: str, command: list[str], variables: dict[str, str] | None = None) -> None:
        usage = measure(command, self._environment | (variables or {}), self._scratch)
        self.results.usage[name].append(usage)
        self._say(f"  {name:<16} {usage.seconds:6.2f} s  {usage.cpu_seconds:6.2f} s CPU")

    def _guide(self) -> None:
        self._run("guide dump", guide.shell(guide.BACKUP))
        self._run("guide integrity", guide.shell(guide.INTEGRITY))
        self._run("guide content", guide.shell(guide.CONTENT))
        self._run("guide table", guide.shell(guide.TABLE))
        self.results.sizes["guide"].append(self._file.stat().st_size)
        if self._s3 is not None:
            url = f"s3://{BUCKET}/{self._file.name}"
            tools = self._scratch / "awscli"
            self.results.uploader, command = guide.upload(self._file, url, tools)
            self._run("guide upload", command, self._s3.environment(BUCKET))
            (self._s3.buckets / BUCKET / self._file.name).unlink()
        self._file.unlink()

    def _pgconsole(self, name: str, variables: dict[str, str]) -> Path:
        self._remove_backups()
        self._run(name, [str(PGCONSOLE), "backup"], variables)
        (file,) = self._backup_dir.glob("daily/*[!n]")  # not the manifest, which ends with .json
        self.results.sizes[name].append(file.stat().st_size)
        return file

    def _read(self, file: Path) -> None:
        self._run("verify", [str(PGCONSOLE), "verify", str(file)])
        self._run("table", [sys.executable, "-P", reading.__file__, str(file)])
        self.results.table_share = reading.share_read(file)

    def _restore(self, file: Path) -> None:
        """Over the database that was dumped, so that the next round finds it as it was."""
        self._run("guide restore", guide.shell(guide.RESTORE), {"FILE": str(file)})
        self._run("restore", [str(PGCONSOLE), "restore", str(file), "--yes"])

    def _remove_backups(self) -> None:
        """What the round before left, here and in the bucket; the last ones stay to be listed."""
        directories = [self._backup_dir]
        if self._s3 is not None:
            directories.append(self._s3.buckets / BUCKET)
        for directory in directories:
            for file in directory.glob("**/*.sql.gz*"):
                file.unlink()

    def _starts(self, starts: int) -> None:
        self._say("starts")
        arguments = (PGCONSOLE, self._environment, self._scratch)
        self.results.start_seconds["list"] = startup.list_starts(*arguments, starts)
        self.results.eager_modules = startup.eager_modules(self._environment, self._scratch)
        cold, warm = startup.console_starts(*arguments, starts)
        self.results.start_seconds["console cold"] = cold
        self.results.start_seconds["console warm"] = warm
        backups = self._scratch / "many"
        many.fill(backups, DATABASE)
        environment = self._environment | {"BACKUP_DIR": str(backups)}
        first, whole, keys = many.measure(PGCONSOLE, environment, self._scratch, starts // 2)
        self.results.start_seconds["many first"] = first
        self.results.start_seconds["many whole"] = whole
        self.results.start_seconds["many key"] = keys


def _new_keys(scratch: Path) -> dict[str, str]:
    """Settings that encrypt backups, and open them again."""
    secret, identity = new_identity()
    path = scratch / "identity"
    path.write_text(secret)
    return {
        "BACKUP_AGE_RECIPIENTS": identity.recipient,
        "BACKUP_AGE_IDENTITY_FILE": str(path),
    }

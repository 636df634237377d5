"""The operations that are hit: how each is made ready, started, judged and done once more."""

from __future__ import annotations

import random
import shutil
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from tests.faults.invariants import after_next_run, whole_or_missing
from tests.faults.running import Running, RunningCommand, RunningJob
from tests.faults.site import Site
from tests.faults.supervisor import Plan
from tests.wal.conftest import Segments

from pgconsole.backups.catalog import load_manifest, local_backups, s3_backups
from pgconsole.backups.confirmation import WORD, confirm_restore
from pgconsole.backups.evidence import Evidence, Proof, copy_id, record
from pgconsole.backups.pins import backup_id, read_pins
from pgconsole.backups.prune import make_plan
from pgconsole.backups.restore_copy import find_copy
from pgconsole.backups.s3_copy import object_key
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass, BackupName, parse_name
from pgconsole.jobs import JobStatus
from pgconsole.storage.base import Place
from pgconsole.storage.local import LocalStorage

_OFTEN = 0.2  # how many of the trials are followed by a backup that sweeps


class Work(ABC):
    """One operation on a site, again and again.

    Args:
        site: Where.
        chance: Seeded.
        directory: For what the operation needs besides.

    Attributes:
        title: What it is called in the table.
        sweeps: Whether it begins with sweeping up after the killed, as a backup does.
    """

    title: str
    sweeps = False

    def __init__(self, site: Site, chance: random.Random, directory: Path) -> None:
        self.site = site
        self.chance = chance
        self.directory = directory
        self.set_up()

    def set_up(self) -> None:
        """Once."""
        self.site.fill("alpha")

    def prepare(self) -> None:  # noqa: B027 - most need nothing
        """Before each time."""

    @abstractmethod
    def start(self, plan: Plan | None = None) -> Running:
        """Start it."""

    def judge(self, running: Running) -> str:
        """After the fault: see that the operation's own promise is kept; how it ended, in words."""
        assert isinstance(running, RunningJob)
        return str(running.job().status).replace("_", " ")

    def again(self) -> None:
        """Do the same once more: it has to work."""
        running = self.start()
        running.wait()
        assert isinstance(running, RunningJob)
        job = running.job()
        assert job.status is JobStatus.DONE, (job, (job.directory / "events.jsonl").read_text())

    def clean(self, *, last: bool) -> None:
        """Nothing may be left, once a backup has swept up what the fault left.

        Args:
            last: Whether this is the end; of a work that does not sweep, remains gather for a few
                trials before.
        """
        if not self.sweeps:
            if not last and self.chance.random() > _OFTEN:
                return
            self.site.backup()
        after_next_run(self.site)


class Backup(Work):
    """A backup, with its copies in other classes and in S3, and retention."""

    title = "a backup"

    sweeps = True

    def start(self, plan: Plan | None = None) -> Running:
        return RunningJob(self.site, "backup", {"slot": self.site.slot()}, plan)


class Restore(Work):
    """A restore of one content over the other."""

    title = "a restore"

    place = Place.LOCAL

    def set_up(self) -> None:
        self.copies = {}
        for word in ("alpha", "beta"):
            self.site.fill(word)
            self.copies[word] = self.site.backup(pinned=True)
        self.now = "beta"

    def prepare(self) -> None:
        self.wanted = "beta" if self.now == "alpha" else "alpha"

    def start(self, plan: Plan | None = None) -> Running:
        settings, path = self.site.settings, self.copies[self.wanted]
        location = str(path)
        if self.place is Place.S3:
            location = settings.s3_prefix + str(path.relative_to(settings.backup_dir))
        copy = find_copy(settings, self.place, location)
        request = {
            "place": str(self.place),
            "location": copy.location,
            "database": self.site.database,
            "confirmation": confirm_restore(WORD, settings, self.site.database, copy),
        }
        return RunningJob(self.site, "restore", request, plan)

    def judge(self, running: Running) -> str:
        assert isinstance(running, RunningJob)
        state, contents = self.site.state(), self.site.contents
        assert state in (contents[self.now], contents[self.wanted]), (
            "neither as before nor restored"
        )
        restored = state == contents[self.wanted]
        job = running.job()
        said = f"{job.problem} {job.cause}"
        if job.status is JobStatus.DONE:
            assert restored, "it says done, and the database is as it was"
        if "the target is as it was" in said or "was not touched" in said:
            assert not restored, f"it is restored, and the job says: {said}"
        return f"{super().judge(running)}, {'restored' if restored else 'as before'}"

    def again(self) -> None:
        super().again()
        assert self.site.state() == self.site.contents[self.wanted]
        self.now = self.wanted


class RestoreFromS3(Restore):
    """The same from the bucket: it is downloaded first."""

    title = "a restore from S3"

    place = Place.S3

    def prepare(self) -> None:
        super().prepare()
        shutil.rmtree(self.site.settings.backup_dir / "restored", ignore_errors=True)


class Upload(Work):
    """The upload of a backup that has no copy in S3 yet."""

    title = "an upload"

    sweeps = True

    def set_up(self) -> None:
        super().set_up()
        self.path = self.site.backup(pinned=True)

    def prepare(self) -> None:
        client, settings = self.site.client, self.site.settings
        for key in self.site.objects():
            client.delete_object(Bucket=settings.s3_bucket, Key=key)
        self.site.checked = {proof for proof in self.site.checked if len(proof) > 2}

    def start(self, plan: Plan | None = None) -> Running:
        return RunningJob(self.site, "upload", {"filename": self.path.name}, plan)

    def again(self) -> None:
        super().again()
        name = parse_name(self.path.name)
        assert name is not None
        keys = self.site.objects()
        for backup_class in BackupClass:
            key = object_key(self.site.settings, name.in_class(backup_class))
            assert keys[key] == self.path.stat().st_size
            assert key + MANIFEST_SUFFIX in keys


class Verify(Work):
    """All CRCs, all content, of a local copy and of one in S3; the manifest is made anew."""

    title = "a verification"

    def set_up(self) -> None:
        super().set_up()
        self.path = self.site.backup(pinned=True)

    def start(self, plan: Plan | None = None) -> Running:
        settings = self.site.settings
        key = settings.s3_prefix + str(self.path.relative_to(settings.backup_dir))
        return RunningJob(self.site, "verify", {"paths": [str(self.path)], "keys": [key]}, plan)


class Prune(Work):
    """Retention, in the directory and in the bucket."""

    title = "retention"

    def set_up(self) -> None:
        super().set_up()
        self.path = self.site.backup(pinned=True)
        self.site.backup()
        self.manifest = next(
            manifest
            for stored in local_backups(self.site.settings).backups
            if stored.location == str(self.path)
            and (manifest := load_manifest(self.site.settings, stored)) is not None
        )
        self.ages = count(1)

    def prepare(self) -> None:
        """Lay out old backups: of each class two, here and in the bucket."""
        settings, client = self.site.settings, self.site.client
        storage = LocalStorage(settings.backup_dir)
        for backup_class in BackupClass:
            for _ in range(2):
                at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(seconds=next(self.ages))
                name = BackupName(self.site.database, at, backup_class)
                manifest = self.manifest.model_copy(
                    update={"taken_at": at, "classes": (backup_class,)}
                )
                shutil.copyfile(self.path, storage.partial_path(name))
                storage.publish(name, manifest)
                stored = storage.find(name)
                assert stored is not None
                record(
                    settings,
                    Evidence(copy_id(settings, stored), Proof.COMPLETE, datetime.now(UTC), "test",
                             0.0, stored.size, stored.modified),
                )  # fmt: skip
                key = object_key(settings, name)
                bucket = settings.s3_bucket
                client.put_object(Bucket=bucket, Key=key + MANIFEST_SUFFIX, Body=manifest.to_json())
                client.put_object(Bucket=bucket, Key=key, Body=self.path.read_bytes())
        self.plans = {place: make_plan(settings, place) for place in (Place.LOCAL, Place.S3)}
        assert all(len(plan.delete) >= 3 for plan in self.plans.values())

    def start(self, plan: Plan | None = None) -> Running:
        return RunningJob(self.site, "prune", {}, plan)

    def judge(self, running: Running) -> str:
        self._see_what_is_there(done=False)
        return super().judge(running)

    def again(self) -> None:
        super().again()
        self._see_what_is_there(done=True)

    def _see_what_is_there(self, *, done: bool) -> None:
        settings = self.site.settings
        for place, listing in (
            (Place.LOCAL, local_backups(settings)), (Place.S3, s3_backups(settings)),
        ):  # fmt: skip
            found = {stored.location for stored in listing.backups}
            assert all(stored.has_manifest for stored in listing.backups)
            plan = self.plans[place]
            kept = {entry.location for entry in plan.keep if entry.backup is not None}
            assert kept <= found, f"deleted, and should have stayed: {kept - found}"
            if done:
                assert found == kept, f"should be gone: {found - kept}"


class Pin(Work):
    """A pin, written by the command itself."""

    title = "a pin"

    def set_up(self) -> None:
        super().set_up()
        self.path = self.site.backup(pinned=True)
        self.number = 0
        name = parse_name(self.path.name)
        assert name is not None
        self.key = backup_id(name)

    def start(self, plan: Plan | None = None) -> Running:
        self.number += 1
        arguments = ["pin", self.path.name, "--note", f"note {self.number}"]
        return RunningCommand(self.site, arguments, plan, self.directory)

    def judge(self, running: Running) -> str:
        note = read_pins(self.site.settings)[self.key].note
        assert note in (f"note {self.number}", f"note {self.number - 1}", "of the suite"), note
        return "pinned" if note == f"note {self.number}" else "as before"

    def again(self) -> None:
        running = self.start()
        assert isinstance(running, RunningCommand)
        assert running.process.wait(60) == 0, running.output()
        assert read_pins(self.site.settings)[self.key].note == f"note {self.number}"


class WalPush(Work):
    """A segment of WAL, into the directory."""

    title = "wal-push"

    options: tuple[str, ...] = ()

    def set_up(self) -> None:
        super().set_up()
        self.segments = Segments(self.directory / "data")
        self.numbers = count(3)

    def prepare(self) -> None:
        if self.chance.random() < 0.5:
            self.options = (*(option for option in self.options if option != "--gzip"), "--gzip")
        else:
            self.options = tuple(option for option in self.options if option != "--gzip")
        self.name = f"{1:08X}{0:08X}{next(self.numbers):08X}"
        self.segments.write(self.name, content=_segment(self.name))

    def start(self, plan: Plan | None = None) -> Running:
        arguments = ["wal-push", *self.options, f"pg_wal/{self.name}"]
        return RunningCommand(self.site, arguments, plan, self.segments.data)

    def judge(self, running: Running) -> str:
        assert isinstance(running, RunningCommand)
        there = self._is_there()
        if running.process.poll() == 0:
            assert there, "it says that it is archived"
        return "archived" if there else "not archived"

    def again(self) -> None:
        running = self.start()
        assert isinstance(running, RunningCommand)
        assert running.process.wait(60) == 0, running.output()
        assert self._is_there()

    def _is_there(self) -> bool:
        archive = self.site.settings.backup_dir / "wal"
        return whole_or_missing(archive, self.name, _segment(self.name))


class WalPushToS3(WalPush):
    """A segment of WAL, into the bucket."""

    title = "wal-push to S3"

    options = ("--s3",)

    def _is_there(self) -> bool:
        """Look at the object, as at a file."""
        client, settings = self.site.client, self.site.settings
        archive = self.directory / "from-s3"
        shutil.rmtree(archive, ignore_errors=True)
        archive.mkdir()
        for ending in ("", ".gz"):
            key = f"{settings.s3_prefix}wal/{self.name}{ending}"
            if key in self.site.objects():
                answer = client.get_object(Bucket=settings.s3_bucket, Key=key)
                (archive / f"{self.name}{ending}").write_bytes(answer["Body"].read())
        return whole_or_missing(archive, self.name, _segment(self.name))


def _segment(name: str) -> bytes:
    from tests.wal.conftest import SEGMENT_SIZE, header_of

    noise = random.Random(name).randbytes(SEGMENT_SIZE // 2)
    return (header_of(name) + noise).ljust(SEGMENT_SIZE, b"\0")

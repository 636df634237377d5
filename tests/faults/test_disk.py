"""A real disk in trouble: full, out of inodes, read-only, forbidden, not the one it was, slow."""

from __future__ import annotations

import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.faults import works
from tests.faults.conftest import MakeSite, blocks
from tests.faults.invariants import after_fault
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import Running, RunningJob
from tests.faults.site import Site
from tests.faults.supervisor import Plan, unavailable
from tests.faults.works import Work
from tests.support import wait_until

from pgconsole.errors import PgconsoleError
from pgconsole.jobs import JobStatus

PROMISE = (
    "an error that says so, or the work is whole; nothing half-made under a final name; with the "
    "cause removed the next run works and leaves nothing behind"
)
_LARGE = 256 << 20  # bytes
_MANY = 100_000  # inodes; a tmpfs that was without a limit can't be given one
_FORM = Faults.from_environment()
_WORKS = ("Backup", "Restore", "RestoreFromS3", "Verify", "Prune")


class Trouble(NamedTuple):
    """What happens to a disk.

    Attributes:
        what: In the table.
        begin: Brings it about; while the work runs, or before it.
        end: Removes it.
    """

    what: str
    begin: Callable[[], None]
    end: Callable[[], None]


class Disk:
    """A file system of its own, whose limits can be changed at any time."""

    def __init__(self, mount_point: Path) -> None:
        self.path = mount_point
        mount_point.mkdir()
        options = f"size={_LARGE},nr_inodes={_MANY},mode=0700"
        self._mount("-t", "tmpfs", "-o", options, "tmpfs", str(mount_point))

    def _mount(self, *arguments: str) -> None:
        subprocess.run(["mount", *arguments], check=True, capture_output=True)

    def remount(self, option: str) -> None:
        """Change an option, as soon as the kernel lets us: files may still be open for writing."""

        def works() -> bool:
            with suppress(subprocess.CalledProcessError):
                self._mount("-o", f"remount,{option}", str(self.path))
                return True
            return False

        wait_until(works)

    def full_after(self, free: int) -> None:
        """Leave so many bytes, or a few more where somebody is writing right now."""
        for more in range(0, _LARGE, 65536):
            status = os.statvfs(self.path)
            used = (status.f_blocks - status.f_bfree) * status.f_frsize
            with suppress(subprocess.CalledProcessError):
                size = max(4096, used + free + more)
                return self._mount("-o", f"remount,size={size}", str(self.path))
        raise AssertionError("the kernel takes no limit of bytes")

    def inodes(self, free: int) -> None:
        """Leave so many inodes, or a few more where somebody makes files right now."""
        for more in range(_MANY):
            status = os.statvfs(self.path)
            with suppress(subprocess.CalledProcessError):
                inodes = status.f_files - status.f_ffree + free + more
                return self._mount("-o", f"remount,nr_inodes={inodes}", str(self.path))
        raise AssertionError("the kernel takes no limit of inodes")

    def close(self) -> None:
        """Unmount it."""
        subprocess.run(["umount", "--lazy", self.path], check=True)


@pytest.fixture
def disk(tmp_path: Path, faults: Faults) -> Iterator[Disk]:
    """A file system of its own."""
    try:
        found = Disk(tmp_path / "disk")
    except subprocess.CalledProcessError:
        what = "a real file system that is full, read-only, or out of inodes"
        faults.untried(Fault(Group.DISK, what, PROMISE), "needs the right to mount a tmpfs")
    yield found
    found.close()


def _trial(
    faults: Faults, work: Work, trouble: Trouble, *, during: float | None, promise: str = PROMISE
) -> None:
    """One trial.

    Args:
        faults: The recorder.
        work: What meets the trouble.
        trouble: It ends when the work has ended.
        during: Seconds after the start at which it begins; None: before.
        promise: For the table.
    """
    with faults.trial(Fault(Group.DISK, f"{work.title}: {trouble.what}", promise)) as trial:
        work.prepare()
        running: Running | None = None
        refused = ""
        timer = threading.Timer(during or 0, trouble.begin)
        try:
            if during is None:
                trouble.begin()
            else:
                timer.start()
            running = work.start()
            running.wait()
        except PgconsoleError as error:
            refused = "refused at the start, with the cause" if error.cause else ""
        finally:
            timer.cancel()
            if timer.ident:
                timer.join()
            trouble.end()
        if running:
            running.wait()  # a job whose directory was away may have looked interrupted
        job = running.job() if isinstance(running, RunningJob) else None
        assert running or refused, "refused without a cause"
        after_fault(work.site, job, (running.pid,) if running and running.pid else ())
        trial.happened(work.judge(running) if running else refused)
        work.again()
        work.clean(last=True)


def _moment(chance: random.Random) -> float | None:
    """When it begins: before, or at a moment of the work."""
    return None if chance.random() < 0.3 else chance.uniform(0, 1.2)


def _work(site: Site, faults: Faults, directory: Path, *names: object) -> Work:
    chance = faults.random("disk", *names)
    work: Work = getattr(works, str(names[-1]))(site, chance, directory)
    return work


_LIMITED = [
    pytest.param(name, number, size, id=f"{name}-{number}")
    for name, short, long in [
        ("Backup", 1, 40), ("Restore", 1, 20), ("RestoreFromS3", 0, 15), ("Verify", 0, 5),
        ("Prune", 0, 5),
    ]
    for number, size in enumerate(blocks(_FORM.times(short, long)))
]  # fmt: skip


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("name", "number", "size"), _LIMITED)
def test_full(
    name: str, number: int, size: int, disk: Disk, make_site: MakeSite, faults: Faults,
    tmp_path: Path,
):  # fmt: skip
    site = make_site(disk.path / "backups")
    work = _work(site, faults, tmp_path, number, name)
    for _ in range(size):
        free = work.chance.randint(0, 6 << 20)
        inodes = work.chance.random() < 0.3
        trouble = Trouble(
            "the file system has no inodes left" if inodes else "the disk is full at a random byte",
            (lambda free=free: disk.inodes(free % 16)) if inodes
            else (lambda free=free: disk.full_after(free)),
            lambda: (disk.remount(f"size={_LARGE}"), disk.remount(f"nr_inodes={_MANY}"), None)[-1],
        )  # fmt: skip
        _trial(faults, work, trouble, during=_moment(work.chance))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", _WORKS[: _FORM.times(1, 5)])
def test_read_only(
    name: str, disk: Disk, make_site: MakeSite, faults: Faults, tmp_path: Path
):  # fmt: skip
    """From the start: a file that is open for writing keeps the kernel from it later."""
    site = make_site(disk.path / "backups")
    work = _work(site, faults, tmp_path, "read-only", name)
    trouble = Trouble(
        "the disk is read-only", lambda: disk.remount("ro"), lambda: disk.remount("rw")
    )
    for _ in range(faults.times(1, 2)):
        _trial(faults, work, trouble, during=None)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["Backup", "Restore"][: _FORM.times(1, 2)])
def test_a_file_may_not_grow(name: str, site: Site, faults: Faults, tmp_path: Path):
    """A limit as quotas set it (RLIMIT_FSIZE), which needs no right at all."""
    work = _work(site, faults, tmp_path, "limit", name)

    def end() -> None:
        site.laid_on = {}

    for _ in range(faults.times(1, 12)):
        site.laid_on = {"file_size": work.chance.randint(100_000, 3_000_000)}
        trouble = Trouble("a file may not grow beyond a random size", lambda: None, end)
        _trial(faults, work, trouble, during=None)


_PLACES = ("daily", "weekly", "safety", "restored", ".pgconsole/uploads", ".pgconsole/locks",
           ".pgconsole/jobs", ".pgconsole/evidence.jsonl", ".pgconsole")  # fmt: skip


_DIRECTORIES = ["Backup", "Restore", "RestoreFromS3", "Verify"][: _FORM.times(1, 4)]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", _DIRECTORIES)
def test_a_directory_is_forbidden(name: str, site: Site, faults: Faults, tmp_path: Path):
    """Root without its privileges, as any owner: permissions bind it."""
    work = _work(site, faults, tmp_path, "forbidden", name)
    for _ in range(faults.times(1, 12)):
        path = site.settings.backup_dir / work.chance.choice(("", *_PLACES))
        mode = work.chance.choice([0o000, 0o400, 0o500])
        if not path.exists():
            path = site.settings.backup_dir
        before = path.stat().st_mode & 0o777
        site.laid_on = {"as_any_owner": True}

        def begin(path: Path = path, mode: int = mode) -> None:
            if not path.exists():  # a run takes away the directories that it leaves empty
                path.mkdir(0o700)
            path.chmod(mode)

        def end(path: Path = path, before: int = before) -> None:
            path.chmod(before)
            site.laid_on = {}

        trouble = Trouble("the permission to a directory is lost", begin, end)
        _trial(faults, work, trouble, during=_moment(work.chance))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", _DIRECTORIES)
def test_a_directory_becomes_a_file(name: str, site: Site, faults: Faults, tmp_path: Path):
    work = _work(site, faults, tmp_path, "replaced", name)
    for _ in range(faults.times(1, 12)):
        path = site.settings.backup_dir / work.chance.choice(_PLACES)
        aside = path.with_name(path.name + ".moved")

        def begin(path: Path = path, aside: Path = aside) -> None:
            if path.exists():
                path.rename(aside)
                if aside.is_dir():
                    path.write_text("a file where a directory was")
                else:
                    path.mkdir()

        def end(path: Path = path, aside: Path = aside) -> None:
            if aside.exists():
                _put_back(path, aside)

        trouble = Trouble("a directory is replaced by a file", begin, end)
        _trial(faults, work, trouble, during=_moment(work.chance))


def _put_back(path: Path, aside: Path) -> None:
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    aside.rename(path)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", ["Backup", "Restore", "WalPush"][: _FORM.times(1, 3)])
def test_slow(name: str, site: Site, faults: Faults, tmp_path: Path):
    work = _work(site, faults, tmp_path, "slow", name)
    fault = Fault(
        Group.DISK, f"{work.title}: each step on the disk takes long", "slower, and whole"
    )
    if reason := unavailable():
        faults.untried(fault, reason)
    for number in range(faults.times(1, 5)):
        with faults.trial(fault) as trial:
            work.prepare()
            plan = Plan(
                str(tmp_path / f"log{number}"), below=str(site.settings.backup_dir),
                delay=work.chance.uniform(0.005, 0.03),
            )  # fmt: skip
            began = time.monotonic()
            running = work.start(plan)
            running.wait()
            steps = len(Path(plan.log).read_text().splitlines())
            assert time.monotonic() - began > steps * plan.delay / 4  # several threads share it
            job = running.job() if isinstance(running, RunningJob) else None
            assert job is None or job.status is JobStatus.DONE, job
            after_fault(site, job, (running.pid,))
            trial.happened(work.judge(running))
            work.again()
            work.clean(last=True)

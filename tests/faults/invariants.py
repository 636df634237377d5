"""What holds after every fault. One checker for all of the suite.

`after_fault` looks when the fault has hit and everything has come to rest; `after_next_run` when
the same was done once more, without a fault.
"""

from __future__ import annotations

import gzip
import hashlib
import subprocess
from contextlib import closing
from pathlib import Path

from tests.faults.site import Site
from tests.support import wait_until

from pgconsole.backups.pins import read_pins
from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import Manifest, parse_manifest
from pgconsole.dumps.naming import MANIFEST_SUFFIX, SUFFIX
from pgconsole.jobs import Job, JobStatus, list_jobs
from pgconsole.locks import is_held
from pgconsole.storage.local import LocalStorage

_HALF = (".partial", ".new", ".aside")  # how names of files end that are being written
_ENDS = 60.0  # seconds that processes and sessions of a killed job may take to be gone


def after_fault(
    site: Site,
    job: Job | None = None,
    sids: tuple[int, ...] = (),
    *,
    others_delete: bool = False,
) -> None:
    """Nothing half-made, nothing held, nobody left, and the job's end is told truthfully.

    Args:
        site: Where the fault was.
        job: The job that it hit.
        sids: Sessions of processes that must be gone.
        others_delete: Whether objects that were there may be gone by now, by somebody else.
    """
    _no_processes(sids)
    _no_sessions(site)
    _published_is_whole(site)
    _bucket_is_whole(site)
    _locks_are_free(site)
    read_pins(site.settings)
    if job is not None:
        told(site, job, others_delete=others_delete)


def after_next_run(site: Site) -> None:
    """Besides, nothing of the fault is left over anywhere."""
    after_fault(site)
    left = [path for path in site.settings.backup_dir.rglob("*") if _is_left_over(path)]
    assert not left, f"left over: {left}"
    assert not site.open_uploads()
    keys = site.objects()
    alone = [key for key in keys if key.endswith(MANIFEST_SUFFIX) and _dump_of(key) not in keys]
    assert not alone, f"manifests without a dump in S3: {alone}"


def told(site: Site, job: Job, *, others_delete: bool = False) -> None:
    """The list of jobs says how it ended, in words that help; what it calls done is there."""
    assert job.status.ended, job
    assert job.id in {one.id for one in list_jobs(site.settings)}
    if job.status is JobStatus.DONE:
        assert not job.problem, job
    elif job.status is not JobStatus.CANCELLED:
        assert job.problem, job
        assert job.cause, job
        assert "fault in pgconsole" not in job.problem, (job.directory / "output.log").read_text()
    if job.status in (JobStatus.DONE, JobStatus.PARTLY_FAILED) and job.kind == "backup":
        assert job.result is not None
        for path in _texts(job.result["paths"]):
            assert Path(path).is_file(), f"{job.status}, but {path} is not there"
        present = site.objects()
        for key in _texts(job.result["keys"]):
            assert others_delete or key in present, f"{job.status}, but {key} is not there"
        if job.status is JobStatus.DONE and site.settings.s3_enabled:
            assert job.result["keys"], job


def whole_or_missing(archive: Path, name: str, content: bytes) -> bool:
    """Whether a WAL file is archived; if it is, it is whole."""
    found = False
    for path in (archive / name, archive / f"{name}.gz"):
        if path.exists():
            data = path.read_bytes()
            assert (gzip.decompress(data) if path.suffix == ".gz" else data) == content, path
            found = True
    return found


def _published_is_whole(site: Site) -> None:
    directory = site.settings.backup_dir
    for path in directory.glob(f"*/*{SUFFIX}"):
        status = path.stat()
        proof = (path.name, status.st_ino, status.st_size, status.st_mtime_ns)
        if proof in site.checked:
            continue
        _check_file(path)
        site.checked.add(proof)
    for path in directory.glob(f"*/*{MANIFEST_SUFFIX}"):
        parse_manifest(path.read_bytes(), str(path))


def _check_file(path: Path) -> None:
    """`gzip -t`, and every byte against the manifest beside it."""
    tested = subprocess.run(["gzip", "-t", path], check=False, capture_output=True)
    assert tested.returncode == 0, f"{path}: {tested.stderr.decode()}"
    manifest = _manifest(path)
    with closing(LocalStorage(path.parent.parent).open(str(path))) as source:
        checked = check_dump(source, manifest, lambda *_: None)
    assert checked.sha256 == manifest.sha256


def _manifest(path: Path) -> Manifest:
    beside = path.with_name(path.name + MANIFEST_SUFFIX)
    assert beside.exists(), f"{path} has no manifest"
    return parse_manifest(beside.read_bytes(), str(beside))


def _bucket_is_whole(site: Site) -> None:
    """A dump in S3 is the one that its manifest describes, there or here."""
    if not site.settings.s3_enabled:
        return
    client, bucket = site.client, site.settings.s3_bucket
    keys = site.objects()
    for key, size in keys.items():
        ours = key.endswith(SUFFIX) and f"/{site.database}_" in key
        if not ours or (key, size) in site.checked:
            continue
        data = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        if key + MANIFEST_SUFFIX in keys:
            text = client.get_object(Bucket=bucket, Key=key + MANIFEST_SUFFIX)["Body"].read()
            manifest = parse_manifest(text, key)
        else:  # a copy in another class is followed by its manifest
            name = key.removeprefix(site.settings.s3_prefix)
            manifest = _manifest(site.settings.backup_dir / name)
        assert hashlib.sha256(data).hexdigest() == manifest.sha256, f"{key} in S3 is damaged"
        site.checked.add((key, size))


def _locks_are_free(site: Site) -> None:
    state = site.settings.state_dir
    paths = [
        *state.rglob("*.lock"),
        *state.rglob("lock"),
        *site.settings.backup_dir.rglob("*.lock"),
    ]
    # The kernel frees one after the other.
    for path in paths:
        wait_until(lambda path=path: not is_held(path), _ENDS)


def _no_processes(sids: tuple[int, ...]) -> None:
    """Of the sessions of the killed, nobody is left."""
    try:
        wait_until(lambda: not any(processes_of(sid) for sid in sids), _ENDS)
    except AssertionError:
        left = {sid: processes_of(sid) for sid in sids}
        raise AssertionError(f"processes are left: {left}") from None


def processes_of(sid: int) -> list[str]:
    """What still runs in a session, zombies aside: pid and name."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.read_text().split(" (", 1)
        except (FileNotFoundError, ProcessLookupError):
            continue
        name, fields = rest.rsplit(") ", 1)
        state, _, _, session, *_ = fields.split()
        if int(session) == sid and state not in "ZX":
            found.append(f"{pid} {name}")
    return found


def _no_sessions(site: Site) -> None:
    """On the server nothing of pgconsole's goes on, and no lock of its is held."""
    with site.server.connect() as connection:

        def gone() -> bool:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgconsole%%' "
                "AND datname = %s",
                [site.database],
            ).fetchone()
            return row == (0,)

        wait_until(gone, _ENDS)


def _is_left_over(path: Path) -> bool:
    if path.parent.parent.name == "jobs":  # what a dead job has in its own directory is its record
        return False
    if path.name.endswith(_HALF) or (path.parent.name == "uploads" and path.suffix == ".json"):
        return True
    return path.name.endswith(MANIFEST_SUFFIX) and not Path(_dump_of(str(path))).exists()


def _dump_of(manifest: str) -> str:
    return manifest.removesuffix(MANIFEST_SUFFIX)


def _texts(value: object) -> list[str]:
    assert isinstance(value, list)
    return list(map(str, value))

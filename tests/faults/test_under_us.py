"""Somebody else changes the bucket while we work: what is not ours to lose stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.faults import works
from tests.faults.http_proxy import HttpProxy, Rule, after
from tests.faults.invariants import after_fault
from tests.faults.recorder import Fault, Faults, Group
from tests.faults.running import RunningJob
from tests.faults.site import Site
from tests.support import wait_until

from pgconsole.backups.catalog import s3_backups
from pgconsole.backups.prune import make_plan
from pgconsole.dumps.naming import MANIFEST_SUFFIX, SUFFIX, BackupClass, BackupName
from pgconsole.storage.base import Place

pytestmark = pytest.mark.slow  # see `make test-slow`

PROMISE = (
    "it ends with the cause, or works with what is there; nothing else is lost; the next works"
)
_LONGEST = 300.0  # seconds
_FORM = Faults.from_environment()
_PAGE = 1000  # objects of a listing's page


@pytest.fixture
def proxy(site: Site) -> Iterator[HttpProxy]:
    """A proxy between the site and its S3 server."""
    with HttpProxy(site.s3.port) as found:
        site.settings = site.settings.model_copy(update={"s3_endpoint_url": found.endpoint})
        yield found


def _hit(
    work: works.Work, proxy: HttpProxy, operation: str, first: int, event: Callable[[], object]
):
    """Run the work; the event comes just before one of its requests."""
    work.prepare()
    proxy.rules = [Rule(operation, after(event), first)]
    running = work.start()
    wait_until(running.ended, _LONGEST)
    met, proxy.rules = proxy.rules[0].met, []
    return running, met


def _without_bucket(site: Site) -> None:
    """Take the bucket away, with all that is in it."""
    name = site.settings.s3_bucket
    for key in site.objects():
        site.client.delete_object(Bucket=name, Key=key)
    site.client.delete_bucket(Bucket=name)
    site.checked = {proof for proof in site.checked if len(proof) > 2}


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "operation",
    ["UploadPart", "CopyObject", "CreateMultipartUpload", "CompleteMultipartUpload", "PutObject"][
        : _FORM.times(2, 5)
    ],
)
def test_the_bucket_is_deleted(
    operation: str, site: Site, proxy: HttpProxy, faults: Faults, tmp_path: Path
):
    fault = Fault(Group.NETWORK, "a backup: its bucket is deleted under it", PROMISE)
    work = works.Backup(site, faults.random("bucket", operation), tmp_path)
    for _ in range(faults.times(1, 3)):
        with faults.trial(fault) as trial:
            running, met = _hit(work, proxy, operation, 1, lambda: _without_bucket(site))
            assert met
            with suppress(site.client.exceptions.BucketAlreadyExists):  # rclone made it itself
                site.client.create_bucket(Bucket=site.settings.s3_bucket)
            assert isinstance(running, RunningJob)
            job = running.job()
            after_fault(site, job, (running.pid,), others_delete=True)
            trial.happened(f"{work.judge(running)}; the local backup is kept")
            assert list((site.settings.backup_dir / "daily").glob(f"*{SUFFIX}"))
            work.again()
            work.clean(last=True)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", ["overwritten", "deleted"])
@pytest.mark.parametrize("name", ["RestoreFromS3", "Verify"][: _FORM.times(1, 2)])
def test_the_object_is_changed(
    name: str, how: str, site: Site, proxy: HttpProxy, faults: Faults, tmp_path: Path
):
    what = {"RestoreFromS3": "a restore from S3", "Verify": "a verification"}[name]
    fault = Fault(Group.NETWORK, f"{what}: the object is {how} under it", PROMISE)
    work = getattr(works, name)(site, faults.random("object", name, how), tmp_path)
    bucket = site.settings.s3_bucket
    for number in range(faults.times(1, 4)):
        with faults.trial(fault) as trial:
            before = {
                key: site.client.get_object(Bucket=bucket, Key=key)["Body"].read()
                for key in site.objects()
            }

            def change(before: dict[str, bytes] = before) -> None:
                for key, data in before.items():
                    if key.endswith(SUFFIX) and how == "deleted":
                        site.client.delete_object(Bucket=bucket, Key=key)
                    elif key.endswith(SUFFIX):
                        site.client.put_object(Bucket=bucket, Key=key, Body=data[::-1])

            running, met = _hit(work, proxy, "GetObject", 1 + number, change)
            for key, data in before.items():
                site.client.put_object(Bucket=bucket, Key=key, Body=data)
            assert isinstance(running, RunningJob)
            after_fault(site, running.job(), (running.pid,), others_delete=True)
            outcome = work.judge(running)
            trial.happened(outcome if met else f"it had read all before: {outcome}")
            work.again()


@pytest.mark.timeout(600)
def test_listing_pages_change_in_between(
    site: Site, proxy: HttpProxy, faults: Faults, tmp_path: Path
):
    """Retention by a listing of several pages, of which one changes while the next is asked for."""
    fault = Fault(
        Group.NETWORK, "retention: objects come and go between two pages of a listing",
        "what was there all the time is listed once; no good backup goes that is needed",
    )  # fmt: skip
    bucket, prefix = site.settings.s3_bucket, site.settings.s3_prefix
    # Of another database, straight into the server's directory before it has looked there.
    directory = site.s3.buckets / bucket / prefix / "daily"
    directory.mkdir(parents=True)
    for number in range(_PAGE + 200):
        at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
        (directory / BackupName("another", at, BackupClass.DAILY).filename).write_bytes(b"x")
    work = works.Prune(site, faults.random("pages"), tmp_path)
    for _ in range(faults.times(1, 4)):
        with faults.trial(fault) as trial:
            work.prepare()
            newest = max(
                (entry.location for entry in make_plan(site.settings, Place.S3).keep
                 if entry.takes_slot and "/daily/" in entry.location),
            )  # fmt: skip
            others = [key for key in sorted(site.objects()) if "another" in key]

            def change(newest: str = newest, others: list[str] = others) -> None:
                for key in (newest, newest + MANIFEST_SUFFIX, others[0], others[-1]):
                    site.client.delete_object(Bucket=bucket, Key=key)
                site.client.put_object(Bucket=bucket, Key=f"{others[1]}.foreign", Body=b"x")

            good = _good_dailies(site) - {newest}
            proxy.rules = [Rule("ListObjects", after(change), first=2)]
            listed = [stored.location for stored in s3_backups(site.settings).backups]
            assert proxy.rules[0].met
            proxy.rules = []
            stayed = set(others[1:-1])
            assert stayed <= set(listed)
            assert len(listed) == len(set(listed))
            running = work.start()
            running.wait()
            assert isinstance(running, RunningJob)
            after_fault(site, running.job(), (running.pid,))
            left = _good_dailies(site)
            kept = site.settings.retention_daily
            assert sorted(good)[-kept:] == sorted(left)[-kept:], "a good backup is gone"
            trial.happened("listed once each; the newest good ones stay")
            site.client.delete_object(Bucket=bucket, Key=f"{others[1]}.foreign")
            site.backup()


def _good_dailies(site: Site) -> set[str]:
    """The site's own daily dumps in the bucket that have a manifest."""
    keys = site.objects()
    return {
        key
        for key in keys
        if key.endswith(SUFFIX)
        and key + MANIFEST_SUFFIX in keys
        and f"/daily/{site.database}_" in key
    }

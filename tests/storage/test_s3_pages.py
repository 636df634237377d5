"""Pages of a bucket: all that a whole listing finds, wherever the store cuts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.storage.conftest import NAME

from pgconsole.demo.servers import S3Server
from pgconsole.dumps.naming import MANIFEST_SUFFIX, BackupClass
from pgconsole.storage.base import Listing
from pgconsole.storage.s3 import S3Storage


def test_pages_find_what_a_listing_finds(storage: S3Storage, s3: S3Server, s3_bucket: str) -> None:
    """1,201 objects: the first page ends between a dump and its manifest."""
    root = s3.buckets / s3_bucket / "backups"
    daily = root / "daily"
    daily.mkdir(parents=True)
    (root / "weekly").mkdir()
    (daily / "0 not a backup").touch()
    for number in range(600):
        name = replace(NAME, taken_at=NAME.taken_at + timedelta(hours=number))
        (daily / name.filename).touch()
        (daily / (name.filename + MANIFEST_SUFFIX)).touch()
    orphan = NAME.in_class(BackupClass.WEEKLY)
    (root / "weekly" / (orphan.filename + MANIFEST_SUFFIX)).touch()
    pages = list(storage.listing_pages())
    whole = storage.listing()
    assert max(len(page.backups) for page in pages) < 600
    assert all(backup.has_manifest for page in pages for backup in page.backups)
    joined = [backup for page in pages for backup in page.backups]
    joined.sort(key=lambda backup: backup.name.taken_at, reverse=True)
    assert whole == Listing(
        tuple(joined),
        tuple(foreign for page in pages for foreign in page.foreign),
        tuple(leftover for page in pages for leftover in page.leftovers),
    )
    assert (len(whole.backups), len(whole.foreign), len(whole.leftovers)) == (600, 1, 1)


@pytest.mark.parametrize("before", range(4))
def test_a_page_ends_anywhere_between_a_dump_and_its_encrypted_twin(
    storage: S3Storage, s3: S3Server, s3_bucket: str, before: int
) -> None:
    daily = s3.buckets / s3_bucket / "backups" / "daily"
    daily.mkdir(parents=True)
    for number in range(before):
        (daily / f"{number} not a backup").touch()
    for number in range(260):
        name = replace(NAME, taken_at=NAME.taken_at + timedelta(hours=number))
        for twin in (name, replace(name, encrypted=True)):
            (daily / twin.filename).touch()
            (daily / (twin.filename + MANIFEST_SUFFIX)).touch()
    pages = list(storage.listing_pages())
    joined = [backup for page in pages for backup in page.backups]
    assert len(pages) > 1
    assert len(set(joined)) == len(joined) == 520
    assert all(backup.has_manifest for backup in joined)
    assert not any(page.leftovers for page in pages)
    assert set(storage.listing().backups) == set(joined)

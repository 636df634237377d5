"""What lies under the prefix of a bucket, sorted into backups, leftovers and other objects."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import TYPE_CHECKING

from pgconsole.dumps.naming import AGE_SUFFIX, MANIFEST_SUFFIX, BackupClass, parse_name
from pgconsole.storage.base import ForeignFile, Listing, Place, StoredBackup
from pgconsole.storage.s3_answers import each_once
from pgconsole.storage.s3_bucket import Bucket
from pgconsole.storage.s3_client import Patience

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectTypeDef

_PAGE = 1000  # objects in an answer, S3's most


def object_pages(bucket: Bucket, prefix: str) -> Iterator[list[ObjectTypeDef]]:
    """The objects of all classes, as the store lists them: by key.

    Raises:
        StorageError: The bucket can't be listed.
    """
    problem = f"Bucket {bucket.address.bucket!r} can't be listed"
    for backup_class in BackupClass:
        below = f"{prefix}{backup_class}/"
        with bucket.address.translated(problem):
            paginator = bucket.client(Patience.ASKING).get_paginator("list_objects_v2")
            found = paginator.paginate(
                Bucket=bucket.address.bucket, Prefix=below, PaginationConfig={"PageSize": _PAGE}
            )
            pages = each_once(found, below)
        while True:
            with bucket.address.translated(problem):
                page = next(pages, None)
            if page is None:
                break
            # An object whose key ends with a slash is what some tools make for a directory.
            yield [found for found in page if not found["Key"].endswith("/")]


def listing_pages(bucket: Bucket, prefix: str) -> Iterator[Listing]:
    """What `listing` finds, page by page in the store's order, without holding more than a page.

    A dump's manifest is the next key, but for the same dump encrypted; they are kept together.

    Raises:
        StorageError: The bucket can't be listed.
    """
    held: list[ObjectTypeDef] = []
    for page in object_pages(bucket, prefix):
        objects = held + page
        # A dump at the end waits for the next page, which may begin with its manifest.
        held = _of_last_dump(objects)
        whole = objects[: len(objects) - len(held)]
        backups, foreign, leftovers = _sorted(whole, {found["Key"] for found in objects}, prefix)
        yield Listing(tuple(backups), tuple(foreign), tuple(leftovers))
    backups, foreign, leftovers = _sorted(held, {found["Key"] for found in held}, prefix)
    yield Listing(tuple(backups), tuple(foreign), tuple(leftovers))


def _of_last_dump(objects: list[ObjectTypeDef]) -> list[ObjectTypeDef]:
    """The last objects, of which one's manifest may come yet."""
    last = len(objects)
    while last and _stem(objects[last - 1]["Key"]) == _stem(objects[-1]["Key"]):
        last -= 1
    return objects[last:]


def _stem(key: str) -> str:
    """The key of a dump without what tells its manifest, or the same dump encrypted, from it."""
    return key.removesuffix(MANIFEST_SUFFIX).removesuffix(AGE_SUFFIX)


def listing(bucket: Bucket, prefix: str) -> Listing:
    """All objects of all classes, the newest backup first.

    Raises:
        StorageError: The bucket can't be listed.
    """
    objects = [found for page in object_pages(bucket, prefix) for found in page]
    backups, foreign, leftovers = _sorted(objects, {found["Key"] for found in objects}, prefix)
    backups.sort(key=lambda backup: backup.name.taken_at, reverse=True)
    return Listing(tuple(backups), tuple(foreign), tuple(leftovers))


def _sorted(
    objects: list[ObjectTypeDef], keys: set[str], prefix: str
) -> tuple[list[StoredBackup], list[ForeignFile], list[str]]:
    """Backups, other objects, and manifests without a dump."""
    backups, foreign, leftovers = [], [], []
    for found in objects:
        key, size = found["Key"], found["Size"]
        dump = key.removesuffix(MANIFEST_SUFFIX)
        backup_class, _, filename = dump.removeprefix(prefix).partition("/")
        name = parse_name(filename) if _can_be_asked_for(filename) else None
        if name is None or name.backup_class != backup_class:
            foreign.append(ForeignFile(key, size))
        elif dump == key:
            modified = found["LastModified"].astimezone(UTC)
            has_manifest = key + MANIFEST_SUFFIX in keys
            backups.append(StoredBackup(name, Place.S3, key, size, modified, has_manifest))
        elif dump not in keys:
            leftovers.append(key)
    return backups, foreign, leftovers


def _can_be_asked_for(filename: str) -> bool:
    """Whether it is all of the key's last part, and as the store has it.

    What is no UTF-8 comes from botocore as U+FFFD; asking for that would be asking for another key.
    """
    return filename.isprintable() and "/" not in filename and "\ufffd" not in filename

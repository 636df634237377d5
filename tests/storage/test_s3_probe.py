"""What monitoring asks of a bucket, on the real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.storage.conftest import Contents, MakeS3Settings

from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.storage.s3_probe import S3Probe, expires

TODAY = datetime.now(UTC).replace(microsecond=0)


def put(contents: Contents, database: str, age: int, backup_class: BackupClass) -> str:
    """An object that looks like a backup of so many days ago; returns its path."""
    name = BackupName(database, TODAY - timedelta(days=age), backup_class)
    contents.put(f"backups/{name.relative_path}", b"x" * (age + 1))
    return name.relative_path


def test_only_this_database_and_its_newest(s3_settings: MakeS3Settings, contents: Contents) -> None:
    recent = [put(contents, "app", age, BackupClass.DAILY) for age in (0, 5, 39)]
    put(contents, "app", 50, BackupClass.DAILY)
    old_weekly = put(contents, "app", 60, BackupClass.WEEKLY)  # there is no younger one
    for other in ("app2", "app_daily", "app_daily_2", "ap"):
        put(contents, other, 1, BackupClass.DAILY)
    contents.put("backups/daily/app_daily_nonsense.sql.gz", b"")
    contents.put(f"backups/{recent[0]}.manifest.json", b"{}")
    found = S3Probe(s3_settings()).backups_of("app")
    assert [backup.name.relative_path for backup in found] == [*recent, old_weekly]
    assert [backup.size for backup in found] == [1, 6, 40, 61]
    assert [backup.has_manifest for backup in found] == [True, False, False, False]
    assert {backup.location for backup in found} <= contents.keys


def test_a_bucket_without_backups(s3_settings: MakeS3Settings) -> None:
    assert S3Probe(s3_settings()).backups_of("app") == []


@pytest.mark.parametrize(
    ("rule", "answer"),
    [
        ({"Filter": {"Prefix": ""}}, True),
        ({"Filter": {}}, True),
        ({"Prefix": "backups/"}, True),
        ({"Filter": {"Prefix": "backups/daily/"}}, True),
        ({"Filter": {"And": {"Prefix": "back", "ObjectSizeGreaterThan": 1}}}, True),
        ({"Filter": {"Prefix": "logs/"}}, False),
        ({"Filter": {"Tag": {"Key": "k", "Value": "v"}}}, False),
        ({"Filter": {"And": {"Prefix": "", "Tags": [{"Key": "k", "Value": "v"}]}}}, False),
        ({"Filter": {}, "Status": "Disabled"}, False),
        ({"Filter": {}, "Expiration": {}}, False),
    ],
)
def test_which_lifecycle_rules_expire_our_objects(rule: dict[str, Any], answer: bool) -> None:
    whole: Any = {"Status": "Enabled", "Expiration": {"Days": 30}} | rule
    assert expires(whole, "backups/") is answer

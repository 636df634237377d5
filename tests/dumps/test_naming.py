"""Names of backups, encrypted or not: one grammar."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pgconsole.dumps.naming import BackupClass, BackupName, is_encrypted, parse_name

AT = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "database", ["app", "app_daily_2", "a.sql.gz", "x.age", "ü b", "a_b.sql.gz.age"]
)
@pytest.mark.parametrize("cls", BackupClass)
@pytest.mark.parametrize("encrypted", [False, True])
def test_what_is_written_is_parsed(database: str, cls: BackupClass, encrypted: bool) -> None:
    name = BackupName(database, AT, cls, encrypted)
    assert name.filename.endswith(".sql.gz.age" if encrypted else ".sql.gz")
    assert parse_name(name.filename) == name
    assert is_encrypted(name.filename) == encrypted
    assert name.in_class(BackupClass.WEEKLY).encrypted == encrypted


@pytest.mark.parametrize(
    "end",
    [".age", ".sql.age", ".gz.age", ".sql.gz.age.age", ".sql.gz.AGE", ".sql.gz.agee", ".sql.gzage"],
)
def test_anything_else_is_foreign(end: str) -> None:
    assert parse_name(f"app_daily_20260225_020000{end}") is None


def test_an_encrypted_one_sorts_beside_its_twin() -> None:
    plain, sealed = (BackupName("app", AT, BackupClass.DAILY, one) for one in (False, True))
    later = BackupName("app", AT.replace(hour=3), BackupClass.DAILY)
    assert sorted([later, sealed, plain]) == [plain, sealed, later]

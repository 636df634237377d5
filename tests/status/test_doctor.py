"""Each fault, made from outside, makes exactly its check fail, in the right words."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import sql
from tests.proxy import Proxy
from tests.status.conftest import BUCKET, DATABASE, Site, beat, mounted
from tests.status.doctoring import FAILED, NOT_SET_UP, OK, UNKNOWN, WARNING, check_only, diagnose

from pgconsole.demo.servers import S3Server, free_port
from pgconsole.dumps.naming import BackupClass, BackupName
from pgconsole.postgres import tools
from pgconsole.schedule.state import pause
from pgconsole.status.doctor import CHECKS, run_checks
from pgconsole.storage.s3 import S3Storage
from pgconsole.storage.s3_probe import PROBE, S3Probe

NEED_SERVER = ["credentials", "database", "privileges", "server clock", "pg_dump", "psql"]
NEED_BUCKET = ["S3 writing", "S3 clock", "S3 leftovers", "S3 retention", "S3 versions"]
UNUSED = ["encryption", "signatures", "WAL archive"]


def test_healthy(site: Site) -> None:
    by_state, results = diagnose(site.settings())
    assert list(results) == [check.name for check in CHECKS]
    assert by_state == {OK: [name for name in results if name not in UNUSED],
                        NOT_SET_UP: UNUSED}, results  # fmt: skip
    assert all(result.cause == result.fix == "" for result in results.values())
    assert DATABASE in results["database"].found
    assert "At 02:00" in results["schedule"].found
    assert r"knows \restrict" in results["psql"].found


def test_without_s3(site: Site) -> None:
    by_state, _ = diagnose(site.settings(S3_BACKUP_BUCKET=""))
    assert by_state[NOT_SET_UP] == [*UNUSED[:2], "S3", *NEED_BUCKET, *UNUSED[2:]]
    assert set(by_state) == {OK, NOT_SET_UP}


def test_server_down(site: Site) -> None:
    settings = site.settings(PGPORT=str(free_port()))
    check_only(settings, FAILED, "server", "is not reachable: nothing listens", NEED_SERVER)


def test_wrong_password(site: Site) -> None:
    settings = site.settings(PGPASSWORD="guessed")
    rest = [name for name in NEED_SERVER if name != "credentials"]
    check_only(settings, FAILED, "credentials", "the password is wrong", rest)


def test_missing_database(site: Site) -> None:
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    here, away = sql.Identifier(DATABASE), sql.Identifier("away")
    with site.server.connect() as connection:
        connection.execute(rename.format(here, away))
        try:
            rest = [name for name in NEED_SERVER if name not in ("credentials", "database")]
            check_only(site.settings(), FAILED, "database", "does not exist", rest)
        finally:
            connection.execute(rename.format(away, here))


def test_missing_privileges(site: Site) -> None:
    with site.server.connect(DATABASE) as connection:
        connection.execute(
            "CREATE ROLE reader LOGIN PASSWORD 'x' IN ROLE pg_read_all_data;"
            "CREATE TABLE hidden (id int); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;"
            "SELECT lo_create(4242);"
            "CREATE ROLE nobody_in_particular LOGIN PASSWORD 'x';"
        )
        try:
            reader = site.settings(PGUSER="reader", PGPASSWORD="x")
            found = check_only(
                reader, FAILED, "privileges", "2 objects: large object 4242, public.hidden"
            )
            assert "BYPASSRLS" in found.fix
            stranger = site.settings(PGUSER="nobody_in_particular", PGPASSWORD="x")
            check_only(stranger, FAILED, "privileges", "may not read 3 objects")
        finally:
            connection.execute(
                "SELECT lo_unlink(4242); DROP TABLE hidden; DROP ROLE reader, nobody_in_particular"
            )


def test_old_pg_dump(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, command in (
        ("pg_dump", "echo 'pg_dump (PostgreSQL) 15.2'"),
        ("psql", f"exec {site.server.bin_dir}/psql \"$@\""),
    ):  # fmt: skip
        (programs / name).write_text(f"#!/bin/sh\n{command}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setattr(tools, "_PACKAGE_DIRECTORIES", ())
    monkeypatch.setenv("PATH", str(programs))
    check_only(site.settings(), FAILED, "pg_dump", "older than the server")
    (programs / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 16.10'\n")
    (programs / "psql").write_text("#!/bin/sh\necho 'psql (PostgreSQL) 16.9'\n")
    check_only(site.settings(), FAILED, "psql", r"does not know \restrict")


def test_missing_bucket(site: Site) -> None:
    settings = site.settings(S3_BACKUP_BUCKET="no-such-bucket")
    check_only(settings, FAILED, "S3", "there is no such bucket", NEED_BUCKET)


def test_wrong_key(site: Site) -> None:
    settings = site.settings(AWS_SECRET_ACCESS_KEY="guessed")
    check_only(settings, FAILED, "S3", "secret key does not belong", NEED_BUCKET)


def test_store_down(site: Site) -> None:
    settings = site.settings(S3_ENDPOINT_URL=f"http://127.0.0.1:{free_port()}")
    check_only(settings, FAILED, "S3", "nothing listens", NEED_BUCKET)


def test_store_that_hangs_is_unknown(site: Site) -> None:
    with Proxy(site.s3.port) as proxy:
        proxy.hang()
        settings = site.settings(S3_ENDPOINT_URL=proxy.endpoint)
        check_only(settings, UNKNOWN, "S3", "did not answer in time", NEED_BUCKET)


class _ReadOnlyStore(S3Server):
    """A store that lets nobody write."""

    def _spawn(self, argv: list[str], environment: dict[str, str], user: int | None) -> None:
        super()._spawn([*argv, "--read-only"], environment, user)


def test_bucket_that_can_not_be_written(site: Site, tmp_path: Path) -> None:
    (tmp_path / "store/buckets" / BUCKET).mkdir(parents=True)
    with _ReadOnlyStore(tmp_path / "store") as store:
        settings = site.settings(**store.environment(BUCKET))
        check_only(settings, FAILED, "S3 writing", "S3 upload would fail")


def probes(site: Site) -> list[str]:
    """The probe objects in the bucket, and in the backup directory."""
    settings = site.settings()
    here = [path.name for path in settings.backup_dir.rglob(f"{PROBE}*")]
    return [*S3Probe(settings).contact().left_probes, *here]


def test_nothing_stays_of_the_probes(site: Site) -> None:
    list(run_checks(site.settings()))
    assert probes(site) == []
    with closing(run_checks(site.settings())) as results:
        next(results)
    assert probes(site) == []


def test_store_that_is_lost_in_the_middle(site: Site) -> None:
    with Proxy(site.s3.port) as proxy:
        proxy.cut_answer_to(b"PUT ", then_refuse=True)
        _, results = diagnose(site.settings(S3_ENDPOINT_URL=proxy.endpoint))
    found = results["S3 writing"]  # other checks may have asked before it was lost, or after
    assert found.state is FAILED
    assert "can't be written: nothing listens" in f"{found.found}: {found.cause}"
    assert probes(site) == []


def test_probe_of_a_doctor_that_was_killed(site: Site) -> None:
    settings = site.settings()
    key = f"{settings.s3_prefix}{PROBE}0123456789abcdef"
    client = site.s3_client()
    client.put_object(Bucket=BUCKET, Key=key, Body=b"left")
    try:
        found = check_only(settings, WARNING, "S3 leftovers", key)
        assert PROBE in found.fix
    finally:
        client.delete_object(Bucket=BUCKET, Key=key)


def test_unfinished_uploads(site: Site) -> None:
    settings = site.settings()
    name = BackupName("other", _some_time(), BackupClass.DAILY)
    S3Storage(settings).begin_upload(f"{settings.s3_prefix}{name.relative_path}", Path("/dev/null"))
    check_only(
        settings,
        WARNING,
        "S3 leftovers",
        f"1 unfinished upload of killed jobs: backups/{name.relative_path}",
    )
    assert S3Storage(settings).abort_leftovers("other")


def test_retention_of_s3_that_nobody_does(site: Site) -> None:
    # rclone knows no lifecycle rules, and answers all the same: nobody can say.
    settings = site.settings(S3_RETENTION="false")
    check_only(settings, UNKNOWN, "S3 retention", "S3_RETENTION is off")


def test_partial_files_of_killed_jobs(site: Site) -> None:
    settings = site.settings()
    name = BackupName(DATABASE, _some_time(), BackupClass.DAILY)
    partial = settings.backup_dir / f"{name.relative_path}.partial"
    partial.write_bytes(b"half")
    check_only(settings, WARNING, "leftovers", str(partial))


def test_others_can_look_into_the_directory(site: Site) -> None:
    settings = site.settings()
    settings.backup_dir.chmod(0o750)
    found = check_only(settings, WARNING, "backup directory", "mode 0750: its group")
    assert found.fix == f"chmod 700 {settings.backup_dir}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_directory_of_another_user(site: Site) -> None:
    settings = site.settings()
    os.chown(settings.backup_dir / "daily", 4711, 4711)
    check_only(settings, WARNING, "backup directory", "belongs to user id 4711")


def test_missing_directory(site: Site) -> None:
    _, results = diagnose(site.settings(BACKUP_DIR="/nonexistent/backups"))
    assert results["backup directory"].state is FAILED
    assert "does not exist" in results["backup directory"].found
    assert results["fresh backups"].state is FAILED
    assert results["S3 writing"].state is OK


def test_read_only_disk(site: Site) -> None:
    daily = site.settings().backup_dir / "daily"
    with mounted(daily, "--bind", "-o", "ro", str(daily)):
        check_only(site.settings(), FAILED, "backup directory", "read-only")


def test_full_disk(site: Site, tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    with mounted(full, "-t", "tmpfs", "-o", "size=64k,mode=0700", "none"):
        settings = site.settings(BACKUP_DIR=str(full))
        (full / "filler").write_bytes(bytes(60 << 10))
        _, results = diagnose(settings)
    assert results["disk"].state is FAILED
    assert "are free, the next backup needs about" in results["disk"].found
    assert "gzip check failed" in results["disk"].cause


def test_scheduler_that_went_without_a_word(site: Site) -> None:
    beat(site.settings(), timedelta(hours=3, seconds=1))
    check_only(site.settings(), FAILED, "scheduler", "not seen for 3 h on host1")


def test_schedule_that_is_paused(site: Site) -> None:
    pause(site.settings(), "moving house", None, "bob")
    check_only(site.settings(), WARNING, "scheduler", "paused by bob: moving house")


def test_scheduler_that_follows_another_schedule(site: Site) -> None:
    settings = site.settings(BACKUP_SCHEDULE="0 3 * * *")
    check_only(settings, WARNING, "scheduler", "follows '0 2 * * *' in UTC, here '0 3 * * *'")


def test_env_file_that_everybody_can_read(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(f"PGPASSWORD={site.server.password}\n")
    env_file.chmod(0o644)
    monkeypatch.setenv("PGCONSOLE_ENV_FILE", str(env_file))
    found = check_only(site.settings(), WARNING, "settings", "mode 0644 and holds passwords")
    assert site.server.password not in str(found)


def test_secret_file_that_everybody_can_read(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "password"
    path.write_text(site.server.password)
    path.chmod(0o644)
    monkeypatch.setenv("PGPASSWORD_FILE", str(path))
    check_only(site.settings(), WARNING, "settings", f"{path} has mode 0644 and holds passwords")
    path.chmod(0o600)
    assert WARNING not in diagnose(site.settings())[0]


def _some_time() -> datetime:
    return datetime(2026, 2, 25, 2, tzinfo=UTC)

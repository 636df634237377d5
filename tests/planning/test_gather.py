"""Plans on real servers: what is asked, and what becomes of it when somebody is silent."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.backups.restoring import restore
from tests.conftest import MakeSettings, create_database, drop_database
from tests.guide import guide_backup

from pgconsole import jobs, locks
from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.restore_copy import FoundCopy, find_copy
from pgconsole.backups.subjects import Place
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.errors import MissingDatabaseError, PgconsoleError
from pgconsole.planning import gather as gather_module
from pgconsole.planning.checks import Check, Outcome, refusal
from pgconsole.planning.facts import Facts
from pgconsole.planning.forecast import forecast
from pgconsole.planning.gather import gather
from pgconsole.planning.loss import Weight, sentence
from pgconsole.planning.past import past_restores
from pgconsole.planning.plan import Plan, conclude
from pgconsole.postgres.server import advisory_lock
from pgconsole.settings import Settings

EVERYTHING = Path(__file__).parents[1] / "backups" / "everything.sql"


@pytest.fixture
def settings(postgres16: PostgresServer, database: str, make_settings: MakeSettings) -> Settings:
    return make_settings(postgres16, database)


@pytest.fixture
def copy(settings: Settings) -> FoundCopy:
    """A backup of pgconsole."""
    result = run_backup(settings, BackupRequest(actor="ana"), lambda _: None)
    return find_copy(settings, Place.LOCAL, result.paths[0])


def plan(settings: Settings, copy: FoundCopy, database: str = "", counting: float = 20) -> Facts:
    return gather(settings, copy, database or settings.pgdatabase, counting=counting)


def concluded(facts: Facts) -> Plan:
    return conclude(facts, datetime.now(UTC))


def found(facts: Facts) -> dict[str, Check]:
    return {check.name: check for check in concluded(facts).checks}


def lost(facts: Facts) -> str:
    return concluded(facts).loss.text


def test_a_plan_and_the_restore_that_follows(
    settings: Settings, copy: FoundCopy, postgres16: PostgresServer
) -> None:
    """What was said to be lost is what is lost."""
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("INSERT INTO users SELECT i, 'x' FROM generate_series(1001, 1310) i")
        connection.execute("CREATE TABLE newer (at timestamptz); INSERT INTO newer VALUES (now())")
        facts = plan(settings, copy)
        assert lost(facts).startswith("Loses at least 310 rows (public.users 310) and every change")
        said = {one.name: sentence(one, settings) for one in concluded(facts).tables}
        assert said["public.users"] == (
            "public.users: 1,310 rows now, 1,000 in the backup: 310 rows fewer"
        )
        assert "stays as it is; newest row" in said["public.newer"]
        assert said["public.empty"].endswith("0 rows now, 0 in the backup: as many rows")
        told = dict(forecast(facts, datetime.now(UTC)))
        # This one; those of the plan itself don't count.
        assert told["Cuts off"].startswith("1 session connected")
        assert "an estimate from the backup of" in told["Safety"]
        every = found(facts)
        assert {check.outcome for check in every.values()} == {Outcome.PASSED}
    restore(settings, copy.location, settings.pgdatabase)
    with postgres16.connect(settings.pgdatabase) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1000,)
        assert connection.execute("SELECT count(*) FROM newer").fetchone() == (1,)


def test_everything(postgres: PostgresServer, make_settings: MakeSettings) -> None:
    """A database with all kinds of objects, its backup, and what came since; then the restore."""
    create_database(postgres, "odd", EVERYTHING.read_text())
    try:
        settings = make_settings(postgres, "odd")
        path = run_backup(settings, BackupRequest(actor="ana"), lambda _: None).paths[0]
        with postgres.connect("odd") as connection:
            connection.execute("""
                CREATE TABLE events_2026_2 PARTITION OF events_2026
                    FOR VALUES FROM ('2026-07-01') TO ('2027-01-01');
                INSERT INTO events VALUES ('2026-08-01', 'x');
                INSERT INTO spread VALUES (1000, 'x'), (1001, 'y');
                DELETE FROM users; DROP TABLE dropped_column; CREATE TABLE own (id int);
                ANALYZE
            """)
        facts = plan(settings, find_copy(settings, Place.LOCAL, path))
        assert refusal(found(facts).values()) == ""
        changes = {one.name: one.change for one in concluded(facts).tables}
        spread = (changes.pop("public.spread_0") or 0) + (changes.pop("public.spread_1") or 0)
        assert spread == -2
        assert {name: change for name, change in changes.items() if change} == {
            "public.events_2026_2": -1, "public.orders": 100, "public.users": 505,
            "public.dropped_column": 1,
        }  # fmt: skip
        restore(settings, path, "odd")
        with postgres.connect("odd") as connection:
            row = connection.execute("SELECT to_regclass('events_2026_2'), to_regclass('own')")
            assert row.fetchone() == (None, "own")
    finally:
        drop_database(postgres, "odd")


def test_without_a_manifest_the_gates_are_tried_all_the_same(
    settings: Settings, postgres16: PostgresServer
) -> None:
    taken = datetime(2026, 2, 25, 2, 0, tzinfo=UTC)
    path = guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, taken)
    facts = plan(settings, find_copy(settings, Place.LOCAL, str(path)))
    assert lost(facts).startswith("What the backup holds is not known: it has no manifest. 1,000 r")
    every = found(facts)
    assert "of PostgreSQL 16.14; it has no manifest: verify" in every["Copy"].text
    assert every["Integrity"].outcome is Outcome.UNKNOWN
    assert every["Newer objects"].outcome is Outcome.PASSED
    assert refusal(every.values()) == ""
    # A safety backup lies where no listing shows it.
    other = settings.backup_dir / "pre_restore_x.sql.gz"
    path.rename(other)
    facts = plan(settings, find_copy(settings, Place.LOCAL, str(other)))
    assert refusal(found(facts).values()) == ""


def test_a_dump_that_drops_nothing(settings: Settings, postgres16: PostgresServer) -> None:
    path = settings.backup_dir / "plain.sql.gz"
    dump = subprocess.run(
        [postgres16.bin_dir / "pg_dump", "--no-owner"], check=True, capture_output=True,
        env=postgres16.environment | {"PGDATABASE": settings.pgdatabase},
    ).stdout  # fmt: skip
    path.write_bytes(gzip.compress(dump))
    check = found(plan(settings, find_copy(settings, Place.LOCAL, str(path))))["Newer objects"]
    assert check.outcome is Outcome.FAILED
    assert "does not drop them: public." in check.text
    with pytest.raises(PgconsoleError, match="already exists"):
        restore(settings, path, settings.pgdatabase)


def test_tables_of_others_without_a_manifest(
    settings: Settings, postgres16: PostgresServer
) -> None:
    path = guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, datetime.now(UTC))
    with postgres16.connect() as admin:
        admin.execute("CREATE ROLE guest LOGIN PASSWORD 'x'")
    try:
        guest = Settings.model_validate(
            settings.environment() | {"PGUSER": "guest", "PGPASSWORD": "x"}
        )
        every = found(plan(guest, find_copy(guest, Place.LOCAL, str(path))))
        assert "User guest may not replace public.empty, public.users" in every["Compatible"].text
        assert every["Compatible"].outcome is Outcome.FAILED
    finally:
        with postgres16.connect() as admin:
            admin.execute("DROP ROLE guest")


def test_a_name_that_no_database_can_have(settings: Settings, copy: FoundCopy) -> None:
    every = found(plan(settings, copy, "../x"))
    assert every["Server"].outcome is Outcome.FAILED
    assert "../x" in every["Server"].text


def test_a_manifest_of_another_file(settings: Settings, copy: FoundCopy) -> None:
    with Path(copy.location).open("ab") as file:
        file.write(b"x")
    facts = plan(settings, find_copy(settings, Place.LOCAL, copy.location))
    assert "not as long as its manifest says" in found(facts)["Copy"].text
    assert found(facts)["Copy"].outcome is Outcome.FAILED
    assert lost(facts).startswith("What the backup holds is not known: The file is not as long")


def test_a_copy_that_was_replaced_or_is_gone(settings: Settings, copy: FoundCopy) -> None:
    os.utime(copy.location)
    assert "was replaced since it was listed" in found(plan(settings, copy))["Copy"].text
    Path(copy.location).unlink()
    assert found(plan(settings, copy))["Copy"].outcome is Outcome.FAILED


def test_a_database_that_does_not_exist(settings: Settings, copy: FoundCopy) -> None:
    facts = plan(settings, copy, 'no "such" one')
    assert isinstance(facts.target.problem, MissingDatabaseError)
    assert 'CREATE DATABASE "no ""such"" one"' in found(facts)["Server"].text
    assert concluded(facts).loss.weight is Weight.NONE
    assert {one.change for one in concluded(facts).tables} == {0, 1000}


def test_a_new_database(settings: Settings, copy: FoundCopy, postgres16: PostgresServer) -> None:
    create_database(postgres16, "fresh")
    try:
        facts = plan(settings, copy, "fresh")
        assert lost(facts) == "No rows are lost: 'fresh' has no tables"
        assert refusal(found(facts).values()) == ""
        assert "Careful" in dict(forecast(facts, datetime.now(UTC)))
    finally:
        drop_database(postgres16, "fresh")


def test_a_server_that_is_not_there(settings: Settings, copy: FoundCopy) -> None:
    nowhere = Settings.model_validate(settings.environment() | {"PGPORT": "1"})
    facts = plan(nowhere, copy)
    assert "is not reachable" in lost(facts)
    every = found(facts)
    assert every["Server"].outcome is Outcome.FAILED
    assert every["Copy"].outcome is Outcome.PASSED
    assert all(one.change is None for one in concluded(facts).tables)


def test_a_server_that_is_silent(
    copy: FoundCopy, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepts connections and never says a word; the rest is told all the same."""
    monkeypatch.setattr(gather_module, "TIMEOUT", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        facts = plan(Settings.model_validate(settings.environment() | {"PGPORT": port}), copy)
    assert found(facts)["Server"].outcome is Outcome.FAILED
    assert "did not answer within 2 s" in found(facts)["Server"].text
    assert found(facts)["Copy"].outcome is Outcome.PASSED
    assert facts.host.value is not None


def test_tables_that_are_not_counted_in_time(
    settings: Settings, copy: FoundCopy, postgres16: PostgresServer
) -> None:
    with postgres16.connect(settings.pgdatabase) as connection:
        connection.execute("ANALYZE")
        facts = plan(settings, copy, counting=0)
    (users,) = [one for one in concluded(facts).tables if one.name == "public.users"]
    assert "about 1,000 rows now (not within 0 s)" in sentence(users, settings)
    assert not users.is_certain


def test_who_works_on_the_target(settings: Settings, copy: FoundCopy) -> None:
    lock = settings.state_dir / "locks" / f"{settings.pgdatabase}.lock"
    now = datetime.now(UTC).isoformat()
    with locks.hold(lock, locks.Holder("bob", "backup", now, "here", 7)):
        check = found(plan(settings, copy))["Nobody else"]
        assert check.outcome is Outcome.FAILED
        assert "backup by bob on here" in check.text
    with advisory_lock(settings, "restore by eve on there"):
        check = found(plan(settings, copy))["Nobody else"]
        assert check.outcome is Outcome.FAILED
        assert "held by restore by eve on there" in check.text
    assert found(plan(settings, copy))["Nobody else"].outcome is Outcome.PASSED


def test_no_safety_backup_can_be_written(settings: Settings, copy: FoundCopy) -> None:
    (settings.backup_dir / "safety").write_bytes(b"")
    check = found(plan(settings, copy))["Safety backup"]
    assert check.outcome is Outcome.FAILED
    assert "is no directory" in check.text


def test_nothing_is_made_by_looking(settings: Settings, copy: FoundCopy) -> None:
    before = sorted(settings.backup_dir.rglob("*"))
    plan(settings, copy)
    assert sorted(settings.backup_dir.rglob("*")) == before


def test_past_restores_are_those_of_jobs(
    settings: Settings, copy: FoundCopy, postgres16: PostgresServer
) -> None:
    assert past_restores(settings) == ()
    from pgconsole.backups.confirmation import confirm_restore

    jobs.wait(settings, jobs.start(settings, "backup", {}, "ana"))
    request = {
        "place": "local", "location": copy.location, "database": settings.pgdatabase,
        "confirmation": confirm_restore("yes", settings, settings.pgdatabase, copy),
    }  # fmt: skip
    good = jobs.start(settings, "restore", request, "ana")  # type: ignore[arg-type]
    assert jobs.wait(settings, good).status is jobs.JobStatus.DONE
    bad = jobs.start(settings, "restore", request | {"confirmation": ""}, "ana")  # type: ignore[arg-type]
    assert jobs.wait(settings, bad).status is jobs.JobStatus.FAILED
    (one,) = past_restores(settings)
    assert one.database == settings.pgdatabase
    assert one.raw_bytes > 1000
    assert 0 < one.seconds < 120
    facts = plan(settings, copy)
    told = dict(forecast(facts, datetime.now(UTC)))
    assert told["Takes"].endswith("from 1 past restore of this database")
    assert found(facts)["Integrity"].text.startswith("proven restored")


class TestFromS3:
    @pytest.fixture
    def settings(
        self, postgres16: PostgresServer, database: str, make_settings: MakeSettings,
        s3: S3Server, s3_bucket: str,
    ) -> Settings:  # fmt: skip
        return make_settings(postgres16, database, **s3.environment(s3_bucket))

    @pytest.fixture
    def copy(self, settings: Settings) -> FoundCopy:
        result = run_backup(settings, BackupRequest(actor="ana"), lambda _: None)
        return find_copy(settings, Place.S3, result.keys[0])

    def test_the_same_facts_as_of_a_local_copy(self, settings: Settings, copy: FoundCopy) -> None:
        facts = plan(settings, copy)
        assert {one.name: one.held for one in concluded(facts).tables} == {
            "public.empty": 0, "public.users": 1000,
        }  # fmt: skip
        every = found(facts)
        assert {every[name].outcome for name in ("Copy", "Compatible", "Newer objects")} == {
            Outcome.PASSED
        }
        assert "Download" in dict(forecast(facts, datetime.now(UTC)))

    def test_a_store_that_is_gone_or_silent(
        self, settings: Settings, copy: FoundCopy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(gather_module, "TIMEOUT", 3.0)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            away = Settings.model_validate(settings.environment() | {"S3_ENDPOINT_URL": url})
            facts = plan(away, copy)
        assert found(facts)["Copy"].outcome is Outcome.FAILED
        assert "did not answer within 3 s" in found(facts)["Copy"].text
        assert found(facts)["Server"].outcome is Outcome.PASSED
        assert "1,000 rows in 2 tables now, and any of them may be lost" in lost(facts)

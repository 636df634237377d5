"""What is seen inside a backup is what PostgreSQL has; and little is read for it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import sql
from tests.backups.helpers import RICH_SCHEMA, Recorder, stored_sql
from tests.conftest import MakeSettings, create_database, drop_database
from tests.guide import guide_backup

from pgconsole.backups.backup import BackupRequest, run_backup
from pgconsole.backups.catalog import load_manifest, local_backups, s3_backups
from pgconsole.backups.export import ExportRequest, run_export
from pgconsole.backups.looking import Look, look_from_front, open_source
from pgconsole.backups.opened import TableFacts, find_backup, open_backup
from pgconsole.backups.verify import VerifyRequest, run_verify
from pgconsole.demo.servers import PostgresServer
from pgconsole.dumps.manifest import Manifest
from pgconsole.errors import Cancelled, ConfigurationError, DamagedError, StorageError
from pgconsole.report import Event
from pgconsole.settings import Settings
from pgconsole.storage.base import Place, StoredBackup

SLOT = datetime(2026, 2, 24, 2, 0, tzinfo=UTC)
MORE = r"""
CREATE TABLE nasty (id int, "a,""b" text, "\." text);
INSERT INTO nasty VALUES
    (1, '', NULL), (2, '\N', '\.'), (3, 'a,b', '"'), (4, E'\r', E'\n'),
    (5, E'\t\b\f\v\x01\x7f', '\\'),
    (6, 'é😀 [red]', E'\u202E'), (7, ' x ', repeat(E'"\\,\n', 300000)),
    (8, E'\\N', repeat('x', 1500000)),
    (9, repeat(E'\t\\', 300000), NULL);
CREATE TABLE lone (x text);
INSERT INTO lone VALUES (NULL), (''), ('\.'), (E'\n'), ('x');
CREATE TABLE noise AS SELECT i, md5(i::text) || md5(i::text || 'x') AS x
    FROM generate_series(1, 150000) i;
CREATE SCHEMA other;
CREATE TABLE other.users (id int);
INSERT INTO other.users VALUES (7);
"""
TABLES = [
    ("public", "users"), ("Mixed Case", 'Od;d "na--me"'), ("public", "empty"),
    ("public", "no_columns"), ("public", "bytes"), ("public", "nasty"), ("public", "lone"),
    ("public", "events_2025"), ("other", "users"),
]  # fmt: skip


@pytest.fixture(scope="module")
def rich(postgres16: PostgresServer) -> Iterator[str]:
    create_database(postgres16, "looked_at", RICH_SCHEMA + MORE)
    yield "looked_at"
    drop_database(postgres16, "looked_at")


@pytest.fixture
def settings(
    postgres16: PostgresServer,
    rich: str,
    make_settings: MakeSettings,
    s3_variables: dict[str, str],
) -> Settings:
    return make_settings(postgres16, rich, **s3_variables)


@pytest.fixture
def ours(settings: Settings, recorder: Recorder) -> StoredBackup:
    """A backup of pgconsole, here and in S3."""
    run_backup(settings, BackupRequest(actor="tests", slot=SLOT), recorder)
    return local_backups(settings).backups[0]


@pytest.fixture
def old(settings: Settings, postgres16: PostgresServer) -> StoredBackup:
    """A backup of the old scripts, without a manifest."""
    guide_backup(postgres16, settings.pgdatabase, settings.backup_dir, SLOT)
    return local_backups(settings).backups[0]


def look(settings: Settings, backup: StoredBackup) -> tuple[Look, Manifest]:
    manifest = load_manifest(settings, backup)
    assert manifest is not None
    return Look(open_source(settings, backup), manifest), manifest


def found(manifest: Manifest, schema: str, table: str):
    (section,) = [s for s in manifest.tables if (s.schema_name, s.table) == (schema, table)]
    return section


def by_psycopg(server: PostgresServer, database: str, schema: str, table: str) -> list[tuple]:
    """The rows as psycopg's own reader of COPY has them."""
    query = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(schema, table))
    if table == "users" and schema == "public":  # pg_dump leaves out what is generated
        query = sql.SQL("COPY users (id, name, feeling, profile) TO STDOUT")
    with server.connect(database) as connection, connection.cursor().copy(query) as copy:
        rows = list(copy.rows())
    return [() if table == "no_columns" else row for row in rows]


def test_cells_are_what_psycopg_says(
    settings: Settings, ours: StoredBackup, postgres16: PostgresServer
) -> None:
    _, manifest = look(settings, ours)
    inside = Look(open_source(settings, ours), manifest, most=1 << 30)
    for schema, table in TABLES:
        section = found(manifest, schema, table)
        wanted = by_psycopg(postgres16, settings.pgdatabase, schema, table)
        assert len(wanted) == section.rows
        cells = [
            tuple(cell if cell is None else cell.text for cell in row)
            for start in range(0, section.rows, 700)
            for row in inside.page(section, start, 700).rows
        ]
        assert cells == wanted, table
        if wanted:
            last = inside.page(section, section.rows - 1, 10)
            assert len(last.rows) == 1
            assert len(last.rows[0]) == len(section.columns)
        assert inside.page(section, section.rows, 10).rows == ()


def test_long_cells_are_cut_for_looking(settings: Settings, ours: StoredBackup) -> None:
    inside, manifest = look(settings, ours)
    rows = inside.page(found(manifest, "public", "nasty"), 6, 2).rows
    first, second = rows[0][2], rows[1][2]
    assert first is not None
    assert second is not None
    assert (len(second.text), second.rest) == (4096, 1_500_000 - 4096)
    assert first.rest > 1_000_000


def psql_csv(server: PostgresServer, database: str, table: str, path: Path) -> bytes:
    subprocess.run(
        ["psql", "-X", "-q", "-c", f"\\copy {table} to '{path}' csv header"],
        executable=server.bin_dir / "psql", check=True,
        env=server.environment | {"PGDATABASE": database},
    )  # fmt: skip
    return path.read_bytes()


SAME_AS_PSQL = {
    ("public", "users"): "users (id, name, feeling, profile)",
    ("Mixed Case", 'Od;d "na--me"'): '"Mixed Case"."Od;d ""na--me"""',
    ("public", "empty"): "empty",
    ("public", "no_columns"): "no_columns",
    ("public", "bytes"): "bytes",
    ("public", "lone"): "lone",
    ("public", "nasty"): "(select * from nasty where id < 7)",
}


@pytest.mark.parametrize("place", list(Place))
def test_csv_is_what_psql_writes(
    settings: Settings, ours: StoredBackup, postgres16: PostgresServer, tmp_path: Path, place: Place
) -> None:
    there = ours if place is Place.LOCAL else s3_backups(settings).backups[0]
    reports = Recorder()
    for number, ((schema, table), selected) in enumerate(SAME_AS_PSQL.items()):
        path = tmp_path / f"{number}.csv"
        result = run_export(settings, ExportRequest(there, f"{schema}.{table}", path), reports)
        written = path.read_bytes()
        assert result.bytes == len(written)
        wanted = psql_csv(postgres16, settings.pgdatabase, selected, tmp_path / "psql.csv")
        if table == "nasty":  # the long ones are compared below
            assert written.startswith(wanted)
        else:
            assert written == wanted
    assert reports.warnings() == []
    assert sorted(path.name for path in tmp_path.glob("*.csv*")) == sorted(
        [*(f"{number}.csv" for number in range(len(SAME_AS_PSQL))), "psql.csv"]
    )


def test_csv_goes_back_into_postgresql(
    settings: Settings, ours: StoredBackup, postgres16: PostgresServer, tmp_path: Path, recorder
) -> None:
    path = tmp_path / "nasty.csv"
    run_export(settings, ExportRequest(ours, "public.nasty", path), recorder)
    with postgres16.connect(settings.pgdatabase) as connection, connection.transaction():
        connection.execute("CREATE TEMP TABLE again (LIKE nasty)")
        with connection.cursor().copy("COPY again FROM STDIN CSV HEADER") as copy:
            copy.write(path.read_bytes())
        both = connection.execute(
            "SELECT count(*) FROM (SELECT * FROM again INTERSECT SELECT * FROM nasty) x"
        )
        assert both.fetchone() == (9,)


def test_nothing_is_overwritten_and_nothing_half_made_is_left(
    settings: Settings, ours: StoredBackup, tmp_path: Path, recorder: Recorder
) -> None:
    path = tmp_path / "out" / "noise.csv"
    path.parent.mkdir()
    request = ExportRequest(ours, "noise", path)

    def cancelling(event: Event) -> None:
        assert not path.exists()
        if event.bytes_done:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_export(settings, request, cancelling)
    assert list(path.parent.iterdir()) == []

    def racing(event: Event) -> None:
        path.write_bytes(b"theirs")

    with pytest.raises(StorageError, match="a file of this name exists"):
        run_export(settings, request, racing)
    with pytest.raises(StorageError, match="a file of this name exists"):
        run_export(settings, request, recorder)
    assert path.read_bytes() == b"theirs"
    assert list(path.parent.iterdir()) == [path]
    for wrong in (replace(request, path=Path("x.csv")), replace(request, path=path / "no" / "x")):
        with pytest.raises(ConfigurationError):
            run_export(settings, wrong, recorder)
    for table, what in (
        ("nois", "close to it are 'public.noise'"),
        ("users", "There are 2 tables"),
    ):
        with pytest.raises(ConfigurationError, match=what):
            run_export(settings, replace(request, path=tmp_path / "y", table=table), recorder)


def test_a_full_disk_leaves_nothing(
    settings: Settings, ours: StoredBackup, small_disk: Path, recorder: Recorder
) -> None:
    with pytest.raises(StorageError, match="the disk is full"):
        run_export(settings, ExportRequest(ours, "noise", small_disk / "n.csv"), recorder)
    assert list(small_disk.iterdir()) == []


def test_little_is_read_from_s3(settings: Settings, ours: StoredBackup) -> None:
    there = s3_backups(settings).backups[0]
    inside, manifest = look(settings, there)
    few = inside.page(found(manifest, "other", "users"), 0, 100)
    assert [row[0].text for row in few.rows if row[0]] == ["7"]
    assert inside.source.bytes_read < inside.source.size * 0.02
    # Rows in the middle of the large table, and paging on from them.
    noise = found(manifest, "public", "noise")
    before = inside.source.bytes_read
    assert inside.page(noise, 100_000, 50).rows[0][0] == ("100001", 0)
    read = inside.source.bytes_read - before
    assert read < inside.source.size * 0.25  # a member of 2 MiB at most
    requests = inside.source.requests
    for page in range(1, 5):
        start = 100_000 + 50 * page
        assert inside.page(noise, start, 50).rows[0][0] == (str(start + 1), 0)
    assert inside.source.requests == requests


@pytest.mark.parametrize("place", list(Place))
def test_sql_of_every_object(settings: Settings, ours: StoredBackup, place: Place) -> None:
    there = ours if place is Place.LOCAL else s3_backups(settings).backups[0]
    inside, _ = look(settings, there)
    objects = list(inside.objects())
    assert inside.source.requests < 15 < len(objects)
    texts = {(one.kind, one.full_name): "".join(inside.sql(one)) for one in objects}
    whole = stored_sql(ours.location).decode()
    for text in texts.values():
        assert text in whole
    kinds = {kind for kind, _ in texts}
    assert kinds >= {
        "beginning", "SCHEMA", "TYPE", "DOMAIN", "FUNCTION", "TABLE", "COMMENT", "VIEW", "SEQUENCE",
        "MATERIALIZED VIEW", "TABLE ATTACH", "SEQUENCE SET", "CONSTRAINT", "INDEX", "TRIGGER",
        "FK CONSTRAINT", "MATERIALIZED VIEW DATA", "BLOB", "BLOBS",
    }  # fmt: skip
    assert "TABLE DATA" not in kinds
    odd = texts["TABLE", 'Mixed Case.Od;d "na--me"']
    assert odd.count("CREATE TABLE") == 1
    assert (
        "\nCOPY public.users (id, name) FROM stdin;\n1\tx\n\\.\n"
        in texts["FUNCTION", "public.looks_like_copy()"]
    )
    assert "FROM stdin;\n" not in odd
    assert "database dump complete" not in texts["MATERIALIZED VIEW DATA", "public.counted"]


def test_every_table_has_its_sizes(settings: Settings, ours: StoredBackup) -> None:
    opened = open_backup(settings, ours)
    assert opened.problem is None
    assert opened.is_cut
    by_name = {table.name: table for table in opened.tables}
    assert by_name["public.users"].rows == 3000
    noise = by_name["public.noise"]
    assert noise.compressed_bytes is not None
    assert noise.raw_bytes > noise.compressed_bytes > ours.size * 0.5
    assert by_name["public.empty"].rows == 0
    assert [one.proof for one in opened.evidence] == ["complete"]
    assert opened.evidence[0].sha256 == opened.manifest.sha256  # type: ignore[union-attr]


def test_old_backups_are_read_from_the_front(
    settings: Settings, old: StoredBackup, postgres16: PostgresServer, tmp_path: Path
) -> None:
    opened = open_backup(settings, old)
    assert opened.manifest is None
    assert "verify the backup" in str(opened.problem)
    assert (opened.tables, opened.is_cut) == ((), False)
    source = open_source(settings, old)
    partly: list[int] = []
    manifest = look_from_front(source, old, lambda known: partly.append(len(known.tables)))
    assert partly == sorted(partly)
    assert len(manifest.tables) > 10
    inside = Look(source, manifest)
    lone = inside.page(found(manifest, "public", "lone"), 1, 2).rows
    assert [cell.text for (cell,) in lone if cell] == ["", "\\."]
    before = inside.source.bytes_read
    objects = list(inside.objects())
    assert inside.source.bytes_read - before == old.size  # read once
    (loud,) = [one for one in objects if one.full_name == "public.loud"]
    assert "CREATE VIEW public.loud" in "".join(inside.sql(loud))
    reports = Recorder()
    path = tmp_path / "lone.csv"
    run_export(settings, ExportRequest(old, "public.lone", path), reports)
    wanted = psql_csv(postgres16, settings.pgdatabase, "lone", tmp_path / "psql.csv")
    assert path.read_bytes() == wanted
    assert any("read from the front" in text for text in reports.warnings())
    # Verifying makes a manifest, which says what there is; the file stays as it is.
    run_verify(settings, VerifyRequest((old.location,), (), "tests"), reports)
    (verified,) = local_backups(settings).backups
    opened = open_backup(settings, verified)
    assert opened.problem is None
    assert not opened.is_cut
    assert {t.name: t.rows for t in opened.tables} == {
        t.name: t.rows for t in map(facts, manifest.tables)
    }


def facts(section: object) -> TableFacts:
    return TableFacts(section, 0, 0, None)  # type: ignore[arg-type]


def test_a_damaged_file_gives_what_lies_before_the_damage(
    settings: Settings, old: StoredBackup
) -> None:
    path = Path(old.location)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    known: list[Manifest] = []
    with pytest.raises(DamagedError):
        look_from_front(open_source(settings, old), old, known.append)
    assert known


def test_a_manifest_of_another_file_is_not_used(settings: Settings, ours: StoredBackup) -> None:
    with Path(ours.location).open("ab") as file:
        file.write(b"x")
    (longer,) = local_backups(settings).backups
    opened = open_backup(settings, longer)
    assert opened.manifest is None
    assert "not as long as its manifest says" in str(opened.problem)


@pytest.mark.parametrize("place", list(Place))
def test_copies_are_found_by_name_and_path(
    settings: Settings, ours: StoredBackup, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = (local_backups if place is Place.LOCAL else s3_backups)(settings).backups[0]
    name = listed.name
    for given in (name.filename, name.relative_path, listed.location):
        assert find_backup(settings, place, given) == listed
    other = replace(name, taken_at=SLOT - timedelta(days=1))
    for wrong in ("x", "/etc/passwd", other.filename, f"/elsewhere/{name.filename}", ""):
        with pytest.raises(ConfigurationError):
            find_backup(settings, place, wrong)
    if place is Place.LOCAL:
        monkeypatch.chdir(settings.backup_dir)
        assert find_backup(settings, place, f"./{name.relative_path}") == listed

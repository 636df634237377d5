"""The reader finds a table's rows again, and reads no more than it needs."""

from __future__ import annotations

import gzip
import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.dumps.helpers import BytesSource, assembled, copy_block, manifest_of, write

from pgconsole.dumps.integrity import check_dump
from pgconsole.dumps.manifest import Manifest, Section
from pgconsole.dumps.reader import DumpReader
from pgconsole.errors import DamagedError

LINES = [b"%d\t%s\n" % (i, b"x" * (i * 7919 % 97)) for i in range(150_000)]
FEW = [b"1\t\\N\n", b"2\t\\\\.\n", b"\t\n"]
DUMP, _ = assembled(
    copy_block(b"public.few", b"".join(FEW)),
    copy_block(b"public.many", b"".join(LINES)),
    copy_block(b'"S"."Empty"', b""),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Manifest]:
    """The dump in many members: the file's bytes and its manifest."""
    path = tmp_path_factory.mktemp("reader") / "dump.sql.gz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgconsole.dumps.pipeline.BLOCK_SIZE", 1 << 17)
        result = write(DUMP, path)
    return path.read_bytes(), manifest_of(result)


@pytest.fixture(scope="module")
def single() -> tuple[bytes, Manifest]:
    """The dump as the old scripts wrote it: one member, and the manifest that verifying makes."""
    data = gzip.compress(DUMP)
    checked = check_dump(BytesSource(data), None, lambda _: None)
    made = Manifest.model_validate(
        {
            "database": "test", "classes": (), "taken_at": 0, "started_at": 0, "finished_at": 0,
            "host": "", "actor": "", "server_host": "", "options": (),
            "server_version": checked.server_version, "pg_dump_version": checked.pg_dump_version,
            "raw_bytes": checked.raw_bytes, "compressed_bytes": checked.compressed_bytes,
            "sha256": checked.sha256, "sections": checked.sections,
        }
    )  # fmt: skip
    return data, made


@pytest.fixture(params=["written", "single"])
def dump(request: pytest.FixtureRequest) -> tuple[bytes, Manifest]:
    found: tuple[bytes, Manifest] = request.getfixturevalue(request.param)
    return found


def table(reader: DumpReader, schema: str | None, name: str) -> Section:
    section = reader.find_table(schema, name)
    assert section is not None
    return section


def test_all_sections_together_are_the_dump(dump: tuple[bytes, Manifest]) -> None:
    reader = DumpReader(BytesSource(dump[0]), dump[1])
    pieces = [list(reader.raw(section)) for section in reader.sections]
    assert b"".join(b"".join(section) for section in pieces) == DUMP
    assert max(len(piece) for section in pieces for piece in section) <= 1 << 18


def test_tables_are_found_by_their_unquoted_names(dump: tuple[bytes, Manifest]) -> None:
    reader = DumpReader(BytesSource(dump[0]), dump[1])
    assert table(reader, "S", "Empty").rows == 0
    assert table(reader, "public", "few").columns == ("id", "name")
    assert reader.find_table("public", "Empty") is None
    assert reader.find_table(None, "few") is None
    assert reader.find_table("public", "fe") is None


@pytest.mark.parametrize("start", [0, 1, 2, 3, 4, 10**9])
def test_few_rows_from_any_row_on(dump: tuple[bytes, Manifest], start: int) -> None:
    reader = DumpReader(BytesSource(dump[0]), dump[1])
    few = table(reader, "public", "few")
    assert b"".join(reader.rows(few, start)) == b"".join(FEW[start:])
    assert b"".join(reader.rows(table(reader, "S", "Empty"), start)) == b""


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=st.integers(0, len(LINES)))
def test_many_rows_from_any_row_on(written: tuple[bytes, Manifest], start: int) -> None:
    reader = DumpReader(BytesSource(written[0]), written[1])
    rows = b"".join(reader.rows(table(reader, "public", "many"), start))
    assert rows == b"".join(LINES[start:])


def test_rows_at_every_border_of_a_member(written: tuple[bytes, Manifest]) -> None:
    reader = DumpReader(BytesSource(written[0]), written[1])
    many = table(reader, "public", "many")
    start = 0
    for member in many.members[:-1]:
        start += member.rows
        for near in (start - 1, start, start + 1):
            first = b"".join(itertools.islice(reader.rows(many, near), 2))
            assert len(first) > 100
            assert b"".join(LINES[near : near + 20_000]).startswith(first)


def test_rows_of_a_single_member_are_found_from_the_front(single: tuple[bytes, Manifest]) -> None:
    reader = DumpReader(BytesSource(single[0]), single[1])
    many = table(reader, "public", "many")
    assert many.members == ()
    assert b"".join(reader.rows(many, 149_998)) == b"".join(LINES[-2:])


def test_only_the_members_that_are_needed_are_read(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    source = BytesSource(data)
    reader = DumpReader(source, manifest)
    assert source.bytes_read == 0

    few = table(reader, "public", "few")
    list(reader.rows(few))
    between = reader.sections[reader.sections.index(few) + 1]
    assert source.bytes_read == between.members[0].offset - few.members[0].offset

    source.bytes_read = 0
    many = table(reader, "public", "many")
    last = many.rows - many.members[-1].rows
    list(reader.rows(many, last))
    assert source.bytes_read < len(data) // 20


def test_a_manifest_of_another_file_is_refused(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    with pytest.raises(DamagedError, match=f"ends at byte {len(data) - 1} "):
        DumpReader(BytesSource(data[:-1]), manifest)


def changed(manifest: Manifest, name: str, **member: int) -> Manifest:
    """The manifest with the last member of a table changed, and its section's sums with it."""
    sections = list(manifest.sections)
    for at, section in enumerate(sections):
        if section.table == name:
            last = section.members[-1]._replace(**member)
            members = (*section.members[:-1], last)
            sections[at] = section.model_copy(
                update={
                    "members": members,
                    "rows": sum(m.rows for m in members),
                    "raw_bytes": sum(m.raw_bytes for m in members),
                }
            )
    return manifest.model_copy(update={"sections": tuple(sections)})


@pytest.mark.parametrize(
    "lie", [{"rows": 1}, {"raw_bytes": 10}, {"raw_bytes": 1 << 40}, {"raw_bytes": 0}, {"rows": -1},
            {"offset": 1}, {"offset": 1 << 40}],
    ids=str,
)  # fmt: skip
def test_a_member_that_is_not_as_the_manifest_says(
    written: tuple[bytes, Manifest], lie: dict[str, int]
) -> None:
    data, manifest = written
    lying = changed(manifest, "many", **lie)
    with pytest.raises(DamagedError):
        read_many(BytesSource(data), lying)


def read_many(source: BytesSource, manifest: Manifest) -> bytes:
    reader = DumpReader(source, manifest)
    return b"".join(reader.rows(table(reader, "public", "many")))


def test_a_bomb_is_stopped_at_the_size_that_was_promised() -> None:
    bomb = gzip.compress(bytes(64 << 20))
    dump, _ = assembled(b"")
    manifest = manifest_of_members(dump, bomb)
    reader = DumpReader(BytesSource(bomb), manifest)
    taken: list[int] = []
    with pytest.raises(DamagedError, match="more than"):
        taken.extend(len(piece) for piece in reader.raw(reader.sections[0]))
    assert sum(taken) <= len(dump)


def manifest_of_members(dump: bytes, data: bytes) -> Manifest:
    section = {"kind": "before", "raw_bytes": len(dump), "members": [(0, len(dump), 0)]}
    return Manifest.model_validate(
        {
            "database": "test", "classes": (), "taken_at": 0, "started_at": 0, "finished_at": 0,
            "host": "", "actor": "", "server_host": "", "options": (), "server_version": "",
            "pg_dump_version": "", "raw_bytes": len(dump), "compressed_bytes": len(data),
            "sha256": "", "sections": [section],
        }
    )  # fmt: skip


def test_a_manifest_survives_its_file(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    again = Manifest.model_validate_json(manifest.to_json())
    reader = DumpReader(BytesSource(data), again)
    assert b"".join(reader.rows(table(reader, "public", "few"))) == b"".join(FEW)

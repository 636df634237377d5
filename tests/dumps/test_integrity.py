"""What is damaged is found, wherever it is, and what is whole is proven with its index."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.dumps.helpers import HEADER, BytesSource, assembled, copy_block, manifest_of, write

from pgconsole.dumps.integrity import CheckedDump, check_dump
from pgconsole.dumps.manifest import Manifest, Member, SectionKind
from pgconsole.errors import Cancelled, DamagedError

ROWS = b"".join(b"%d\tname %d\n" % (i, i * 7919) for i in range(20_000))
DUMP, ENDS = assembled(
    b"CREATE TABLE t (a int);\n",
    copy_block(b"public.t", ROWS),
    copy_block(b"public.none", b""),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Manifest]:
    path = tmp_path_factory.mktemp("integrity") / "dump.sql.gz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgconsole.dumps.pipeline.BLOCK_SIZE", 1 << 16)
        result = write(DUMP, path)
    return path.read_bytes(), manifest_of(result)


def check(data: bytes, manifest: Manifest | None = None) -> CheckedDump:
    return check_dump(BytesSource(data), manifest, lambda _: None)


def test_a_whole_dump_is_proven_with_its_manifest(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    checked = check(data, manifest)
    assert checked.sections == manifest.sections
    assert checked.sha256 == manifest.sha256
    assert (checked.raw_bytes, checked.compressed_bytes) == (len(DUMP), len(data))
    assert checked.server_version == manifest.server_version
    assert checked.warnings == ()


def test_a_lost_manifest_is_made_again(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    assert check(data).sections == manifest.sections


def parts(count: int) -> bytes:
    """The dump in members that know nothing of sections, as `pigz -i` would write it."""
    size = len(DUMP) // count + 1
    return b"".join(gzip.compress(DUMP[at : at + size]) for at in range(0, len(DUMP), size))


@pytest.mark.parametrize("count", [1, 7])
def test_files_of_other_programs_are_checked(count: int) -> None:
    data = parts(count)
    checked = check(data)
    assert [(s.kind, s.rows, s.members) for s in checked.sections] == [
        (kind, 20_000 if end == ENDS[1][1] else 0, ()) for kind, end in ENDS
    ]
    assert [s.table for s in checked.sections if s.table] == ["t", "none"]

    manifest = manifest_of_checked(checked)
    assert check(data, manifest).sections == checked.sections
    with pytest.raises(DamagedError, match="SHA-256"):
        check(data, manifest.model_copy(update={"sha256": "0" * 64}))


def manifest_of_checked(checked: CheckedDump) -> Manifest:
    return Manifest.model_validate(
        {
            "database": "test", "classes": (), "taken_at": 0, "started_at": 0, "finished_at": 0,
            "host": "", "actor": "", "server_host": "", "options": (),
            "server_version": checked.server_version, "pg_dump_version": checked.pg_dump_version,
            "raw_bytes": checked.raw_bytes, "compressed_bytes": checked.compressed_bytes,
            "sha256": checked.sha256, "sections": checked.sections,
        }
    )  # fmt: skip


def test_members_without_content_are_no_damage() -> None:
    data = gzip.compress(b"") + gzip.compress(DUMP) + gzip.compress(b"")
    assert {section.members for section in check(data).sections} == {()}


def test_a_dump_without_data_in_one_member_has_an_index() -> None:
    dump, _ = assembled(b"SELECT 1;\n")
    (section,) = check(gzip.compress(dump)).sections
    assert section.members == (Member(0, len(dump), 0),)


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_no_flipped_bit_passes(written: tuple[bytes, Manifest], place: float, bit: int) -> None:
    data, manifest = written
    at = int(place * len(data))
    flipped = bytearray(data)
    flipped[at] ^= 1 << bit
    with pytest.raises(DamagedError):
        check(bytes(flipped), manifest)


def test_damage_is_located(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    members = [member for section in manifest.sections for member in section.members]
    victim = members[len(members) // 2]
    flipped = bytearray(data)
    flipped[victim.offset + 200] ^= 1
    for known in (manifest, None):
        with pytest.raises(DamagedError, match=f"byte {victim.offset} "):
            check(bytes(flipped), known)


@pytest.mark.parametrize("share", [0, 0.3, 0.5, 0.99])
def test_a_cut_off_file_is_damaged(written: tuple[bytes, Manifest], share: float) -> None:
    data, manifest = written
    short = data[: int(share * len(data))]
    with pytest.raises(DamagedError, match=f"ends at byte {len(short)} "):
        check(short, manifest)
    for whole in (data, gzip.compress(DUMP)):
        with pytest.raises(DamagedError, match=r"byte \d+"):
            check(whole[: int(share * len(whole))])


def test_a_file_cut_off_between_two_members_is_damaged(written: tuple[bytes, Manifest]) -> None:
    """A valid gzip file of half a dump, which `gzip -t` accepts."""
    data, manifest = written
    for section in manifest.sections[1:]:
        for member in section.members:
            with pytest.raises(DamagedError, match=r"cut off.*byte \d+"):
                check(data[: member.offset])


NO_DUMPS = {
    "empty": b"",
    "plain text": DUMP,
    "gzip of nothing": gzip.compress(b""),
    "gzip of text": gzip.compress(b"hello\n"),
    "gzip of half a dump": gzip.compress(DUMP[: len(DUMP) // 2]),
    "gzip of a header": gzip.compress(HEADER),
    "bytes behind the dump": gzip.compress(DUMP) + b"\0" * 512,
    "text behind the dump": gzip.compress(DUMP) + b"hello",
    "two dumps": gzip.compress(DUMP[: ENDS[1][1]]) + gzip.compress(DUMP[: ENDS[1][1]]),
}


@pytest.mark.parametrize("data", NO_DUMPS.values(), ids=NO_DUMPS)
def test_what_is_no_dump_is_damaged(data: bytes) -> None:
    with pytest.raises(DamagedError, match=r"byte \d+|no dump"):
        check(data)


def test_rows_that_end_early_are_found_by_their_hash(tmp_path: Path) -> None:
    """The manifest of one dump beside another of the same shape."""
    paths = []
    for name, row in (("a", b"1\tx\n"), ("b", b"1\ty\n")):
        dump, _ = assembled(copy_block(b"public.t", row * 100))
        paths.append((tmp_path / name, write(dump, tmp_path / name)))
    (_, one), (path, _) = paths
    with pytest.raises(DamagedError):
        check(path.read_bytes(), manifest_of(one))


@pytest.mark.parametrize(
    ("field", "value"),
    [("table", "other"), ("schema_name", None), ("columns", ("x",)), ("copy_statement", "COPY;")],
)
def test_a_manifest_that_names_another_table_is_refused(
    written: tuple[bytes, Manifest], field: str, value: object
) -> None:
    data, manifest = written
    before, rows, *rest = manifest.sections
    renamed = (before, rows.model_copy(update={field: value}), *rest)
    with pytest.raises(DamagedError, match="manifest is not of this file"):
        check(data, manifest.model_copy(update={"sections": renamed}))


def test_a_manifest_that_counts_rows_elsewhere_is_refused(
    written: tuple[bytes, Manifest],
) -> None:
    """One row too many in one member, one too few in the next: the sums are right."""
    data, manifest = written
    before, rows, *rest = manifest.sections
    one, two, *more = rows.members
    moved = (one._replace(rows=one.rows + 1), two._replace(rows=two.rows - 1), *more)
    sections = (before, rows.model_copy(update={"members": moved}), *rest)
    with pytest.raises(DamagedError, match=f"byte {one.offset} .*{one.rows} lines"):
        check(data, manifest.model_copy(update={"sections": sections}))


def test_a_member_without_content_makes_the_file_uncut(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    for at in (0, manifest.sections[1].members[1].offset, len(data)):
        with_empty = data[:at] + gzip.compress(b"") + data[at:]
        assert {section.members for section in check(with_empty).sections} == {()}


def test_a_manifest_that_overlooks_a_member_is_refused(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    longer = data + gzip.compress(b"")
    known = manifest.model_copy(update={"compressed_bytes": len(longer)})
    with pytest.raises(DamagedError, match="something follows its end"):
        check(longer, known)


@pytest.mark.parametrize("change", [{"rows": 19_999}, {"raw_bytes": 5}, {"members": ()}], ids=str)
def test_a_manifest_that_contradicts_itself_is_refused(
    written: tuple[bytes, Manifest], change: dict[str, object]
) -> None:
    data, manifest = written
    before, rows, *rest = manifest.sections
    sections = (before, rows.model_copy(update=change), *rest)
    with pytest.raises(DamagedError, match="members of t don't make up"):
        check(data, manifest.model_copy(update={"sections": sections}))


@pytest.mark.parametrize(("at", "kind"), [(0, "between"), (2, "after"), (-1, "between")])
def test_a_manifest_that_takes_sections_for_others_is_refused(
    written: tuple[bytes, Manifest], at: int, kind: str
) -> None:
    data, manifest = written
    sections = list(manifest.sections)
    sections[at] = sections[at].model_copy(update={"kind": SectionKind(kind)})
    with pytest.raises(DamagedError, match="manifest is not of this file"):
        check(data, manifest.model_copy(update={"sections": tuple(sections)}))


def test_a_manifest_leaves_no_byte_out(written: tuple[bytes, Manifest]) -> None:
    data, manifest = written
    before, *rest = manifest.sections
    late = before.members[0]._replace(offset=1)
    sections = (before.model_copy(update={"members": (late,)}), *rest)
    with pytest.raises(DamagedError, match="byte 0"):
        check(data, manifest.model_copy(update={"sections": sections}))


def test_progress_is_told_and_may_cancel(written: tuple[bytes, Manifest]) -> None:
    def refuse(_: int) -> None:
        raise Cancelled

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pgconsole.dumps.integrity._PROGRESS_EVERY", 0.0)
        for manifest in (written[1], None):
            seen: list[int] = []
            check_dump(BytesSource(written[0]), manifest, seen.append)
            assert seen == sorted(seen)
            assert seen[-1] == len(written[0])
            with pytest.raises(Cancelled):
                check_dump(BytesSource(written[0]), manifest, refuse)


@pytest.mark.parametrize("kept", [True, False], ids=["with manifest", "without"])
def test_what_must_not_be_restored_is_told(tmp_path: Path, kept: bool) -> None:
    extensions = (
        b"CREATE EXTENSION IF NOT EXISTS hstore WITH SCHEMA public;\n"
        b'CREATE EXTENSION "uuid-ossp";\n'
    )
    sql = (
        b"\\! touch x\nCOMMIT AND CHAIN;\nSET client_encoding = 'GBK';\n"
        b"CREATE FUNCTION public.begin() RETURNS int LANGUAGE sql AS $$select 1$$;\n"
    )
    dump, _ = assembled(extensions, b"\\restrict abcDEF123\n" * 150, sql)
    path = tmp_path / "dump.sql.gz"
    manifest = manifest_of(write(dump, path))
    checked = check(path.read_bytes(), manifest if kept else None)

    assert [c.text for c in checked.commands if not c.from_pg_dump] == ["\\! touch x"]
    assert [f.text for f in checked.foreigners] == [
        "COMMIT AND CHAIN;",
        "SET client_encoding = 'GBK';",
    ]
    assert [f.offset for f in checked.foreigners] == [
        dump.index(b"COMMIT AND"), dump.index(b"SET client_encoding = 'GBK'"),
    ]  # fmt: skip
    assert checked.extensions == ("hstore", "uuid-ossp")
    assert checked.misread_at == dump.index(b"begin()")

"""The scanner finds COPY data where psql would read it, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dumps import strategies
from tests.dumps.helpers import (
    HEADER,
    TRAILER,
    Piece,
    assembled,
    copy_block,
    ends_of,
    scanned,
)

from pgconsole.dumps.manifest import SectionKind
from pgconsole.errors import DamagedError

LIKE_DATA = b"COPY x FROM stdin;\n1\n\\.\n\n"
NO_DATA = {
    "dollar quote": b"CREATE FUNCTION f() AS $$" + LIKE_DATA + b"$$;",
    "dollar quote with tag": b"DO $body$ $$ " + LIKE_DATA + b" $b$ $body $body$;",
    "dollar quotes in a row": b"SELECT $a$'$a$" + b"$b$" + LIKE_DATA + b"$b$;",
    "dollar within a name": b"SELECT a$b$c, '" + LIKE_DATA + b"$c$';",
    "string": b"COMMENT ON TABLE t IS '''" + LIKE_DATA + b"''';",
    "string that ends in a backslash": b"SELECT '\\', '" + LIKE_DATA + b"';",
    "escape string": b"SELECT E'\\'" + LIKE_DATA.replace(b"\\", b"\\\\") + b"\\\\', e'''\\'';",
    "escape string as a first word": b"CREATE E'\\';\nCOPY x FROM stdin;\n';",
    "name that ends in e": b"SELECT tale'\\', '" + LIKE_DATA + b"';",
    "bit string": b"SELECT B'0', x'\\', '" + LIKE_DATA + b"';",
    "unicode string": b"SELECT U&'\\', '" + LIKE_DATA + b"';",
    "quoted name": b'CREATE TABLE "' + LIKE_DATA + b'"" (id int)";',
    "nested comment": b"/* /* */ " + LIKE_DATA + b" /**/ */ /*/ */ */ SELECT 1;",
    "parentheses": b"CREATE RULE r AS ON INSERT TO t DO (DELETE FROM x;\nCOPY x FROM stdin;\n);",
    "statement body": b"CREATE OR REPLACE FUNCTION f() LANGUAGE sql BEGIN ATOMIC\n"
    b" SELECT CASE 1 WHEN 1 THEN 2 END;\nCOPY x FROM stdin;\nEND;",
    "procedure body": b"create procedure p() begin\natomic select 1;\nCOPY x FROM stdin;\nend;",
    "line comment": b"-- COPY x FROM stdin;\nSELECT 1;",
    "a column named copy": b"ALTER TABLE t ADD\nCOPY x FROM stdin;",
    "reading a file": b"COPY t FROM '/tmp/FROM stdin';",
    "writing": b"COPY t TO stdout;",
}


@pytest.mark.parametrize("sql", NO_DATA.values(), ids=NO_DATA)
def test_what_looks_like_data_is_none(sql: bytes) -> None:
    dump, ends = assembled(sql + b"\n", copy_block(b"public.t", b"1\n"))

    for size in (1, 2, 3, 7, len(dump)):
        assert ends_of(scanned(dump, [size])[1]) == ends


STATEMENTS = {
    b"COPY public.t (a, b) FROM stdin;": ("public", "t", ("a", "b")),
    b"COPY t (a) FROM stdin;": (None, "t", ("a",)),
    b"COPY public.t  FROM stdin;": ("public", "t", ()),
    b'COPY "S ""1""\n"."T;" ("a,b", "c)", d) FROM stdin;': ('S "1"\n', "T;", ("a,b", "c)", "d")),
    b'COPY public."FROM stdin" (id) FROM stdin;': ("public", "FROM stdin", ("id",)),
    b"COPY public.t$1 (\xc3\xbc) FROM stdin;": ("public", "t$1", ("ü",)),
    b"copy Public.T(A) from STDIN;": ("public", "t", ("a",)),
    b"COPY public.t (a) WITH OIDS FROM stdin;": (None, None, ()),
    b"COPY public.t /* x */ FROM stdin WITH (FORMAT csv);": (None, None, ()),
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_names_are_read_from_the_copy_statement(statement: bytes) -> None:
    block: list[Piece] = [
        (SectionKind.BETWEEN, statement + b"\n"),
        (SectionKind.DATA, b"1\n\\.\n"),
    ]
    dump, ends = assembled(block)
    _, boundaries = scanned(dump)

    assert ends_of(boundaries) == ends
    copy = boundaries[1].copy
    assert copy is not None
    assert (copy.schema, copy.table, copy.columns) == STATEMENTS[statement]
    assert copy.text == statement.decode()


def test_names_are_decoded_as_the_dump_says() -> None:
    sql = b"SET client_encoding = 'WIN1252';\n"
    dump, _ = assembled(sql, copy_block("public.grün€".encode("cp1252"), b""))
    copy = scanned(dump)[1][1].copy
    assert copy is not None
    assert copy.name == "public.grün€"


@pytest.mark.parametrize(
    "rows",
    [b"", b"\n", b"\n\n", b"\\\\.\n", b"\\\\N\n.\n", b"a\\\\\n.\n", b"\\N\t\\N\n" * 5],
    ids=repr,
)
def test_rows_end_only_with_the_marker(rows: bytes) -> None:
    dump, ends = assembled(copy_block(b"public.t", rows), copy_block(b"public.u", rows))
    for size in (1, 2, 3, 5, 64):
        assert ends_of(scanned(dump, [size])[1]) == ends


def test_rows_end_where_psql_ends_them_on_windows_too() -> None:
    block: list[Piece] = [
        (SectionKind.BETWEEN, b"COPY t FROM stdin;\r\n"),
        (SectionKind.DATA, b"1\r\n\\.\r\n"),
    ]
    dump, ends = assembled(block)
    for size in (1, 2, 3, 5, 64):
        assert ends_of(scanned(dump, [size])[1]) == ends


def test_a_dump_without_data_is_one_section() -> None:
    dump, _ = assembled(b"CREATE TABLE t (a int);\n")
    assert ends_of(scanned(dump)[1]) == [(SectionKind.BEFORE, len(dump))]


def test_header_and_commands_are_read() -> None:
    scanner, _ = scanned(assembled(b"SELECT 1;\n")[0], [5])
    assert scanner.notes.server_version == "18.4 (Debian 18.4-1)"
    assert scanner.notes.pg_dump_version == "18.4"
    assert [(c.text, c.from_pg_dump) for c in scanner.notes.commands] == [
        ("\\restrict abcDEF123", True),
        ("\\unrestrict abcDEF123", True),
    ]


@pytest.mark.parametrize(
    "command", [b"\\! touch /tmp/x", b"\\restrict", b"\\restrict a \\! x", b"\\connect other"]
)
def test_foreign_commands_are_noticed_outside_quotes_only(command: bytes) -> None:
    quoted = b"SELECT '\n" + command + b"\n', $$\n" + command + b"\n$$;\n"
    quoted += b"/*\n" + command + b"\n*/\n"
    block = copy_block(b"t", command.replace(b"\\", b"\\\\") + b"\n")
    harmless, _ = assembled(quoted, block)
    assert all(c.from_pg_dump for c in scanned(harmless)[0].notes.commands)

    dump, _ = assembled(quoted, command + b"\n", block)
    foreign = [c for c in scanned(dump, [3])[0].notes.commands if not c.from_pg_dump]
    assert [(c.text, dump[c.offset :].startswith(command)) for c in foreign] == [
        (command.decode(), True)
    ]


def test_a_name_that_psql_takes_for_a_body_is_noticed_and_not_misread() -> None:
    sql = b"CREATE FUNCTION public.begin() RETURNS int LANGUAGE sql AS $$select 1$$;\n"
    dump, ends = assembled(sql, copy_block(b"public.t", b"1\n"))
    scanner, boundaries = scanned(dump, [4])
    assert ends_of(boundaries) == ends
    assert f"at byte {dump.index(b'begin')} " in scanner.warnings()[0]
    assert not scanned(assembled(NO_DATA["statement body"])[0])[0].warnings()


TRAILING = {
    "cut in the comment": TRAILER[:30],
    "in a string": b"SELECT '" + TRAILER + b"';\n",
    "in a string that is open": b"SELECT '" + TRAILER,
    "in a comment": b"/*" + TRAILER + b"*/\n",
    "in an open comment": b"/*" + TRAILER,
    "in a statement": b"SELECT 1" + TRAILER,
    "as rows": b"COPY t FROM stdin;\n" + TRAILER,
    "after the marker of rows": b"COPY t FROM stdin;\n\\.",
}


@pytest.mark.parametrize("end", TRAILING.values(), ids=TRAILING)
def test_only_a_real_trailer_completes_a_dump(end: bytes) -> None:
    for size in (1, 1000):
        with pytest.raises(DamagedError, match=f"byte {len(HEADER + end)} "):
            scanned(HEADER + end, [size])


@pytest.mark.parametrize("more", [b"SELECT 1;\n", b"\\! rm\n", b"COPY t FROM stdin;\n\\.\n"])
def test_nothing_follows_the_trailer(more: bytes) -> None:
    dump, _ = assembled()
    for behind in (b"", HEADER + TRAILER):  # not even what ends as a dump does
        for size in (1, 1000):
            with pytest.raises(DamagedError, match=f"follows .* byte {len(dump)} "):
                scanned(dump + more + behind, [size])


def test_the_end_of_another_dump_is_none() -> None:
    dump, _ = assembled(copy_block(b"t", b"1\n"))
    other = TRAILER.replace(b"abcDEF123", b"abcDEF124")
    end = dump.removesuffix(TRAILER) + other
    at = end.index(b"\\unrestrict")
    with pytest.raises(DamagedError, match=f"key at byte {at} "):
        scanned(end)
    with pytest.raises(DamagedError, match="unrestrict, is missing at byte"):
        scanned(dump[: dump.index(b"\\unrestrict")])
    without_keys = dump.replace(b"\\restrict abcDEF123\n", b"").split(b"\\unrestrict")[0]
    scanned(without_keys)  # as older versions of pg_dump wrote it


@pytest.mark.parametrize("text", [b"", b"hello\n", TRAILER, b"SELECT 1;\n" + HEADER + TRAILER])
def test_what_pg_dump_did_not_write_is_refused(text: bytes) -> None:
    with pytest.raises(DamagedError, match="no dump of pg_dump"):
        scanned(text)


def test_text_behind_a_copy_statement_is_refused() -> None:
    dump, _ = assembled(b"COPY t FROM stdin; SELECT 1;\n1\n\\.\n")
    with pytest.raises(DamagedError, match=f"byte {len(HEADER) + 19} "):
        scanned(dump)


@pytest.mark.parametrize(
    "sql", [b"COPY t (" + b"a" * (2 << 20), b"x" * (3 << 20), b"-" * (3 << 20)]
)
def test_endless_tokens_do_not_fill_the_memory(sql: bytes) -> None:
    with pytest.raises(DamagedError, match="1 MiB"):
        scanned(sql, [1 << 16])


@pytest.mark.parametrize("opener", [b"$$", b"$a$", b"$_$"])
def test_a_quote_may_hold_a_megabyte_without_a_blank(opener: bytes) -> None:
    body = opener + b"aGVsbG8$x1" * (3 << 17) + opener
    dump, ends = assembled(b"DO " + body + b";\n", copy_block(b"public.t", b"1\n"))
    for size in (1 << 16, 100_003):
        assert ends_of(scanned(dump, [size])[1]) == ends


def test_an_escaped_semicolon_is_foreign() -> None:
    # The server would see two statements, and psql would read rows for the second.
    dump, _ = assembled(b"SELECT 1\\;COPY t FROM stdin;\n")
    assert [c.text for c in scanned(dump)[0].notes.commands if not c.from_pg_dump] == ["\\;"]


@given(strategies.dumps, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_sections_of_any_dump_in_any_chunks(
    made: tuple[bytes, list[tuple[SectionKind, int]]], sizes: list[int]
) -> None:
    dump, ends = made
    whole, boundaries = scanned(dump)
    assert ends_of(boundaries) == ends
    assert not whole.warnings()

    scanner, in_chunks = scanned(dump, sizes)
    assert in_chunks == boundaries
    assert scanner.notes.commands == whole.notes.commands


@given(strategies.texts, st.integers(1, 40))
def test_backslashes_escape_while_standard_strings_are_off(text: str, size: int) -> None:
    dump, ends = strategies.with_standard_strings_off(text)
    assert ends_of(scanned(dump, [size])[1]) == ends

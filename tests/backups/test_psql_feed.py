"""What psql is fed of a dump: all of it but a few places, and nothing that was not scanned."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.dumps import strategies
from tests.dumps.helpers import HEADER, TRAILER, assembled, copy_block

from pgconsole.backups.psql_feed import Feed, Inherited
from pgconsole.backups.script_log import advice, complaint
from pgconsole.dumps.created import Created
from pgconsole.dumps.manifest import SectionKind
from pgconsole.errors import DamagedError, RefusedError

OWN = (b"\\restrict abcDEF123", b"\\unrestrict abcDEF123")


def fed(dump: bytes, sizes: list[int] | None = None, inherited: Inherited = frozenset()) -> bytes:
    """What comes out of a feed that gets the dump in pieces of these sizes, over and over."""
    return run(Feed(inherited), dump, sizes)


def run(
    feed: Feed, dump: bytes, sizes: list[int] | None = None, handed: bytearray | None = None
) -> bytes:
    """The same with a feed of the test's own. What comes out is added to `handed` as it comes."""
    handed = bytearray() if handed is None else handed
    pos = turn = 0
    while pos < len(dump):
        size = sizes[turn % len(sizes)] if sizes else len(dump)
        for piece in feed.pieces(dump[pos : pos + size]):
            handed += piece.data
        pos += size
        turn += 1
    for piece in feed.finish():
        handed += piece.data
    return bytes(handed)


def without_own(dump: bytes) -> bytes:
    for line in OWN:
        dump = dump.replace(line, b"")
    return dump


def test_large_objects_do_not_end_the_transaction() -> None:
    sql = b"BEGIN;\n\nSELECT pg_catalog.lowrite(0, 'BEGIN;\nCOMMIT;');\n\nCOMMIT;\n\n"
    dump, _ = assembled(sql, copy_block(b"public.t", b"COMMIT;\n"))
    expected = without_own(dump).replace(sql, sql[6:-9] + sql[-2:])
    for size in (1, 3, len(dump)):
        assert fed(dump, [size]) == expected


EDITED = [
    (
        "SELECT a[1:n], b::int, c := 2, ':x', $$:x$$, \":x\";",
        "SELECT a[1\\:n], b::int, c := 2, ':x', $$:x$$, \":x\";",
    ),
    (
        'SELECT a["USER":"HOST"], a[:x], a[x:], a[:];',
        'SELECT a["USER"\\:"HOST"], a[\\:x], a[x:], a[:];',
    ),
    (
        "SELECT a[1:'2'::int], a[:(1)], a::::b, :{?x};",
        "SELECT a[1\\:'2'::int], a[:(1)], a::::b, \\:{?x};",
    ),
    (
        "CREATE FUNCTION s.begin() RETURNS int LANGUAGE sql AS '1';",
        "CREATE FUNCTION s.\"begin\"() RETURNS int LANGUAGE sql AS '1';",
    ),
    (
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT t.begin FROM t; END;",
        'CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT t."begin" FROM t; END;',
    ),
    ("CREATE VIEW v AS SELECT begin FROM t;", "CREATE VIEW v AS SELECT begin FROM t;"),
]


@pytest.mark.parametrize(("sql", "expected"), EDITED)
def test_psql_reads_what_pg_dump_wrote(sql: str, expected: str) -> None:
    dump, _ = assembled(sql.encode() + b"\n", copy_block(b"public.t", sql.encode() + b"\n"))
    wanted = without_own(dump).replace(sql.encode(), expected.encode(), 1)
    for size in (1, 2, 7, len(dump)):
        assert fed(dump, [size]) == wanted


def test_drops_that_postgresql_refuses_are_left_out() -> None:
    drop = b'ALTER TABLE IF EXISTS ONLY public."P\n1" DROP CONSTRAINT IF EXISTS p_pkey;'
    other = b"ALTER TABLE IF EXISTS ONLY public.p2 DROP CONSTRAINT IF EXISTS p_pkey;"
    dump, _ = assembled(drop + b"\n" + other + b"\n")
    inherited = frozenset({("public", "P\n1", "p_pkey"), ("other", "p2", "p_pkey")})
    assert fed(dump, inherited=inherited) == without_own(dump).replace(drop, b"\n")


@given(strategies.dumps, st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_any_dump_in_any_pieces(
    made: tuple[bytes, list[tuple[SectionKind, int]]], sizes: list[int]
) -> None:
    dump, _ = made
    whole, pieces = Feed(), Feed()
    try:
        handed = run(whole, dump)
    except RefusedError as error:  # what pg_dump does not write, such as a string in two parts
        with pytest.raises(RefusedError, match=re.escape(str(error))):
            run(pieces, dump, sizes)
        return
    assert run(pieces, dump, sizes) == handed
    assert pieces.objects == whole.objects
    # Nothing but what is known is left out, and lines keep their numbers.
    assert handed.count(b"\n") == dump.count(b"\n")
    assert len(handed) >= len(without_own(dump))


COMMANDS = {
    "alone": b"\\! touch x\n",
    "behind a comment": b"/* x */ \\! touch x\n",
    "behind a line comment": b"-- x\n\\! touch x\n",
    "after a semicolon": b"SELECT 1; \\! touch x\n",
    "in the middle of a line": b"SELECT 1 \\! touch x\n + 1;\n",
    "copy from a program": b"\\copy t from program 'touch x'\n",
    "output": b"\\o x\n",
    "output to a command": b"\\o |touch x\n",
    "include": b"\\i /etc/passwd\n",
    "include here": b"\\ir x\n",
    "send to a command": b"SELECT 1 \\g |touch x\n",
    "execute what a query says": b"SELECT 'x' \\gexec\n",
    "set a variable": b"\\set x `touch x`\n",
    "after a fake unrestrict": b"\\unrestrict abcDEF123\n\\! touch x\n",
    "after another restrict": b"\\restrict x\n\\unrestrict x\n\\! touch x\n",
    "semicolon that is none": b"SELECT 1\\; COMMIT;\n",
    "colon that is none": b"SELECT 1\\:: int;\n",
    "connect": b"\\connect other\n",
    "after a hundred harmless ones": b"\\restrict x\n\\unrestrict x\n" * 60 + b"\\! touch x\n",
    "behind a long key": b"\\restrict " + b"k" * 190 + b" \\! touch x\n",
    "behind many spaces": b"\\restrict k" + b" " * 190 + b"\\! touch x\n",
    "behind rows that end early": b"COPY t FROM stdin;\n1\n\\.\n\\! touch x\n",
}


@pytest.mark.parametrize("sql", COMMANDS.values(), ids=COMMANDS)
def test_commands_are_refused_before_they_are_handed_over(sql: bytes) -> None:
    dump = HEADER + sql + TRAILER
    for size in (1, 10, len(dump)):
        handed = bytearray()
        with pytest.raises(RefusedError, match=r"at byte \d+ of the uncompressed dump"):
            run(Feed(), dump, [size], handed)
        assert b"touch" not in handed
        assert b"\\" not in handed.replace(b"\\.", b"")


FOREIGN = {
    "commit that chains": b"COMMIT AND CHAIN;\n",
    "commit with a comment": b"COMMIT /* */;\n",
    "rollback": b"rollback;\n",
    "end": b"END;\n",
    "start": b"START TRANSACTION;\n",
    "prepared": b"PREPARE TRANSACTION 'x';\n",
    "savepoint": b"/* */ SAVEPOINT x;\n",
    "copy from a program": b"COPY t FROM PROGRAM 'touch x';\n",
    "copy from a file": b"COPY t FROM '/etc/passwd';\n",
    "copy to a file": b"COPY t TO '/x';\n",
    "copy in another form": b"COPY t FROM stdin WITH (FORMAT binary);\nx\n\\.\n",
    "strings glued together": b"SELECT E'a'\r'b\\'; SELECT '\n\\! touch x --';\n",
    "glued in the next line": b"SELECT E'a'\n  '\\''; COMMIT AND CHAIN; --'\n;\n",
    "glued behind a comment": b"SELECT E'a' -- x\n -- y\n'\\''; COMMIT AND CHAIN; --'\n;\n",
    "an encoding that hides quotes": b"SET client_encoding = 'SJIS';\n",
    "by its other name": b"SET client_encoding TO 'Shift_JIS';\n",
    "by a number": b"SET client_encoding = 'win950';\n",
    "in more characters": b"SET client_encoding = 'S-J-I-S';\n",
    "the default encoding": b"SET client_encoding TO DEFAULT;\n",
    "names": b"SET NAMES 'SJIS';\n",
    "a setting in quotes": b"SET LOCAL \"client_encoding\" = 'UTF8';\n",
    "a setting in code": b"SET U&\"client\\005fencoding\" = 'UTF8';\n",
    "a setting behind a comment": b"SET SESSION /* */ client_encoding = 'UTF8';\n",
    "half an off": b"SET standard_conforming_strings TO of;\n",
    "the default strings": b"SET standard_conforming_strings TO DEFAULT;\n",
    "reset": b"RESET ALL;\n",
}


@pytest.mark.parametrize("sql", FOREIGN.values(), ids=FOREIGN)
def test_what_pg_dump_does_not_write_is_refused(sql: bytes) -> None:
    before = HEADER + b"CREATE TABLE t (a int);\n"
    for size in (1, 1000):
        with pytest.raises(RefusedError, match=r"at byte \d+ .*, "):
            fed(before + sql + TRAILER, [size])


HARMLESS = {
    "settings": b"SET default_tablespace = '';\nSET xmloption = content;\n",
    "their forms": b"SET LOCAL search_path TO a, \"b\";\nSET SESSION AUTHORIZATION 'x';\n",
    "strings": b"SET standard_conforming_strings = off;\nSET standard_conforming_strings = on;\n",
    "encodings": b"SET client_encoding = 'EUC_JIS_2004';\nSET client_encoding = 'SQL_ASCII';\n",
    "strings on one line": b"SELECT 'it''s', E'a' 'b', 'a' /* \n */ 'b', 'a',\n'b', 'a' ||\n'b';\n",
    "a string and more lines": b"SELECT 'a' -- '\n AS x;\n-- x\nSELECT 'b';\n'c';\n",
}


@pytest.mark.parametrize("sql", HARMLESS.values(), ids=HARMLESS)
def test_what_can_be_followed_is_let_through(sql: bytes) -> None:
    dump = HEADER + sql + TRAILER
    for size in (1, 1000):
        assert fed(dump, [size]) == without_own(dump)


@pytest.mark.parametrize("at", [b"SELECT 'a\0", b"-- a\0", b"COPY t FROM stdin;\n1\0\n\\.\n"])
def test_a_byte_of_zero_is_refused(at: bytes) -> None:
    """psql reads lines as C strings: what follows it on the line would be another text for psql."""
    with pytest.raises(DamagedError, match=f"byte {len(HEADER) + at.index(0)} "):
        fed(HEADER + at + b"\n" + TRAILER)


def test_long_statements_are_not_held_whole() -> None:
    feed = Feed()
    literal = b"SELECT '" + b"x" * (5 << 20) + b"';\n"
    handed = 0
    for pos in range(0, len(literal), 1 << 18):
        handed += sum(len(piece.data) for piece in feed.pieces(literal[pos : pos + (1 << 18)]))
    assert feed.scanner.offset - handed < 1 << 21
    assert run(Feed(), HEADER + literal + TRAILER, [1 << 18]) == without_own(
        HEADER + literal + TRAILER
    )


def test_the_place_of_an_error_is_found() -> None:
    sql = (
        b"CREATE TABLE t (\n    a int\n);\n\n\n"
        b"ALTER TABLE ONLY t\n    ADD CONSTRAINT c CHECK (a > 0);\n"
    )
    dump, _ = assembled(sql, copy_block(b"public.t", b"1\n2\n3\n"))
    feed = Feed()
    run(feed, dump, [5])
    lines = dump.split(b"\n")

    line = lines.index(b"    ADD CONSTRAINT c CHECK (a > 0);") + 1
    place = feed.log.place(line, None)
    assert place == (line, "ALTER TABLE ONLY t ADD CONSTRAINT c CHECK (a > 0);")

    copy = lines.index(b"COPY public.t (id, name) FROM stdin;") + 1
    place = feed.log.place(copy + 4, 2)  # psql says the line of the end of the rows
    assert place == (copy + 2, "COPY public.t (id, name) FROM stdin;")


def test_the_words_of_psql_are_understood() -> None:
    said = complaint(
        [
            "psql:<stdin>:7: NOTICE:  nothing",
            "psql:<stdin>:12: ERROR:  invalid input syntax for type integer: \"x\"",
            "CONTEXT:  COPY t, line 5, column id: \"x\"",
        ]
    )  # fmt: skip
    assert (said.line, said.row) == (12, 5)
    assert said.words.startswith("invalid input syntax")
    assert "column id" in said.words
    assert complaint([]) == (None, "it gave no reason", None)
    assert "superuser" in advice("ERROR: permission denied for table t")


def test_what_is_made_is_read_from_the_statements() -> None:
    sql = (
        b"-- Name: forged; Type: TABLE; Schema: public; Owner: -\n"
        b'CREATE UNLOGGED TABLE public."T ""1""" (\n a int\n);\n'
        b"CREATE UNIQUE INDEX \"a ON b\" ON ONLY s.t USING btree (x);\n"
        b"CREATE CONSTRAINT TRIGGER later AFTER INSERT ON s.t EXECUTE FUNCTION f();\n"
        b"CREATE TYPE public.shell;\n"
        b"SELECT pg_catalog.lo_create('42');\n"
        b"ALTER TABLE s.t ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (\n"
        b"    SEQUENCE NAME s.t_id_seq\n);\n"
    )  # fmt: skip
    feed = Feed()
    run(feed, assembled(sql)[0])
    assert feed.objects == [
        Created("table", "public", 'T "1"'),
        Created("index", "s", "a ON b"),
        Created("trigger", "s", "t.later"),
        Created("large object", "", "42"),
        Created("sequence", "s", "t_id_seq"),
    ]

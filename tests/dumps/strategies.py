"""Random dumps, made of what trips up a scanner."""

from __future__ import annotations

from hypothesis import strategies as st
from tests.dumps.helpers import Piece, assembled, copy_block

from pgconsole.dumps.manifest import SectionKind

# Whatever opens or closes something, and what looks like data.
_TRIPS = st.sampled_from(
    [
        "COPY x FROM stdin;\n", "\n\\.\n", "\\.\n", "\\", "$$", "$a$", "$a", "$", "--", "/*", "*/",
        "'", "''", '"', ";", "(", ")", "BEGIN ATOMIC", "END", "E'", "\n", "\r", " ", "x", "ü", "€",
        "\\! rm", "-- PostgreSQL database dump complete\n", "SET standard_conforming_strings=off;",
    ]
)  # fmt: skip
_text = st.lists(_TRIPS, max_size=6).map("".join)


def _standard(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _escaped(text: str, prefix: str = "E") -> str:
    return prefix + "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _dollar(text: str, tag: str) -> str:
    # The text ends where the tag first occurs, so none may begin within it.
    while (text + tag).index(tag) < len(text):
        text = text.replace("$", "", 1)
    return tag + text + tag


def _block_comment(text: str) -> str:
    inner = text.replace("/*", "/ *").replace("*/", "* /").replace("/", "|")
    return f"/* {inner} /* {inner} */ {inner} */"


def _line_comment(text: str) -> str:
    return "-- " + text.replace("\n", " ").replace("\r", " ") + "\n"


_strings = _text.map(_standard) | _text.map(_escaped)
_tokens = (
    _strings
    | st.builds(_dollar, _text, st.sampled_from(["$$", "$a$", "$body$", "$_1$", "$ü$"]))
    | _text.map(lambda text: '"' + text.replace('"', '""') + '"')
    | _text.map(_block_comment)
    | _text.map(_line_comment)
    | st.sampled_from(["SELECT", "begin", "end", "case", "x$y$z", "$1", "1e5", "::", ",", "= -1"])
)
_in_parens = st.lists(_tokens | st.just(";"), max_size=4).map(lambda ts: f"( {' '.join(ts)} )")
_list = st.lists(_tokens | _in_parens, max_size=5).map(" ".join)
_statement = st.builds(
    lambda head, rest: f"{head} {rest};\n",
    st.sampled_from(["SELECT", "CREATE TABLE", "ALTER", "DO", "COMMENT ON", "create rule"]),
    _list,
)
_routine = st.builds(
    lambda head, inner: (
        f"{head} (a int DEFAULT 1) LANGUAGE sql\n BEGIN ATOMIC\n SELECT {inner};\n"
        f" SELECT CASE WHEN true THEN {inner} END;\nEND;\n"
    ),
    st.sampled_from(["CREATE FUNCTION s.f", "create or replace procedure p"]),
    _strings | _in_parens.filter(lambda text: "/*" not in text),
)
_comment = _text.map(_line_comment) | _text.map(_block_comment).map(lambda text: text + "\n")
_sql = st.lists(_statement | _routine | _comment, max_size=4).map(lambda s: "".join(s).encode())

# COPY's text format: a backslash is always followed by something, and never by a dot.
_field = st.lists(
    st.sampled_from(["a", "\\N", "\\\\", "\\n", ".", "\\\\.", "ü", "'", "$$", "\t", ";", "--"]),
    max_size=6,
).map("".join)
_rows = st.lists(_field, max_size=8).map(lambda rows: "".join(f"{row}\n" for row in rows))
_name = st.sampled_from(
    [
        (b"public.t", "public", "t"),
        (b't', None, "t"),
        (b'"Mixed"."FROM stdin;"', "Mixed", "FROM stdin;"),
        (b'public."a\nb""c"', "public", 'a\nb"c'),
        ('public."ü (x, y) \\."'.encode(), "public", "ü (x, y) \\."),
    ]
)  # fmt: skip
_columns = st.sampled_from([b" (id, name)", b' ("a,b", "c)""", d)', b" "])
_block = st.builds(
    lambda name, columns, rows: copy_block(name[0], rows.encode(), columns),
    _name,
    _columns,
    _rows,
)

parts = st.lists(_sql | _block, max_size=6)
dumps = parts.map(lambda made: assembled(*made))


def with_standard_strings_off(text: str) -> tuple[bytes, list[tuple[SectionKind, int]]]:
    """A dump whose plain strings have backslash escapes, as servers before 9.1 wrote them."""
    block: list[Piece] = copy_block(b"public.t", b"1\n")
    sql = f"SET standard_conforming_strings = off;\nSELECT {_escaped(text, prefix='')};\n"
    return assembled(sql.encode(), block)


texts = _text

"""Which objects the statements of a dump make or drop, as pg_dump writes them."""

from __future__ import annotations

import re
from typing import NamedTuple

from pgconsole.dumps.sqlnotes import Statement

_NAME = rb'(?:"[^"]*(?:""[^"]*)*"|[A-Za-z_\x80-\xff][A-Za-z0-9_$\x80-\xff]*)'
_QUALIFIED = rb"(?:(?P<schema>%(n)s)\.)?(?P<name>%(n)s)" % {b"n": _NAME}
_ON = rb"(?P<name>%(n)s)\s[^;]*?\bON (?:ONLY )?(?:(?P<schema>%(n)s)\.)?(?P<table>%(n)s)" % {
    b"n": _NAME
}

# What is counted, and how its statement begins. The names are the keys of `restore_check`.
_FORMS = (
    ("table", rb"(?:UNLOGGED )?TABLE " + _QUALIFIED),
    ("foreign table", rb"FOREIGN TABLE " + _QUALIFIED),
    ("view", rb"(?:OR REPLACE )?(?:RECURSIVE )?VIEW " + _QUALIFIED),
    ("materialized view", rb"MATERIALIZED VIEW " + _QUALIFIED),
    ("sequence", rb"(?:UNLOGGED )?SEQUENCE " + _QUALIFIED),
    ("index", rb"(?:UNIQUE )?INDEX " + _ON),
    ("function", rb"(?:OR REPLACE )?(?:FUNCTION|PROCEDURE|AGGREGATE) " + _QUALIFIED),
    ("trigger", rb"(?:CONSTRAINT )?TRIGGER " + _ON),
    ("event trigger", rb"EVENT TRIGGER (?P<name>%s)" % _NAME),
    ("rule", rb"RULE (?P<name>%(n)s) AS\s+ON \w+ TO (?:(?P<schema>%(n)s)\.)?(?P<table>%(n)s)"
             % {b"n": _NAME}),
    ("policy", rb"POLICY " + _ON),
    ("type", rb"(?:TYPE|DOMAIN) " + _QUALIFIED),
    ("schema", rb"SCHEMA (?P<name>%s)" % _NAME),
    ("extension", rb"EXTENSION (?:IF NOT EXISTS )?(?P<name>%s)" % _NAME),
    ("collation", rb"COLLATION " + _QUALIFIED),
    ("statistics", rb"STATISTICS " + _QUALIFIED),
    ("publication", rb"PUBLICATION (?P<name>%s)" % _NAME),
    ("subscription", rb"SUBSCRIPTION (?P<name>%s)" % _NAME),
    ("server", rb"SERVER (?P<name>%s)" % _NAME),
    ("foreign data wrapper", rb"FOREIGN DATA WRAPPER (?P<name>%s)" % _NAME),
    ("text search configuration", rb"TEXT SEARCH CONFIGURATION " + _QUALIFIED),
    ("text search dictionary", rb"TEXT SEARCH DICTIONARY " + _QUALIFIED),
)  # fmt: skip
_CREATE = tuple((kind, re.compile(rb"CREATE " + form)) for kind, form in _FORMS)
_CONSTRAINT = re.compile(
    rb"ALTER (?:FOREIGN )?TABLE (?:ONLY )?(?:(?P<schema>%(n)s)\.)?(?P<table>%(n)s)\s+"
    rb"ADD CONSTRAINT (?P<name>%(n)s)" % {b"n": _NAME}
)
_DROPPED_CONSTRAINT = re.compile(
    rb"ALTER (?:FOREIGN )?TABLE (?:IF EXISTS )?(?:ONLY )?(?P<schema>%(n)s)\.(?P<table>%(n)s)\s+"
    rb"DROP CONSTRAINT (?:IF EXISTS )?(?P<name>%(n)s);" % {b"n": _NAME}
)
_DROP_KINDS = {
    b"TABLE": "table", b"FOREIGN TABLE": "foreign table", b"VIEW": "view",
    b"MATERIALIZED VIEW": "materialized view", b"SEQUENCE": "sequence", b"SCHEMA": "schema",
    b"TYPE": "type", b"DOMAIN": "type", b"FUNCTION": "function", b"PROCEDURE": "function",
    b"AGGREGATE": "function", b"EXTENSION": "extension",
}  # fmt: skip
_DROPPED = re.compile(
    rb"DROP (?P<kind>%s) (?:IF EXISTS )?" % b"|".join(_DROP_KINDS) + _QUALIFIED + rb"[(;]"
)
_IDENTITY = re.compile(
    rb"ALTER TABLE [^;(]*? ADD GENERATED (?:ALWAYS|BY DEFAULT) AS IDENTITY \(\s*"
    rb"SEQUENCE NAME " + _QUALIFIED
)
_LARGE_OBJECT = re.compile(rb"SELECT pg_catalog\.lo_create\('(?P<name>\d+)'\)")


_PARTS = ("schema", "table", "name")


class Created(NamedTuple):
    """An object that a dump makes or drops.

    Attributes:
        kind: What it is, e.g. `table`, `index`, `large object`.
        schema: Its schema, unquoted, or that of its table; empty where there is none.
        name: Its name, unquoted; for what belongs to a table, `table.name`.
    """

    kind: str
    schema: str
    name: str


def created(statement: Statement) -> Created | None:
    """The object that a statement makes; None if it makes none that is counted.

    Comments of the dump are not asked: anything can be in them.
    """
    if statement.first == b"create":
        # A shell type comes again with what is in it.
        if (
            statement.head.startswith(b"CREATE TYPE")
            and statement.head.rstrip(b";").count(b" ") == 2
        ):
            return None
        for kind, pattern in _CREATE:
            if match := pattern.match(statement.head):
                return _named(kind, match, statement.codec)
    elif statement.first == b"alter":
        if match := _CONSTRAINT.match(statement.head):
            return _named("constraint", match, statement.codec)
        if match := _IDENTITY.match(statement.head):
            return _named("sequence", match, statement.codec)
    elif statement.first == b"select" and (match := _LARGE_OBJECT.match(statement.head)):
        return _named("large object", match, statement.codec)
    return None


def dropped_constraint(statement: Statement) -> tuple[str, str, str] | None:
    """Schema, table and name of the constraint that a statement drops, if it does that alone."""
    if statement.first != b"alter":
        return None
    match = _DROPPED_CONSTRAINT.fullmatch(statement.head)
    if match is None:
        return None
    schema, table, name = (_unquoted(match[part], statement.codec) for part in _PARTS)
    return schema, table, name


def dropped(statement: Statement) -> Created | None:
    """The object that a statement drops, if others may depend on objects of its kind."""
    match = _DROPPED.match(statement.head) if statement.first == b"drop" else None
    if match is None:
        return None
    schema = match["schema"]
    return Created(
        _DROP_KINDS[match["kind"]],
        "" if schema is None else _unquoted(schema, statement.codec),
        _unquoted(match["name"], statement.codec),
    )


def _named(kind: str, match: re.Match[bytes], codec: str) -> Created:
    groups = {
        part: _unquoted(text, codec) for part, text in match.groupdict().items() if text is not None
    }
    name = groups["name"]
    # An index lies beside its table; the others lie in theirs.
    if "table" in groups and kind != "index":
        name = f"{groups['table']}.{name}"
    return Created(kind, groups.get("schema", ""), name)


def _unquoted(name: bytes, codec: str) -> str:
    if name.startswith(b'"'):
        return name[1:-1].replace(b'""', b'"').decode(codec, "backslashreplace")
    return name.decode(codec, "backslashreplace")

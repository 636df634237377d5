"""Secrets are hidden in every form that a tool may print them in."""

import json
import shlex
from urllib.parse import quote, quote_plus

import pytest

from pgconsole.redact import Redactor

NASTY = "p@ #:/\\'\"%é"


@pytest.mark.parametrize(
    "form",
    [
        NASTY,
        quote(NASTY, safe=""),
        quote_plus(NASTY),
        json.dumps(NASTY),
        json.dumps(NASTY, ensure_ascii=False),
        repr(NASTY),
        NASTY.replace("\\", "\\\\").replace("'", "\\'"),
        NASTY.replace("'", "''"),
        quote(NASTY, safe="").lower(),
        repr(NASTY.encode()),
        shlex.quote(NASTY),
        NASTY.replace('"', "&quot;").replace("'", "&apos;"),
        NASTY.replace('"', "&#34;").replace("'", "&#39;"),
    ],
)
def test_every_form_is_hidden(form: str):
    cleaned = Redactor([NASTY])(f"before {form} after")
    assert "p@" not in cleaned
    assert "p%40" not in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


def test_a_secret_inside_another_leaves_nothing():
    assert Redactor(["abc", "abcdef"])("x abcdef y abc") == "x *** y ***"


def test_no_secret_changes_nothing():
    assert Redactor(["", ""])("text") == "text"


def test_a_secret_that_is_no_utf8_is_hidden():
    secret = b"p\xff\xfe word".decode(errors="surrogateescape")
    assert Redactor([secret])(f"x {secret} y p%FF%FE%20word z") == "x *** y *** z"


def test_a_private_key_of_age_is_hidden_though_nobody_told():
    for key in ("AGE-SECRET-KEY-1QPZRY9X8", "age-secret-key-1qpzry9x8", "AGE-SECRET-KEY-PQ-1QPZ"):
        assert Redactor([])(f"line 1: '{key}'.") == "line 1: '***'."
    for text in ("age1qpzry9x8 is public", "a file with AGE-SECRET-KEY-1... in it"):
        assert Redactor([])(text) == text

"""The tokens of SQL that count for psql: what may end a statement, or hide its end."""

from __future__ import annotations

import re

WORD = rb"A-Za-z0-9_$\x80-\xff"
WORD_BYTES = bytes(byte for byte in range(256) if re.match(rb"[%s]" % WORD, bytes([byte])))
WORDS = frozenset(bytes([byte]) for byte in WORD_BYTES)
DOLLAR_QUOTE = re.compile(rb"\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$")
# pg_dump writes no carriage return by itself outside of quotes. One ends a line for psql.
_OPENERS = rb"--|/\*|::|:=|\r(?!\n)|['\"();:\\$]"
# At the beginning of a statement every token counts; further in, only what may hide a semicolon.
HEAD = re.compile(
    rb"(?:[eEbBxX]|[uU]&)?'|[A-Za-z_\x80-\xff][%(w)s]*|[0-9]+(?:[A-Za-z_\x80-\xff][%(w)s]*)?"
    rb"|--|/\*|::|:=|\r(?!\n)|\S" % {b"w": WORD}
)
BODY = re.compile(_OPENERS)
FUNCTION = re.compile(
    _OPENERS + rb"|(?<![%(w)s])(?:begin|case|end)(?![%(w)s])" % {b"w": WORD}, re.IGNORECASE
)
COUNTED = {b"create": b"c", b"or": b"o", b"replace": b"r", b"function": b"f", b"procedure": b"p"}
# The first words of a statement, by initials, and how the rest of it is read. CREATE [OR REPLACE]
# FUNCTION|PROCEDURE may have a body of statements.
PATTERNS = {
    **dict.fromkeys((b"", b"c", b"co", b"cor"), HEAD),
    **dict.fromkeys((b"cf", b"cp", b"corf", b"corp"), FUNCTION),
}


def judgeable(text: bytes) -> int:
    """Up to where tokens are whole, whatever follows the text."""
    words = len(text.rstrip(WORD_BYTES + b"&"))
    if words == len(text):
        return len(text.rstrip(b"-/\\:\r"))
    # What opens a quote is whole, whatever is quoted: perhaps a megabyte without a blank.
    quote = DOLLAR_QUOTE.match(text, words)
    return quote.end() if quote else words

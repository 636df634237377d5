"""Follows SQL as psql reads it: where strings, comments and statements end.

The rules are those of psql's own lexer (src/fe_utils/psqlscan.l): what counts is what psql will
take for a statement or a command when it reads the dump, not what the server would make of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pgconsole.dumps import sqltokens
from pgconsole.dumps.copystatement import CopyStatement, codec_of, parse_copy
from pgconsole.dumps.sqlnotes import DumpNotes, Statement
from pgconsole.errors import DamagedError

_DOLLAR_NUMBER = re.compile(rb"\$[0-9]*")
_REST_OF_WORD = re.compile(rb"[%s]*" % sqltokens.WORD)
_NUMBER = re.compile(rb"\$?[0-9]+")
_NEXT_WORD = re.compile(rb"\s*([%s]*)" % sqltokens.WORD)
_ESCAPED = re.compile(rb"[^\\']*(?:(?:\\[\s\S]|'')[^\\']*)*")
# After a colon: psql would put the value of its variable of this name here, if it has one.
_VARIABLE = re.compile(rb"[A-Za-z0-9_\x80-\xff'\"{]")
_COMMENT_MARK = re.compile(rb"/\*|\*/")
_LINE_END = re.compile(rb"[\r\n]")
_COMMAND_END = re.compile(rb"\n")
_SET = re.compile(
    rb"SET\s+(?:SESSION\s+|LOCAL\s+)?([a-z_]+)\s*(?:=|TO)\s*'?([A-Za-z0-9_-]+)'?\s*;",
    re.IGNORECASE,
)
_MAX_STATEMENT = 1 << 20  # of COPY, the only long statement that is kept: 1,600 columns fit
_MAX_HELD = 1 << 20  # the longest single token
_MAX_COMMAND = 200
_MAX_COMMENT = 1 << 14  # pg_dump's own name a function with all its arguments
_MAX_HEAD = 1000  # of a statement: in it are the kind and the names of what it makes


class SqlLexer:
    """Reads SQL piece by piece and stops after each COPY line that rows follow.

    Attributes:
        copy: Set when `scan` stopped after a COPY line; the caller takes it away.
        notes: What the comments, commands and statements said.
        settled: Offset behind the last statement, comment or command that has ended.

    Args:
        notes: Is told what is read; None for notes that only remember.
    """

    def __init__(self, notes: DumpNotes | None = None) -> None:
        self.copy: CopyStatement | None = None
        self.settled = 0
        self._coming: CopyStatement | None = None  # `copy` once its line has ended
        self.notes = notes or DumpNotes()
        self._standard_strings = True
        self._codec = "utf-8"
        self._base = 0  # offset of the text's first byte in the dump
        self._limit = 0  # nothing from here on can be judged yet
        self._state: Callable[[bytes, int, bool], int] = self._sql
        self._tag = b""  # what ends a dollar quote
        self._depth = 0  # of nested block comments
        self._note = bytearray()  # the comment or command that is being read
        self._note_at = 0
        self._begin_statement()

    def _begin_statement(self) -> None:
        self._behind_string = False  # only white space and line comments since its end
        self._line_between = False  # and among that the end of a line
        self._inside = False  # a token of a statement was read
        self._start = 0  # offset of its first token
        self._first = b""  # that token
        self._head = bytearray()
        self._ended = False
        self._words = b""
        self._pattern = sqltokens.HEAD
        self._parens = 0
        self._begins = 0
        self._text: bytearray | None = None  # of a statement that is to be understood

    @property
    def between_statements(self) -> bool:
        """Whether no statement, string or comment is open."""
        return self._state == self._sql and not self._inside

    def scan(self, text: bytes, base: int, *, final: bool = False) -> int:
        """Read on. What is not consumed has to come again, with more behind it.

        Args:
            text: What follows the bytes consumed so far.
            base: The offset of its first byte in the dump.
            final: Whether the dump ends with it.

        Returns:
            How many bytes were consumed. If `copy` is set, rows begin there.

        Raises:
            DamagedError: No dump can look like this.
        """
        self._base = base
        self._limit = len(text) if final else sqltokens.judgeable(text)
        pos = 0
        while pos < len(text) and self.copy is None:
            new = self._state(text, pos, final)
            if new == pos:
                break
            if self._text is not None:
                self._keep(text[pos:new], base + pos)
            pos = new
            if self._ended:
                self.settled = base + pos
                self._remember(text, pos)
                self._end_statement()
        self._remember(text, pos)
        if len(text) - pos > _MAX_HELD:
            raise DamagedError(
                f"No SQL at byte {base + pos} of the uncompressed dump",
                cause="a single word of more than 1 MiB",
                fix="take a new backup",
            )
        return pos

    def _remember(self, text: bytes, end: int) -> None:
        """Keep the beginning of the statement that is open, of which `text[:end]` was consumed."""
        room = _MAX_HEAD - len(self._head)
        if self._inside and room > 0:
            start = max(0, self._start - self._base)
            self._head += text[start : min(end, start + room)]

    def _keep(self, text: bytes, offset: int) -> None:
        assert self._text is not None
        self._text += text
        if len(self._text) > _MAX_STATEMENT:
            raise DamagedError(
                f"The statement before byte {offset} of the uncompressed dump can't be followed",
                cause="a COPY or SET statement of more than 1 MiB",
                fix="take a new backup",
            )

    def _end_statement(self) -> None:
        text = None if self._text is None else bytes(self._text).strip()
        statement = Statement(
            self._start, self.settled, self._first, bytes(self._head).strip(), self._codec
        )
        self._begin_statement()
        copy = None
        if text is not None:
            if setting := _SET.fullmatch(text):
                self._set(setting[1].lower(), setting[2].lower())
            elif copy := parse_copy(text, self._codec):
                self._coming = copy
                self._state = self._copy_line
        self.notes.statement(statement, copy)

    def _set(self, name: bytes, value: bytes) -> None:
        if name == b"standard_conforming_strings":
            self._standard_strings = value not in {b"off", b"false", b"no", b"0"}
        elif name == b"client_encoding":
            self._codec = codec_of(value.decode("ascii"))

    # Each state below consumes what it can from `pos` and returns where it stopped; not moving
    # means that more text is needed to judge.

    def _sql(self, text: bytes, pos: int, final: bool) -> int:
        match = self._pattern.search(text, pos, self._limit)
        if self._behind_string:
            self._read_gap(text[pos : match.start() if match else self._limit])
        if match is None:
            return max(pos, self._limit)
        token = match[0]
        if token in {b"--", b"/*"}:
            self._open_comment(token)
            return match.end()
        if token == b"\\":
            return self._backslash(text, match.start())
        self._notice(token, self._base + match.start())
        if token[-1:] == b"'":
            self._open_string(text, pos, match.end() - 1)
        elif token == b'"':
            self._state = self._identifier
        elif token == b"$":
            return self._dollar(text, pos, match.start())
        elif token[0] in sqltokens.WORD_BYTES:
            self._word(token.lower(), self._base + match.start())
        else:
            self._punctuation(token, text, match.start())
        return match.end()

    def _read_gap(self, gap: bytes) -> None:
        self._behind_string = not gap.strip()
        self._line_between |= b"\n" in gap

    def _open_comment(self, token: bytes) -> None:
        self._behind_string &= token == b"--"
        self._note = bytearray()
        self._depth = 1
        self._state = self._line_comment if token == b"--" else self._block_comment

    def _notice(self, token: bytes, offset: int) -> None:
        """A token of a statement: perhaps the first, perhaps the rest of a string."""
        if not self._inside:
            self._inside = True
            self._start = offset
            self._first = token[:20].lower()
            self.notes.token(offset)
        if self._behind_string and self._line_between and token == b"'":
            # For psql it goes on, with the escapes that its beginning had.
            self.notes.foreign(offset, token, "a string in two parts, which pg_dump doesn't write")
        self._behind_string = False

    def _punctuation(self, token: bytes, text: bytes, at: int) -> None:
        if token == b":":
            if _VARIABLE.match(text, at + 1):
                self.notes.colon(self._base + at)
        elif token == b"\r":
            self.notes.foreign(self._base + at, b"\\r", "a carriage return outside of quotes")
        elif token == b"(":
            self._parens += 1
        elif token == b")":
            self._parens = max(0, self._parens - 1)
        elif token == b";" and self._parens == 0 and self._begins == 0:
            self._ended = True

    def _word(self, word: bytes, offset: int) -> None:
        if self._pattern is sqltokens.FUNCTION:
            if self._parens == 0:
                self._block_word(word, offset)
            return
        if word in {b"copy", b"set"} and not self._words:
            self._text = bytearray()
        # A number is no word to psql, and an unknown word keeps its place.
        if not word[:1].isdigit():
            self._words += sqltokens.COUNTED.get(word, b".")
            self._pattern = sqltokens.PATTERNS.get(self._words, sqltokens.BODY)

    def _block_word(self, word: bytes, offset: int) -> None:
        """Count BEGIN ATOMIC ... END, and CASE ... END within.

        psql counts every BEGIN; for PostgreSQL only BEGIN ATOMIC begins a body and none lies in
        another. Where they differ (a function or a column called `begin`) psql loses its way in
        what pg_dump wrote. The dump is right, so it is read as meant, and the place is noted.
        """
        if word == b"begin":
            if self._begins:
                self.notes.misread(offset)
            else:
                self._note_at = offset
                self._state = self._atomic
        elif word == b"case" and self._begins:
            self._begins += 1
        elif word == b"end" and self._begins:
            self._begins -= 1

    def _atomic(self, text: bytes, pos: int, final: bool) -> int:
        match = _NEXT_WORD.match(text, pos)
        assert match is not None
        if match.end() == len(text) and not final:
            return pos
        self._state = self._sql
        if match[1].lower() == b"atomic":
            self._begins = 1
            return match.end()
        self.notes.misread(self._note_at)
        return self._sql(text, pos, final)

    def _open_string(self, text: bytes, pos: int, quote: int) -> None:
        """Enter the string whose quote is at `quote`; nothing before `pos` belongs to it."""
        before = text[max(pos, quote - 3) : quote]
        prefix = b""
        for length in (1, 2):
            if len(before) >= length and before[: len(before) - length][-1:] not in sqltokens.WORDS:
                prefix = before[-length:].lower()
                if prefix in {b"e", b"b", b"x", b"u&"}:
                    break
        escapes = prefix == b"e" or (
            not self._standard_strings and prefix not in {b"b", b"x", b"u&"}
        )
        self._state = self._escaped_string if escapes else self._string

    def _string(self, text: bytes, pos: int, final: bool) -> int:
        # A doubled quote ends this string and begins another one: the same in effect.
        end = self._until(b"'", text, pos)
        if self._state == self._sql:
            self._leave_string()
        return end

    def _leave_string(self) -> None:
        self._state = self._sql
        self._behind_string = True
        self._line_between = False

    def _identifier(self, text: bytes, pos: int, final: bool) -> int:
        return self._until(b'"', text, pos)

    def _until(self, quote: bytes, text: bytes, pos: int) -> int:
        end = text.find(quote, pos)
        if end < 0:
            return len(text)
        self._state = self._sql
        return end + 1

    def _escaped_string(self, text: bytes, pos: int, final: bool) -> int:
        match = _ESCAPED.match(text, pos)
        assert match is not None
        end = match.end()
        if text[end : end + 1] == b"'" and (end + 1 < len(text) or final):
            self._leave_string()
            return end + 1
        return len(text) if final else end

    def _dollar(self, text: bytes, pos: int, start: int) -> int:
        before = text[pos:start]
        word = before[len(before.rstrip(sqltokens.WORD_BYTES)) :]
        if word and not _NUMBER.fullmatch(word):  # a dollar within an identifier
            return _match_end(_REST_OF_WORD, text, start)
        if quote := sqltokens.DOLLAR_QUOTE.match(text, start):
            self._tag = quote[0]
            self._state = self._dollar_quoted
            return quote.end()
        return _match_end(_DOLLAR_NUMBER, text, start)

    def _dollar_quoted(self, text: bytes, pos: int, final: bool) -> int:
        end = text.find(self._tag, pos)
        if end >= 0:
            self._state = self._sql
            return end + len(self._tag)
        return len(text) if final else max(pos, len(text) - len(self._tag) + 1)

    def _line_comment(self, text: bytes, pos: int, final: bool) -> int:
        end = self._read_note(_LINE_END, _MAX_COMMENT, text, pos, final)
        self._line_between = True
        if self._state == self._sql and not self._inside:
            self.settled = self._base + end
            self.notes.comment(bytes(self._note))
        return end

    def _read_note(
        self, ending: re.Pattern[bytes], most: int, text: bytes, pos: int, final: bool
    ) -> int:
        """Keep the beginning of what goes on to the end of the line."""
        match = ending.search(text, pos)
        end = match.end() if match else len(text)
        self._note += text[pos : min(end, pos + most - len(self._note))]
        if match or final:
            self._state = self._sql
        return end

    def _block_comment(self, text: bytes, pos: int, final: bool) -> int:
        for mark in _COMMENT_MARK.finditer(text, pos):
            self._depth += 1 if mark[0] == b"/*" else -1
            pos = mark.end()
            if self._depth == 0:
                self._state = self._sql
                if not self._inside:
                    self.settled = self._base + pos
                return pos
        half_a_mark = not final and text[pos:][-1:] in {b"/", b"*"}
        return len(text) - half_a_mark

    def _backslash(self, text: bytes, start: int) -> int:
        self._note = bytearray()
        self._note_at = self._base + start
        if text[start + 1 : start + 2] in {b";", b":"}:
            # No command, only a semicolon that doesn't end the statement for psql; but for the
            # server it does, and the next one may be a COPY. pg_dump never writes it.
            self.notes.command(self._note_at, text[start : start + 2])
            return start + 2
        self._state = self._command
        return start + 1

    def _command(self, text: bytes, pos: int, final: bool) -> int:
        end = self._read_note(_COMMAND_END, _MAX_COMMAND, text, pos, final)
        if self._state == self._sql:
            if not self._inside:
                self.settled = self._base + end
            self.notes.command(self._note_at, b"\\" + bytes(self._note))
        return end

    def _copy_line(self, text: bytes, pos: int, final: bool) -> int:
        """After the semicolon of a COPY statement: rows begin with the next line."""
        byte = text[pos : pos + 1]
        if byte == b"\n":
            self._state = self._sql
            self.copy = self._coming
        elif byte not in b" \t\r":
            raise DamagedError(
                f"No dump of pg_dump at byte {self._base + pos} of the uncompressed dump",
                cause="something follows a COPY statement on its line",
                fix="take a new backup",
            )
        return pos + 1


def _match_end(pattern: re.Pattern[bytes], text: bytes, pos: int) -> int:
    match = pattern.match(text, pos)
    assert match is not None
    return match.end()

"""Reads `.env`, or what PGCONSOLE_ENV_FILE names, in the syntax of python-dotenv.

In bounded time and memory, whatever the file is; and what can't be understood is an error.
"""

from __future__ import annotations

import io
import os
import re
import select
import stat
import time
from collections import ChainMap
from pathlib import Path

from pgconsole.errors import ConfigurationError

ENV_FILE_VARIABLE = "PGCONSOLE_ENV_FILE"
_LARGEST = 256 << 10  # bytes
_LONGEST = 16 << 10  # characters of a value: python-dotenv takes 0.1 s for the worst of that length
# Blanks in a row: for more, python-dotenv's time grows with their square.
_BLANKS = re.compile(r"[^\S\r\n]{257}")
_PATIENCE = 10.0  # seconds for a pipe, e.g. of a program that decrypts the file


def env_file() -> Path:
    """The file. It need not be there, unless it was named."""
    return Path(os.environ.get(ENV_FILE_VARIABLE) or ".env")


def read_env_file() -> dict[str, str]:
    """The variables in the file, by name; none, if there is no `.env`. The last line counts.

    Raises:
        ConfigurationError: It can't be read to its end, or a line of it can't be understood: what
            else it says might not be what it means then.
    """
    path = env_file()
    try:
        content = _content(path)
        text = content.decode("utf-8")
    except FileNotFoundError:
        if ENV_FILE_VARIABLE not in os.environ:
            return {}
        raise ConfigurationError(
            f"{ENV_FILE_VARIABLE} is {str(path)!r}",
            cause="there is no such file",
            fix=f"correct the path or unset {ENV_FILE_VARIABLE}",
        ) from None
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        at = f"byte {error.start}, in line {line}"
        raise _unusable(path, f"{at}, is no UTF-8") from error
    if (zero := text.find("\0")) >= 0:
        raise _wrong_line(path, text.count("\n", 0, zero) + 1, "there is a byte of zero")
    if blanks := _BLANKS.search(text):
        line = text.count("\n", 0, blanks.start()) + 1
        raise _wrong_line(path, line, "there are more than 256 blanks in a row")
    return _variables(path, text)


def _content(path: Path) -> bytes:
    """All of the file, which may be a pipe.

    Raises:
        OSError: It is too large, a directory, or a pipe that says nothing.
    """
    give_up = time.monotonic() + _PATIENCE
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    try:
        is_pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
        content = b""
        while len(content) <= _LARGEST:
            try:
                part = os.read(fd, _LARGEST)
            except BlockingIOError:
                part = None
            if part:
                content += part
            elif part == b"" and (content or not is_pipe or _hung_up(waiting)):
                return content
            elif time.monotonic() > give_up:
                raise OSError(0, f"nobody has written it to its end within {_PATIENCE:.0f} s")
            else:  # a pipe whose writer has not come yet, or has not gone yet
                waiting.poll(50)  # milliseconds
    finally:
        os.close(fd)
    raise OSError(0, f"it has more than {_LARGEST:,} bytes")


def _hung_up(waiting: select.poll) -> bool:
    """Whether the pipe had a writer, and has none any more."""
    return any(events & select.POLLHUP for _, events in waiting.poll(0))


def _variables(path: Path, text: str) -> dict[str, str]:
    """What the lines say, with `${NAME}` and `${NAME:-default}` replaced.

    As `dotenv.dotenv_values`, which only warns of lines that it can't read, and whose values may
    grow without an end when they name each other.
    """
    from dotenv.parser import parse_stream  # noqa: PLC0415 - most have no such file
    from dotenv.variables import parse_variables  # noqa: PLC0415

    found: dict[str, str | None] = {}
    known: ChainMap[str, str | None] = ChainMap(found, dict(os.environ))
    for binding in parse_stream(io.StringIO(text)):
        line = binding.original.line + _blank_lines(binding.original.string)
        if binding.error:
            what = "it is not of the form NAME=value, or a quotation mark in it is not closed"
            raise _wrong_line(path, line, what)
        value = binding.value
        if binding.key is None:
            continue
        if value is not None and len(value) <= _LONGEST:
            value = "".join(atom.resolve(known) for atom in parse_variables(value))
        if value is not None and len(value) > _LONGEST:
            what = f"the value of {binding.key} has more than {_LONGEST:,} characters"
            raise _wrong_line(path, line, what)
        found[binding.key] = value
    return {name: value for name, value in found.items() if value is not None}


def _blank_lines(text: str) -> int:
    """How many lines at its beginning are blank."""
    blank = text[: len(text) - len(text.lstrip())]
    return len(re.findall(r"\r\n|\n|\r", blank))


def _wrong_line(path: Path, line: int, cause: str) -> ConfigurationError:
    return ConfigurationError(
        f"Line {line} of {path} can't be used", cause=cause, fix="correct the line"
    )


def _unusable(path: Path, cause: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path} can't be read", cause=cause, fix="correct the file or its permissions"
    )

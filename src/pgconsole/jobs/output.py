"""Everything that a job's process and its tools print ends in `output.log`, without secrets."""

from __future__ import annotations

import faulthandler
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pgconsole.jobs.texts import printable
from pgconsole.redact import Redactor

_CHUNK = 65_536
_LONGEST_SECRET = 4_096  # bytes of an endless line that are held back, in case one is cut in two
_CHILD_TAKES = 2.0  # seconds that a child which outlives the work may keep its end of the pipe


@contextmanager
def redacted_output(redact: Redactor) -> Iterator[None]:
    """For the block, pass stdout and stderr of this process and its children through `redact`.

    They must be `output.log` already, as `start` opens them. On the level of descriptors: C
    libraries and tools write past sys.stderr.

    Raises:
        OSError: No pipe can be made.
    """
    log = os.dup(2)
    faulthandler.enable(log)  # a crash of the interpreter leaves nobody to read the pipe
    source, sink = os.pipe()
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    os.close(sink)
    thread = threading.Thread(target=_pump, args=(source, log, redact), daemon=True)
    thread.start()
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(log, 1)  # closes the last end of the pipe that is ours
        os.dup2(log, 2)
        thread.join(_CHILD_TAKES)


def _pump(source: int, log: int, redact: Redactor) -> None:
    rest = b""
    while chunk := os.read(source, _CHUNK):
        rest += chunk
        end = rest.rfind(b"\n") + 1
        if end == 0 and len(rest) > _CHUNK:
            rest = _clean(rest, redact)
            end = max(0, len(rest) - _LONGEST_SECRET)
            _write(log, rest[:end])
        elif end:
            _write(log, _clean(rest[:end], redact))
        rest = rest[end:]
    _write(log, _clean(rest, redact))


def _clean(content: bytes, redact: Redactor) -> bytes:
    # As the environment is decoded, so that a secret that is not UTF-8 is found as well.
    text = printable(content.decode(errors="surrogateescape"), redact)
    return text.encode(errors="surrogateescape")


def _write(log: int, content: bytes) -> None:
    with suppress(OSError):  # a full disk: the tools must not block on a pipe that nobody reads
        os.write(log, content)

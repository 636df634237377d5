"""The files that a server archives: their names, and what a WAL segment says of itself."""

from __future__ import annotations

import re
import struct

from pgconsole.errors import ConfigurationError, DamagedError

# xlog_internal.h: IsXLogFileName, IsPartialXLogFileName; IsTLHistoryFileName,
# IsBackupHistoryFileName.
_SEGMENT = re.compile(r"[0-9A-F]{24}(\.partial)?", re.ASCII)
_OTHER = re.compile(r"[0-9A-F]{8}\.history|[0-9A-F]{24}\.[0-9A-F]{8}\.backup", re.ASCII)

# XLogLongPageHeaderData (xlog_internal.h), in the byte order of this machine, which is also the
# server's: magic, info, timeline, address of the page, bytes left of a record, padding, system
# identifier, size of a segment, size of a page.
_LONG_HEADER = struct.Struct("=HHIQI4xQII")
HEADER_SIZE = _LONG_HEADER.size
_XLP_LONG_HEADER = 0x0002
_SMALLEST = 1 << 20  # bytes; IsValidWalSegSize
_LARGEST = 1 << 30
_LOG_SIZE = 1 << 32  # bytes that the middle third of a name counts


def check_name(name: str) -> None:
    """Accept what a server hands to `archive_command`, and nothing else.

    Raises:
        ConfigurationError: It is no name of a WAL segment, history or backup file.
    """
    if not (_SEGMENT.fullmatch(name) or _OTHER.fullmatch(name)):
        raise ConfigurationError(
            f"{name!r} is not archived",
            cause="it is no name of a WAL segment, of a .partial, .history or .backup file",
            fix="archive_command = 'pgconsole wal-push %p'",
        )


def check_content(name: str, header: bytes, size: int) -> None:
    """See that a file is what its name says, as far as its size and first page tell.

    A segment that is cut off, or whose first page is another segment's, can't be replayed: were it
    archived, the server would remove the only good copy.

    Args:
        name: An accepted name.
        header: The first `HEADER_SIZE` bytes, or all if there are fewer.
        size: Of the file, bytes.

    Raises:
        DamagedError: It is not.
    """
    if not _SEGMENT.fullmatch(name):
        if size == 0:
            raise _damaged(name, "it is empty")
        return
    if len(header) < HEADER_SIZE:
        raise _damaged(name, f"it has {size} bytes, less than the header of a page")
    _, info, _, address, _, _, segment_size, _ = _LONG_HEADER.unpack_from(header)
    usable = _SMALLEST <= segment_size <= _LARGEST and segment_size.bit_count() == 1
    if not info & _XLP_LONG_HEADER or not usable:
        raise _damaged(name, "it does not begin with the header of a WAL segment (byte 0)")
    if size != segment_size:
        raise _damaged(
            name, f"it has {size} bytes, and its header says that a segment has {segment_size}"
        )
    expected = int(name[8:16], 16) * _LOG_SIZE + int(name[16:24], 16) * segment_size
    if address != expected:
        raise _damaged(
            name, f"its first page is that of WAL address {address:X}, not of {expected:X} (byte 8)"
        )


def _damaged(name: str, cause: str) -> DamagedError:
    return DamagedError(
        f"{name} is not archived",
        cause=cause,
        fix="look at the server's log and its disk; the server tries again by itself",
    )

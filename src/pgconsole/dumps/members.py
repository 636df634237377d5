"""gzip members: compressing them, and decoding them without trusting a word they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from isal import igzip_lib, isal_zlib

from pgconsole.dumps.source import RangedSource
from pgconsole.errors import DamagedError

# ISA-L's second level, measured on the text, JSON, numbers and 15 % noise of `make bench`, on one
# core of a Xeon of 2023: 1.05 times the size of zlib's 9 at 480 MB/s (level 1: 1.06 at 520 MB/s,
# level 3: 1.04 at 320; gzip -9 itself: 30 MB/s).
_LEVEL = 2
_GZIP = 31  # window bits: 32 KiB, in a gzip wrapper; ISA-L's header has no time and no name
# Compressed bytes that are fed at once, and decoded bytes that come out at once: they stay in the
# caches. Fed whole members, the allocator's heap grows with every one of them, to no end.
PIECE = 1 << 18
# Fed where members may be tiny: after each, the rest of what was fed is copied.
_SIP = 1 << 16
_MAGIC = b"\x1f\x8b"  # RFC 1952
_RESERVED = 0b11100000  # of the flags in a member's fourth byte
_FIX = "use another backup; take a new one"
_IsalError: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment] # stub: an instance


class Compressor:
    """Compresses one member, which may come in several pieces."""

    def __init__(self) -> None:
        self._stream = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)

    def compress(self, data: memoryview, *, last: bool) -> bytes:
        """What can be written by now; all of it if this is the member's last piece."""
        head = self._stream.compress(data)
        return head + self._stream.flush() if last else head


class Tally(NamedTuple):
    """What decoding a member showed.

    Attributes:
        raw_bytes: Its uncompressed size.
        newlines: Newlines in it.
        tail: Its last four bytes.
    """

    raw_bytes: int
    newlines: int
    tail: bytes


def tally(pieces: Iterator[bytes]) -> Tally:
    """Decode a member to its end, and count."""
    raw_bytes = newlines = 0
    tail = b""
    for piece in pieces:
        raw_bytes += len(piece)
        newlines += piece.count(b"\n")
        tail = (tail + piece[-4:])[-4:]
    return Tally(raw_bytes, newlines, tail)


def sliced(data: bytes) -> Iterator[memoryview]:
    """A member in pieces to feed a decoder with."""
    view = memoryview(data)
    for start in range(0, len(view), PIECE):
        yield view[start : start + PIECE]


class Readable(Protocol):
    """Anything that bytes can be read from at an offset."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; fewer only at the end."""
        ...


class ByteRange:
    """A range of a source, read front to back in requests of a fixed size.

    Args:
        source: Where the bytes are.
        start: Offset of the first byte.
        end: Offset behind the last byte; nothing beyond it is read.
        request: Bytes to ask for at once.
    """

    def __init__(self, source: Readable, start: int, end: int, request: int) -> None:
        self._source = source
        self._offset = start
        self._end = end
        self._request = request
        self._buffer = memoryview(b"")

    def take(self, length: int, piece_size: int = PIECE) -> Iterator[memoryview]:
        """The next bytes of the range, in pieces of at most `piece_size`.

        Raises:
            StorageError: They can't be read.
            DamagedError: The source ends before the range does.
        """
        while length > 0:
            if not self._buffer:
                self._read()
            piece = self._buffer[: min(length, piece_size)]
            self._buffer = self._buffer[len(piece) :]
            length -= len(piece)
            yield piece

    def _read(self) -> None:
        data = self._source.read_at(self._offset, min(self._request, self._end - self._offset))
        if not data:
            raise DamagedError(
                f"The file ends at byte {self._offset}",
                cause="it was cut off, or its manifest is of another file",
                fix="use another backup; take a new one",
            )
        self._offset += len(data)
        self._buffer = memoryview(data)


def decode_member(pieces: Iterator[memoryview], offset: int, raw_bytes: int) -> Iterator[bytes]:
    """Decode exactly one member of known size, at most 256 KiB at a time.

    Args:
        pieces: Its compressed bytes, and nothing else.
        offset: Where it begins in the file, for errors.
        raw_bytes: Its uncompressed size as the manifest has it. Decoding stops as soon as the
            member turns out to be larger.

    Raises:
        DamagedError: It is no gzip member, its CRC or size is wrong, or something follows it.
    """
    decoder = _new_decoder()
    left = raw_bytes
    for compressed in pieces:
        if decoder.eof:
            raise damaged(offset, "something follows its end", "the manifest is not of this file")
        for piece in decode_piece(decoder, compressed, offset):
            left -= len(piece)
            if left < 0:
                raise damaged(offset, f"it holds more than {raw_bytes} bytes", "or a bomb")
            yield piece
    if not decoder.eof:
        raise damaged(offset, "it has no end", "the file was cut off")
    if left:
        raise damaged(offset, f"it holds {raw_bytes - left} bytes instead of {raw_bytes}", "")
    if decoder.unused_data:
        raise damaged(offset, "something follows its end", "the manifest is not of this file")


def decode_all(
    source: RangedSource, on_read: Callable[[memoryview], None] | None = None
) -> Iterator[tuple[int, bytes]]:
    """Decode a file of whatever members, front to back.

    Args:
        source: The file.
        on_read: Is shown the compressed bytes, in order and each once, as they are read.

    Returns:
        The decoded bytes, at most 256 KiB at a time, each with the offset of their member. A
        member without content comes as one empty piece.

    Raises:
        StorageError: The file can't be read.
        DamagedError: It isn't gzip, is damaged, or ends within a member.
    """
    decoder = None
    start = consumed = 0
    for compressed in ByteRange(source, 0, source.size, 4 * PIECE).take(source.size, _SIP):
        if on_read:
            on_read(compressed)
        consumed += len(compressed)
        rest = compressed
        while rest:
            if decoder is None:
                decoder, start, empty = _new_decoder(), consumed - len(rest), True
                _check_header(source, start, rest)
            for piece in decode_piece(decoder, rest, start):
                empty = False
                yield start, piece
            if not decoder.eof:
                break
            if empty:
                yield start, b""
            rest, decoder = memoryview(decoder.unused_data), None
    if consumed == 0:
        raise DamagedError("The file is empty", cause="it ends at byte 0", fix=_FIX)
    if decoder is not None:
        raise damaged(start, "it has no end", f"the file ends at byte {consumed}")


def _new_decoder() -> igzip_lib.IgzipDecompressor:
    return igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)


def decode_piece(
    decoder: igzip_lib.IgzipDecompressor, compressed: memoryview, offset: int
) -> Iterator[bytes]:
    """Feed a decoder and drain it. ISA-L checks CRC and size at the member's end."""
    try:
        piece = decoder.decompress(compressed, PIECE)
        while piece:
            yield piece
            piece = b"" if decoder.eof else decoder.decompress(b"", PIECE)
    except _IsalError as error:
        raise damaged(offset, "it can't be decoded", str(error)) from error


def damaged(offset: int, what: str, why: str) -> DamagedError:
    """An error about the member that begins at `offset` of the file."""
    return DamagedError(
        f"The gzip member at byte {offset} of the file is damaged",
        cause=f"{what} ({why})" if why else what,
        fix=_FIX,
    )


def _check_header(source: RangedSource, offset: int, rest: memoryview) -> None:
    """Refuse what gzip refuses; ISA-L doesn't look at flags that it does not know.

    Args:
        source: The file.
        offset: Where the member begins, bytes.
        rest: What was read of the file from there on.

    Raises:
        StorageError: The file can't be read.
        DamagedError: No gzip member begins there.
    """
    head = bytes(rest[:20]) if len(rest) >= 4 else source.read_at(offset, 20)
    if not _MAGIC.startswith(head[:2]):
        raise DamagedError(
            "Something else follows the dump in the file" if offset else "The file is no gzip file",
            cause=f"at byte {offset} no gzip member begins, but {head!r}",
            fix=_FIX,
        )
    if len(head) >= 4 and head[3] & _RESERVED:
        raise damaged(offset, f"byte {offset + 3} has flags that gzip does not know", "")

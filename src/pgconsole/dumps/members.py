"""gzip members: compressing them, and decoding them without trusting a word they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from isal import igzip_lib, isal_zlib

from pgconsole.errors import DamagedError

# ISA-L's second level, measured on 1.5 GB of text, JSON, numbers and 15 % noise: 1.06 times the
# size of gzip -9 (level 1: 1.07, level 3: 1.06), 330 MB/s on one core against gzip's 30.
_LEVEL = 2
_GZIP = 31  # window bits: 32 KiB, in a gzip wrapper; ISA-L's header has no time and no name
_READ = 2 << 20  # bytes; a usual member is read at once
_PIECE = 1 << 20  # bytes of decoded data in hand; smaller is slower, larger leaves the caches
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
        tail: Its last three bytes.
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
        tail = (tail + piece[-3:])[-3:]
    return Tally(raw_bytes, newlines, tail)


class Readable(Protocol):
    """Anything that bytes can be read from at an offset."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes; fewer only at the end."""
        ...


def read_range(source: Readable, offset: int, length: int) -> Iterator[bytes]:
    """The bytes of a range, in pieces of at most 2 MiB.

    Raises:
        StorageError: They can't be read.
        DamagedError: The source ends before the range does.
    """
    end = offset + length
    while offset < end:
        piece = source.read_at(offset, min(_READ, end - offset))
        if not piece:
            raise damaged(offset, "the file ends here", "it is shorter than its manifest says")
        yield piece
        offset += len(piece)


def decode_member(pieces: Iterator[bytes], offset: int, raw_bytes: int) -> Iterator[bytes]:
    """Decode exactly one member of known size, at most 1 MiB at a time.

    Args:
        pieces: Its compressed bytes, and nothing else.
        offset: Where it begins in the file, for errors.
        raw_bytes: Its uncompressed size as the manifest has it. Decoding stops as soon as the
            member turns out to be larger.

    Raises:
        DamagedError: It is no gzip member, its CRC or size is wrong, or something follows it.
    """
    decoder = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
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


def decode_piece(
    decoder: igzip_lib.IgzipDecompressor, compressed: bytes, offset: int
) -> Iterator[bytes]:
    """Feed a decoder and drain it. ISA-L checks CRC and size at the member's end."""
    try:
        piece = decoder.decompress(compressed, _PIECE)
        while piece:
            yield piece
            piece = b"" if decoder.eof else decoder.decompress(b"", _PIECE)
    except _IsalError as error:
        raise damaged(offset, "it can't be decoded", str(error)) from error


def damaged(offset: int, what: str, why: str) -> DamagedError:
    """An error about the member that begins at `offset` of the file."""
    return DamagedError(
        f"The gzip member at byte {offset} of the file is damaged",
        cause=f"{what} ({why})" if why else what,
        fix="use another backup; take a new one",
    )

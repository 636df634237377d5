"""The threads that compress blocks, write the members in order, and read them back.

The calling thread fills blocks, workers compress them, one thread writes, one re-reads. All of
them hand on through SimpleQueues: those never block a putter and survive an exception that a
signal handler raises in the calling thread at any moment.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, Self

from isal import isal_zlib

from pgconsole.dumps.cutter import Segment
from pgconsole.dumps.members import Compressor
from pgconsole.dumps.readback import ReadBack, WrittenMember
from pgconsole.errors import StorageError

if TYPE_CHECKING:
    from pgconsole.dumps.age_write import Sealer

# Raw bytes of a block, and so of most members. Measured on 900 MB: 1 MiB costs 7 % more CPU in
# hand-overs and makes the file 0.04 % larger; 4 MiB costs 8 % more for cache misses and 13 MB more
# memory, for 0.01 %.
BLOCK_SIZE = 2 << 20
_LOOK_UP = 0.2  # seconds
_MAX_WORKERS = 4  # each compresses some 330 MB/s; no single pg_dump delivers more than 1 GB/s


class _Job:
    """A filled block on its way to the file.

    Args:
        block: Its bytes; used again once they are written.
        segments: How they are cut.
        before: The job whose last member goes on in this one, if it does.
    """

    def __init__(self, block: bytearray, segments: list[Segment], before: _Job | None) -> None:
        self.block = block
        self.segments = segments
        self.before = before
        self.output: list[bytes] = []  # one for each segment
        self.compressor: Compressor | None = None  # of the member that goes on in the next job
        self.done = threading.Event()

    def compress(self) -> None:
        """Compress the segments, each into its own output."""
        compressor = None
        if self.before is not None:
            self.before.done.wait()  # it was taken before this one, so it is at work or done
            compressor, self.before = self.before.compressor, None
        view = memoryview(self.block)
        for segment in self.segments:
            compressor = compressor or Compressor()
            data = view[segment.start : segment.end]
            self.output.append(compressor.compress(data, last=segment.last))
            if segment.last:
                compressor = None
        self.compressor = compressor


class _Stopped(Exception):
    """It is over before the end: the writing thread leaves the file as it is."""


class Pipeline:
    """Compresses, writes and re-reads. A context: on exit every thread has ended.

    Args:
        file: The file, open for reading and writing; it stays the caller's.
        path: Its path, for errors.
        on_written: Told how many bytes of the file are final, by the writing thread.
        sealer: Encrypts what is written; None: it is not encrypted.
    """

    def __init__(
        self,
        file: FileIO,
        path: Path,
        on_written: Callable[[int], None],
        sealer: Sealer | None = None,
    ) -> None:
        self._file = file
        self._path = path
        self._on_written = on_written
        self._sealer = sealer
        self._written = 0  # bytes of the file
        self._read_back = ReadBack(file.fileno(), path, sealer)
        workers = min(len(os.sched_getaffinity(0)), _MAX_WORKERS)
        self._free: SimpleQueue[bytearray | None] = SimpleQueue()
        # One is filled and one written while each worker has one at work and one waiting.
        for _ in range(2 * workers + 2):
            self._free.put(bytearray(BLOCK_SIZE))
        self._to_compress: SimpleQueue[_Job | None] = SimpleQueue()
        self._to_write: SimpleQueue[_Job | None] = SimpleQueue()
        self._to_check: SimpleQueue[WrittenMember | None] = SimpleQueue()
        self._ended: SimpleQueue[None] = SimpleQueue()  # the last thread is through
        self._stopping = False
        self._error: BaseException | None = None
        self._last: _Job | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(work,), name=f"dump-{name}", daemon=True)
            for name, work in [
                *[(f"compress-{number}", self._compress_blocks) for number in range(workers)],
                ("write", self._write_blocks),
                ("read-back", self._check_members),
            ]
        ]

    def __enter__(self) -> Self:
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    def raise_failure(self) -> None:
        """Raise what stopped one of the threads, if anything did."""
        if self._error is not None:
            raise self._error

    def free_block(self) -> bytearray:
        """A block to fill; waits until there is one.

        Raises:
            StorageError: The file can't be written or read.
            DamagedError: What is on the disk is not what was written.
        """
        block = self._free.get()
        self.raise_failure()
        assert block is not None
        return block

    def submit(self, block: bytearray, segments: list[Segment]) -> None:
        """Compress and write a filled block; the order of calls is the file's order."""
        goes_on = self._last is not None and not self._last.segments[-1].last
        job = self._last = _Job(block, segments, self._last if goes_on else None)
        self._to_compress.put(job)
        self._to_write.put(job)

    def finish(self) -> ReadBack:
        """Wait until all is written and was read back.

        Raises:
            StorageError: The file can't be written or read.
            DamagedError: What is on the disk is not what was written.
        """
        self._to_write.put(None)
        self._ended.get()
        self.raise_failure()
        return self._read_back

    def _run(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self._wake_all()

    def _wake_all(self) -> None:
        """Let every thread see that it is over, whatever it waits for."""
        self._stopping = True
        self._free.put(None)
        for _ in self._threads:
            self._to_compress.put(None)
        self._to_write.put(None)
        self._to_check.put(None)
        self._ended.put(None)

    def _stop(self) -> None:
        """End all threads. Another signal meanwhile doesn't leave one behind.

        A thread whose start a signal interrupted may still be coming to life. All that it will
        find is that it is over: it ends without having touched the file.
        """
        interrupted: BaseException | None = None
        while True:
            try:
                self._wake_all()
                for thread in self._threads:
                    if thread.ident is not None:
                        thread.join()
                break
            except BaseException as error:
                interrupted = error
        if interrupted is not None:
            raise interrupted

    def _compress_blocks(self) -> None:
        while (job := self._to_compress.get()) is not None:
            try:
                if not self._stopping:
                    job.compress()
            except BaseException as error:
                self._fail(error)
            finally:
                job.done.set()  # others wait for it, come what may

    def _write_blocks(self) -> None:
        try:
            if self._sealer is None:
                for data in self._members():
                    self._write(data)
            else:
                self._sealer.write(self._members(), self._write)
        except _Stopped:
            return
        self._on_written(self._written)
        self._to_check.put(None)

    def _members(self) -> Iterator[bytes]:
        """What the file is to hold, in its order; whoever asks for more has written what he got."""
        offset = member_start = raw_bytes = crc = 0
        while (job := self._to_write.get()) is not None:
            # A block that is handed over while another thread fails may be compressed by nobody.
            while not job.done.wait(_LOOK_UP):
                self._go_on()
            self._go_on()
            for segment, data in zip(job.segments, job.output, strict=True):
                yield data
                offset += len(data)
                raw_bytes += segment.end - segment.start
                crc = isal_zlib.crc32(data, crc)
                if segment.last:
                    length = offset - member_start
                    self._to_check.put(WrittenMember(member_start, length, raw_bytes, crc))
                    member_start, raw_bytes, crc = offset, 0, 0
            self._on_written(self._written)
            self._free.put(job.block)
        self._go_on()

    def _go_on(self) -> None:
        if self._stopping:
            raise _Stopped

    def _write(self, data: bytes) -> None:
        try:
            written = self._file.write(data)
            while written < len(data):
                written += self._file.write(memoryview(data)[written:])
        except OSError as error:
            raise storage_error(self._path, "written", error) from error
        self._written += written

    def _check_members(self) -> None:
        while (member := self._to_check.get()) is not None:
            self._read_back.add(member, self._written)
        if not self._stopping:
            self._read_back.finish(self._written)
        self._ended.put(None)


def storage_error(path: Path, what: str, error: OSError) -> StorageError:
    """An error about the file that is being written."""
    return StorageError(
        f"{path} can't be {what}",
        cause=error.strerror or str(error),
        fix="free space on the file system, or see its log",
    )

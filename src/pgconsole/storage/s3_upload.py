"""A multipart upload that trails a file which is still being written."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from pgconsole.errors import StorageError
from pgconsole.storage import files
from pgconsole.storage.s3_bucket import Begun, Bucket
from pgconsole.storage.s3_client import Patience
from pgconsole.storage.s3_records import RecordFile
from pgconsole.storage.s3_slice import FileSlice, Stopped, content_md5
from pgconsole.untrusted import open_regular

_MIB = 1 << 20
_LEAST_PART = 8 * _MIB  # S3 takes 5 MiB at least, except for the last
_MOST_PART = 5 << 30  # S3's limit
_MOST_PARTS = 10_000  # S3's limit
_PLANNED_PARTS = 450  # half of the 900 that stay clear of providers with a limit of 1,000
_UNKNOWN = 20 << 30  # bytes to plan for without an estimate: parts of 46 MiB, 450 GiB at most
_THREADS = 2  # one part is signed or waits for its answer while the other is sent


def part_size_for(expected_bytes: int) -> int:
    """The size of all parts but the last, which can't change later (R2 wants equal parts).

    Twice the estimate still stays under 900 parts, 22 times the estimate under S3's 10,000.

    Args:
        expected_bytes: Estimate of the file's size; 0 if there is none.
    """
    wanted = -(-(expected_bytes or _UNKNOWN) // _PLANNED_PARTS)
    return min(_MOST_PART, max(_LEAST_PART, -(-wanted // _MIB) * _MIB))


class _Part(NamedTuple):
    number: int
    offset: int
    length: int


class Upload:
    """One file on its way. Made by `S3Storage.begin_upload`.

    The writer calls `advance` while the file grows; then `finish`, and `complete` when the dump
    is proven good. Until `complete` nothing is visible in the bucket. `abort` ends it at any time.

    Args:
        bucket: Where to.
        begun: The multipart upload.
        record: Its record on our disk.
        path: The file; it may be renamed after the first `advance`.
        part_size: Bytes of every part but the last.
    """

    def __init__(
        self,
        bucket: Bucket,
        begun: Begun,
        record: RecordFile,
        path: Path,
        part_size: int,
    ) -> None:
        self._bucket = bucket
        self._begun = begun
        self._record = record
        self._path = path
        self._problem = f"{begun.key} can't be uploaded"
        self._fd = -1
        self._announced = 0  # bytes given to the threads
        self._parts = 0
        self._total: int | None = None  # known after finish
        self._ended = False  # completed or aborted
        self._etags: dict[int, str] = {}
        self._queue: SimpleQueue[_Part | None] = SimpleQueue()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"upload-{n}", daemon=True)
            for n in range(_THREADS)
        ]
        self.part_size = part_size
        self.error: StorageError | None = None
        """Why the upload failed; no further part is tried then."""

    @property
    def key(self) -> str:
        """The object that `complete` makes."""
        return self._begun.key

    @property
    def sent(self) -> int:
        """Bytes that the store has confirmed so far."""
        last = self._total is not None and self._parts in self._etags
        short = self._parts * self.part_size - self._announced if last else 0
        return len(self._etags) * self.part_size - short

    def advance(self, bytes_in_file: int) -> None:
        """Send what is complete by now. Never waits, never raises; see `error`.

        One thread at a time may call it.

        Args:
            bytes_in_file: Length of the part of the file that will not change any more.
        """
        if self._fd < 0 and bytes_in_file > 0 and self.error is None and not self._stop.is_set():
            self._open()
        while self.error is None and self._announced + self.part_size <= bytes_in_file:
            self._announce(self.part_size)

    def finish(self, total: int) -> None:
        """Send the rest and wait until the store has confirmed every part.

        Args:
            total: The file's final size in bytes.

        Raises:
            StorageError: A part could not be sent, the upload was aborted, or somebody else has
                put an object of this name there meanwhile.
        """
        self.advance(total)
        if self.error is None and total > self._announced:
            self._announce(total - self._announced)
        self._join()
        if self.error is not None:
            raise self.error
        if self._ended or total <= 0 or len(self._etags) != self._parts:
            raise StorageError(
                self._problem,
                cause=f"{len(self._etags)} of {self._parts} parts were sent",
                fix="take the backup again",
            )
        self._bucket.must_be_free(self.key)
        self._total = total

    def complete(self) -> None:
        """Make the object visible, and see that it is there with the right size.

        Raises:
            StorageError: It is not visible, or it is unknown whether it is: the message tells.
        """
        assert self._total is not None, "finish comes first"
        self._bucket.complete(self._begun, self._etags, self._total)
        self._ended = True
        self._close()
        with contextlib.suppress(StorageError):  # then abort_leftovers finds nothing to abort
            self._record.remove()

    def abort(self) -> None:
        """Stop the threads and leave nothing in the store. Does nothing after `complete`.

        Raises:
            StorageError: The store can't be told. The record stays, for `abort_leftovers`; the
                threads have ended all the same.
        """
        self._stop.set()
        self._join()
        self._close()
        if not self._ended:
            self._bucket.abort(self.key, self._begun.upload_id)
            self._ended = True
            self._record.remove()

    def _announce(self, length: int) -> None:
        if self._parts == _MOST_PARTS:
            self._fail(
                StorageError(
                    self._problem,
                    cause=f"the dump outgrew its estimate: {_MOST_PARTS} parts of "
                    f"{self.part_size} bytes are not enough",
                    fix="upload the finished backup, whose size is known",
                )
            )
            return
        if self._parts == 0:
            for thread in self._threads:
                thread.start()
        self._parts += 1
        self._queue.put(_Part(self._parts, self._announced, length))
        self._announced += length

    def _open(self) -> None:
        """Open the file while it has its first name."""
        try:
            self._fd = open_regular(self._path)
        except OSError as error:
            self._fail(files.storage_error(f"{self._path} can't be read", error))

    def _work(self) -> None:
        """A thread: send parts until there are no more."""
        while (part := self._queue.get()) is not None:
            if self.error is not None or self._stop.is_set():
                continue
            try:
                self._send(part)
            except Stopped as stopped:
                if stopped.error is not None:
                    problem = f"{self._path} can't be read"
                    self._fail(files.storage_error(problem, stopped.error))
            except StorageError as error:
                self._fail(error)
            except Exception as error:
                self._fail(self._bucket.address.explain(self._problem, error))

    def _send(self, part: _Part) -> None:
        with (
            self._bucket.address.translated(f"{self._problem}, part {part.number} failed"),
            FileSlice(self._fd, part.offset, part.length, self._stop) as body,
        ):
            answer = self._bucket.client(Patience.MOVING).upload_part(
                Bucket=self._bucket.address.bucket,
                Key=self.key,
                UploadId=self._begun.upload_id,
                PartNumber=part.number,
                ContentMD5=content_md5(body),
                Body=body,  # type: ignore[arg-type]
                ContentLength=part.length,
            )
        self._etags[part.number] = answer["ETag"]

    def _fail(self, error: StorageError) -> None:
        """Keep the first error. The threads see it before their next part."""
        if self.error is None:
            self.error = error

    def _join(self) -> None:
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            # In short waits, so that a signal's handler gets its turn everywhere.
            while thread.is_alive():
                thread.join(0.2)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

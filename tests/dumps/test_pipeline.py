"""The pipeline's threads end, whatever fails at whatever moment."""

from __future__ import annotations

import threading
from io import FileIO
from pathlib import Path

import pytest

from pgconsole.dumps.cutter import Segment
from pgconsole.dumps.pipeline import Pipeline
from pgconsole.errors import StorageError


def test_a_failure_just_while_a_block_is_handed_over(tmp_path: Path) -> None:
    """A thread that fails has told the compressors, not yet the writer, when the block comes."""
    path = tmp_path / "dump.sql.gz"
    raised: list[BaseException] = []

    def work() -> None:
        with FileIO(path, "x+") as file, Pipeline(file, path, lambda _: None) as pipeline:
            block = pipeline.free_block()
            for _ in pipeline._threads:
                pipeline._to_compress.put(None)
            for thread in pipeline._threads:
                if thread.name.startswith("dump-compress"):
                    thread.join()
            pipeline.submit(block, [Segment(0, 10, last=True)])
            pipeline._fail(StorageError("the disk has a fault"))
            try:
                pipeline.finish()
            except StorageError as error:
                raised.append(error)

    caller = threading.Thread(target=work, daemon=True)
    caller.start()
    caller.join(10)
    assert not caller.is_alive()
    with pytest.raises(StorageError, match="the disk has a fault"):
        raise raised[0]

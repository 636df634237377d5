"""File locks: one holder, named, gone with its process."""

import json
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from pgconsole.locks import Holder, LockedError, hold, is_held

HOLDER = Holder("alice", "backup", "2026-11-22T02:00:00+00:00", "host", 42, "job-1")
HOLD_UNTIL_KILLED = """
import sys
from pathlib import Path
from pgconsole.locks import Holder, hold
with hold(Path(sys.argv[1]), Holder("bob", "backup", "2026-11-22T02:00:00+00:00", "h", 1)):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_learns_who_holds_it(tmp_path: Path):
    path = tmp_path / "locks" / "a.lock"
    assert not is_held(path)
    with hold(path, HOLDER):
        assert is_held(path)
        with pytest.raises(LockedError) as caught, hold(path, HOLDER):
            pass
        assert caught.value.holder == HOLDER
    assert not is_held(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with hold(path, HOLDER):
        pass


def test_the_kernel_releases_the_lock_of_a_killed_holder(tmp_path: Path):
    path = tmp_path / "a.lock"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD_UNTIL_KILLED, path],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    assert is_held(path)
    process.kill()
    process.communicate()
    assert not is_held(path)


@pytest.mark.parametrize(
    "content",
    [
        "{",
        json.dumps(asdict(HOLDER) | {"since": "yesterday"}),
        json.dumps(asdict(HOLDER) | {"since": "2026-11-22T02:00:00"}),
        json.dumps(asdict(HOLDER) | {"since": 7}),
    ],
)
def test_a_holder_that_wrote_nothing_of_use_is_unknown(tmp_path: Path, content: str):
    path = tmp_path / "a.lock"
    with hold(path, HOLDER):
        path.write_text(content)
        with pytest.raises(LockedError) as caught, hold(path, HOLDER):
            pass
        assert caught.value.holder is None


def test_a_symlink_is_not_followed(tmp_path: Path):
    (tmp_path / "a.lock").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic links"), hold(tmp_path / "a.lock", HOLDER):
        pass
    assert not (tmp_path / "target").exists()


def test_onlookers_never_keep_the_lock_from_who_wants_it(tmp_path: Path):
    path = tmp_path / "a.lock"
    with hold(path, HOLDER):
        pass
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_held(path)

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(200):
            with hold(path, HOLDER):
                pass
    finally:
        stop.set()
        for thread in threads:
            thread.join()

"""The recorded session: a backup is taken, its rows are looked at, its restore is planned."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

from screenshots.record import Recorder, Step

from pgconsole.settings import Settings

_SIZE = (100, 30)
_ENTER, _ESCAPE = "\r", "\x1b"
_STEPS: tuple[Step, ...] = (
    ("", "local + S3", 3.0),
    ("b", "Type yes", 1.5),
    (f"yes{_ENTER}", "● Backup", 1.0),  # a short one may never be seen running: few updates
    ("", "Backup done", 3.0),
    ("z1", "Local", 1.0),
    (_ENTER, "publications", 2.5),
    (_ENTER, "row", 2.5),
    (_ESCAPE, "TABLE", 1.0),
    (_ESCAPE, "local + S3", 1.5),
    ("r", "✓ passed", 4.0),
    (_ESCAPE, "local + S3", 1.5),
    ("q", "", 0.5),
)


def record_session(settings: Settings, path: Path) -> None:
    """Play it in a terminal, and write it as an asciicast.

    Raises:
        RuntimeError: The console does not show what it should.
    """
    program = Path(sysconfig.get_path("scripts")) / "pgconsole"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **kept, **settings.environment(), "TERM": "xterm-256color", "COLORTERM": "truecolor",
        "PGCONSOLE_ENV_FILE": os.devnull, "PGCONSOLE_LOW_BANDWIDTH": "true",
    }  # fmt: skip
    recorder = Recorder([str(program)], environment, _SIZE)
    try:
        recorder.play(_STEPS)
    finally:
        recorder.save(path, "pgconsole: a backup, its rows, the plan of a restore")
    print(f"screenshots/{path.name}")

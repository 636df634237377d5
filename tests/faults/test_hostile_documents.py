"""Each field of each file of JSON in BACKUP_DIR made into what it can't be."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner
from tests.conftest import MakeSettings
from tests.faults import state
from tests.faults.readers import JOB, bounded_memory, read_everything
from tests.faults.recorder import Fault, Faults, Group

from pgconsole.cli import cli
from pgconsole.errors import PgconsoleError
from pgconsole.settings import Settings

FIELD = Fault(
    Group.HOSTILE,
    "one field of a manifest, job, journal, proof, pin, lock, slot, pause, heartbeat or upload "
    "record is of another type, huge, negative, a time that can't be; or the file is torn",
    "whoever reads it goes on without it or says what is wrong; nothing is raised that is no error "
    "of ours; nothing printed acts on a terminal",
)
COMMANDS = (
    ("list",), ("list", "--json"), ("jobs",), ("jobs", "--json"), ("jobs", JOB),
    ("jobs", JOB, "--json"), ("status", "--local"), ("status", "--local", "--json"),
    ("prune", "--dry-run"), ("show", state.BACKUP), ("show", state.BACKUP, "--json"),
    ("rows", state.BACKUP, "public.users", "--limit", "3"), ("sql", state.BACKUP),
)  # fmt: skip
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    """What all commands print that only read."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    text = ""
    for argv in COMMANDS:
        done = CliRunner().invoke(cli, argv)
        if done.exception and not isinstance(done.exception, SystemExit | PgconsoleError):
            raise AssertionError(f"pgconsole {' '.join(argv)}") from done.exception
        text += done.output
    return text


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("document", state.DOCUMENTS)
def test_no_field_breaks_a_reader(
    document: str,
    make_settings: MakeSettings,
    faults: Faults,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = make_settings(None, "app", PGHOST="127.0.0.1", PGPORT="1")
    state.lay_everything(settings)
    path = settings.backup_dir / document
    good = path.read_bytes()
    every = list(state.variants(path, state.DOCUMENTS[document]))
    chosen = faults.random(document).sample(every, faults.times(6, min(300, len(every))))
    for what, content in chosen:
        with faults.trial(FIELD) as trial:
            path.write_bytes(content)
            with bounded_memory():
                try:
                    read_everything(settings)
                    text = printed(settings, monkeypatch)
                except Exception as error:
                    raise AssertionError(f"{document}: {what}") from error
            assert not _CONTROL.search(text), (what, _CONTROL.search(text))
            trial.happened("read past, or refused in words")
    path.write_bytes(good)
    assert read_everything(settings)["backups"] == ""

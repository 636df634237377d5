"""Consoles in real terminals, on a real server and a real bucket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest
from tests.cli.program import PROGRAM, environment
from tests.conftest import MakeSettings
from tests.e2e.driving import Open
from tests.e2e.terminal import Terminal, open_terminal

from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings


@pytest.fixture
def settings(
    postgres16: PostgresServer,
    database: str,
    s3: S3Server,
    s3_bucket: str,
    make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    """A small database and a bucket."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])
    return make_settings(postgres16, database, **s3.environment(s3_bucket))


@pytest.fixture
def console(settings: Settings) -> Iterator[Open]:
    """Opens consoles; each is closed at the end."""
    with ExitStack() as stack:

        def open_console(
            columns: int = 80, rows: int = 24, argv: Sequence[str] = (PROGRAM,), **variables: str
        ) -> Terminal:
            terminal = open_terminal([*argv], environment(settings, **variables), columns, rows)
            stack.callback(terminal.close)
            terminal.wait_for("pgconsole")
            return terminal

        yield open_console

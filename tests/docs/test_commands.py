"""Every command in the documents works as it is written there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import create_database, drop_database
from tests.docs.commands import Command, blocks, documents, shell_commands, table_commands
from tests.docs.site import Site, make_site

from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings

# Run by other means: each with the reason. Everything else runs here.
ELSEWHERE = {
    "make demo": "tests/demo",
    "make test": "this is it",
    "make test-slow": "takes longer than this",
    "make bench": "tests/bench",
    "make faults": "tests/faults is its short form",
    "make screenshots": "takes minutes; its pictures are in the repository",
    "make audit": "needs the network; what it needs none for is in tests/dependencies",
    "make image-check": "takes minutes, and needs root",
    "docker run --rm --user 0 --volume docker_backupdata:/backups --entrypoint chown pgconsole "
    "-R 999:999 /backups": "docker/check_image, which has a user 999",
    "pgconsole wal-push %p": "tests/wal/test_server.py: the server puts a path in for %p",
    "age -d -i identity.txt /backups/daily/thinktank_daily_20260225_020000.sql.gz.age | zcat "
    "| psql --single-transaction --set ON_ERROR_STOP=on": "tests/backups/test_encrypted.py",
    "pip install .": "make has installed it, or nothing here would run",
}
# Exit codes other than 0 that the documents speak of.
ALLOWED = {"pgconsole doctor": (0, 1, 2), "pgconsole status": (0, 1, 2)}


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, postgres16: PostgresServer, s3: S3Server
) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    create_database(
        postgres16,
        "thinktank",
        "CREATE TABLE notes (id int PRIMARY KEY, text text);"
        "INSERT INTO notes SELECT i, md5(i::text) FROM generate_series(1, 500) i;",
    )
    s3.make_bucket("documented")
    yield make_site(directory, postgres16, s3, "documented")
    for name in ("thinktank", "thinktank_copy"):
        drop_database(postgres16, name)


# The main path; the commands of the others are run by `make test-slow`.
_FIRST = {"README", "guide", "restore", "configuration", "wal"}
DOCUMENTS = [
    pytest.param(path, id=path.stem, marks=[] if path.stem in _FIRST else [pytest.mark.slow])
    for path in documents()
]


@pytest.mark.parametrize("document", DOCUMENTS)
@pytest.mark.timeout(400)
def test_every_command_runs(document: Path, site: Site) -> None:
    failures = []
    for command in [*shell_commands(document), *table_commands(document)]:
        if command.text in ELSEWHERE:
            continue
        status, output = site.run(command.text)
        if status not in _allowed(command):
            failures.append(f"line {command.line}: {command.text}\nexit {status}\n{output}")
    assert not failures, "\n\n".join(failures)


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.stem)
def test_every_env_block_is_a_valid_configuration(document: Path, tmp_path: Path) -> None:
    for block, line in blocks(document, "dotenv"):
        path = tmp_path / ".env"
        path.write_text(block)
        assert Settings(_env_file=path), f"line {line}"


def test_commands_are_found() -> None:
    assert shutil.which("bash")
    texts = [c.text for path in documents() for c in (*shell_commands(path), *table_commands(path))]
    assert "pgconsole restore --latest" in texts
    assert any(text.startswith("docker exec -it thinktank-backup") for text in texts)
    assert "docker exec thinktank-backup ls -lht /backups/daily/ | head -5" in texts


def _allowed(command: Command) -> tuple[int, ...]:
    return next((codes for text, codes in ALLOWED.items() if text in command.text), (0,))

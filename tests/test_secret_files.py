"""Secrets in files, as Docker and Kubernetes hand them over; and settings that must hold none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.cli.program import PROGRAM

from pgconsole.errors import ConfigurationError
from pgconsole.secret_files import FILE_VARIABLES
from pgconsole.settings import describe, load_settings
from pgconsole.wal.configuration import s3_settings

NASTY = "p@ss#w:o/r\\d'\"% ünï"


@pytest.mark.parametrize(
    ("variable", "field"),
    [
        ("PGPASSWORD", "pgpassword"),
        ("DB_PASSWORD", "pgpassword"),
        ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
        ("AWS_SESSION_TOKEN", "aws_session_token"),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_secret_is_read_from_the_file(
    variable: str, field: str, end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "secret"
    path.write_bytes((NASTY + end).encode())
    monkeypatch.setenv(f"{variable}_FILE", str(path))
    settings = load_settings()
    assert getattr(settings, field).get_secret_value() == NASTY
    assert settings.redactor(f"x {NASTY} y") == "x *** y"
    assert (variable, "***", str(path)) in describe(settings)


def test_the_access_key_and_the_env_file(tmp_path: Path):
    path = tmp_path / "key"
    path.write_text("AKIA123\n")
    Path(".env").write_text(f"AWS_ACCESS_KEY_ID_FILE={path}\n")
    assert load_settings().aws_access_key_id == "AKIA123"


def test_wal_push_reads_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "key"
    path.write_text(NASTY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY_FILE", str(path))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA123")
    monkeypatch.setenv("S3_BACKUP_BUCKET", "wal")
    monkeypatch.setenv("S3_SSE", "AES256")
    settings = s3_settings()
    assert settings.aws_secret_access_key.get_secret_value() == NASTY
    assert settings.s3_sse == "AES256"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "No such file"),
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff\xfe", "no text in UTF-8"),
        (b"a\0b", "no password or key"),
        (b"x" * 70_000, "no password or key"),
    ],
)
def test_a_file_without_a_secret_is_an_error_that_names_it(
    content: bytes | None, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("PGPASSWORD_FILE", str(path))
    with pytest.raises(ConfigurationError, match=says) as caught:
        load_settings()
    assert caught.value.problem == f"PGPASSWORD_FILE is {str(path)!r}"
    assert caught.value.fix


@pytest.mark.parametrize("other", ["PGPASSWORD", "DB_PASSWORD", "DB_PASSWORD_FILE"])
def test_a_secret_that_is_given_twice_is_refused(
    other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "secret"
    path.write_text("hunter2")
    monkeypatch.setenv("PGPASSWORD_FILE", str(path))
    monkeypatch.setenv(other, str(path))
    with pytest.raises(ConfigurationError, match=f"{other}.* both set") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PGDATABASE", "postgresql://app:hunter2@db/app"),
        ("PGDATABASE", "postgres://app:hunter2/#p@ss@db"),
        ("PGDATABASE", "host=db password=hunter2 dbname=app"),
        ("PGDATABASE", "host=db PassWord = 'hunter2'"),
        ("PGHOST", "postgres://app:hunter2@db"),
        ("S3_ENDPOINT_URL", "https://key:hunter2@minio.example.com"),
        ("S3_ENDPOINT_URL", "https://hunter2@minio.example.com:9000"),
        ("S3_BACKUP_BUCKET", "s3://key:hunter2@bucket"),
    ],
)
def test_a_password_in_the_wrong_place_is_refused_and_not_shown(
    variable: str, value: str, tmp_path: Path
):
    program = subprocess.run(
        [PROGRAM, "info"], env={"PATH": os.environ["PATH"], variable: value}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert program.returncode == 2
    assert f"{variable} is ***" in program.stderr
    assert "a variable of its own" in program.stderr
    assert "hunter2" not in program.stdout + program.stderr


def test_every_variable_is_documented():
    text = (Path(__file__).parents[1] / "docs" / "security.md").read_text()
    assert {name for name in FILE_VARIABLES if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("name", ["a=b", "postgresql://x/y", "passwords", "me@work", "pass word"])
def test_a_strange_name_is_no_password(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PGDATABASE", name)
    assert load_settings().pgdatabase == name

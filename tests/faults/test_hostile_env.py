"""A `.env` that is broken, endless, or no file at all."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults import bait, hostile
from tests.faults.readers import bounded_memory
from tests.faults.recorder import Fault, Faults, Group

from pgconsole.env_file import read_env_file
from pgconsole.errors import ConfigurationError
from pgconsole.settings import Settings, describe, load_settings
from pgconsole.wal.configuration import archive_directory

REFUSED = Fault(
    Group.HOSTILE,
    "a `.env` that is broken, endless, no text, or no file",
    "refused at once with exit code 2; the message names the file, the line and what is wrong",
)
READ = Fault(
    Group.HOSTILE,
    "a `.env` with a BOM, CRLF, duplicates, odd quoting and other programs' lines",
    "read as python-dotenv reads it; of several lines the last counts",
)

_DOUBLING = "A=xxxxxxxxxxxxxxxx\n" + "".join(
    f"{chr(b)}=${{{chr(a)}}}${{{chr(a)}}}\n"
    for a, b in zip(range(65, 89), range(66, 90), strict=True)
)
BROKEN: dict[str, tuple[bytes, str]] = {
    "a quotation mark that is not closed": (b"PGHOST=a\nPGPASSWORD='secret\nPGPORT=1\n", "Line 2 "),
    "and blank lines before it": (b"PGHOST=a\n\n\n\r\nPGPORT=\"1\n", "Line 5 "),
    "something behind a value in quotes": (b"PGHOST='a' b\n", "Line 1 "),
    "words without =": (b"PGHOST=a\nplease use the other server\n", "Line 2 "),
    "a byte of zero": (b"PGHOST=a\nPGUSER=b\0c\n", "Line 2 "),
    "bytes of zero only": (b"\0" * 1000, "Line 1 "),
    "no UTF-8": (b"PGHOST=a\nPGUSER=b\xff\n", "byte 17, in line 2, is no UTF-8"),
    "UTF-16": ("PGHOST=a\n".encode("utf-16"), "is no UTF-8"),
    "a megabyte of lines": (b"A=1\n" * (1 << 18), "more than 262,144 bytes"),
    "one endless line": (b"PGHOST=" + b"x" * (200 << 10), "more than 16,384 characters"),
    "values that double": (_DOUBLING.encode(), "more than 16,384 characters"),
    "a hundred thousand blanks": (b"PGHOST=x" + b" " * 100_000 + b"y\n", "256 blanks in a row"),
    "blanks before a comment": (b"PGHOST=x" + b"\t " * 80_000 + b"#\n", "256 blanks in a row"),
    "a hundred thousand open braces": (b"PGHOST=" + b"${" * 100_000 + b"\n", "16,384 characters"),
    "braces in braces": (b"PGHOST=" + b"${" * 8_000 + b"}\n", ""),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_broken_files_are_refused_with_the_line(what: str, faults: Faults) -> None:
    content, says = BROKEN[what]
    Path(".env").write_bytes(content)
    with faults.trial(REFUSED) as trial, bounded_memory(128 << 20):
        began = time.process_time()
        if says:
            for read in (load_settings, archive_directory):
                with pytest.raises(ConfigurationError) as caught:
                    read()
                assert ".env" in caught.value.problem
                assert says in str(caught.value)
                assert "secret" not in str(caught.value)
        else:
            load_settings()
        assert time.process_time() - began < 5
        trial.happened("refused, with the line" if says else "read, in bounded time")


NO_FILES: dict[str, tuple[Callable[[Path], None], str]] = {
    "a directory": (lambda path: path.mkdir(), "Is a directory"),
    "a FIFO that nobody writes": (os.mkfifo, "nobody has written it"),
    "a link to /dev/zero": (lambda path: path.symlink_to("/dev/zero"), "more than 262,144 bytes"),
    "a link to itself": (lambda path: path.symlink_to(".env"), "symbolic links"),
    "a socket": (bait.THINGS["a socket"], "No such device"),
}


@pytest.mark.parametrize("what", NO_FILES)
def test_what_is_no_file_is_refused_in_time(
    what: str, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, says = NO_FILES[what]
    make(Path(".env"))
    monkeypatch.setattr("pgconsole.env_file._PATIENCE", 0.3)
    with faults.trial(REFUSED) as trial, bounded_memory(128 << 20):
        with pytest.raises(ConfigurationError, match=says):
            load_settings()
        trial.happened("refused: it is no file that ends")


def test_every_command_refuses_in_the_same_words(faults: Faults, tmp_path: Path) -> None:
    broken = tmp_path / "broken.env"
    broken.write_text("BACKUP_DIR=/tmp/elsewhere\nPGPASSWORD='secret\n")
    settings = Settings.model_validate({"BACKUP_DIR": str(tmp_path)})
    commands = [*hostile.COMMANDS, ("backup",), ("wal-push", "pg_wal/0"), ("schedule",)]
    with faults.trial(REFUSED) as trial:
        said = hostile.run(settings, commands, tmp_path / "out", PGCONSOLE_ENV_FILE=str(broken))
        for one in said:
            assert one.code == (1 if one.argv == ("doctor",) else 2), one
            assert f"Line 2 of {broken} can't be used" in one.out + one.err, one
        trial.happened("refused, with the line", len(said))


def test_what_dotenv_reads_is_read(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_bytes(
        b"\xef\xbb\xbfPGHOST=first\r\nexport PGUSER = alice  # who\r\n\r\n"
        b"OTHER_PROGRAM\nDUPLICATE=1\nPGHOST=last\rPGDATABASE='it''s'\n".replace(b"''", b"\\'")
        + b'PGPASSWORD="a # b \\" \\n"\nS3_BUCKET=${NOBODY:-spare}-${PGUSER}\n'
        + b"BACKUP_DIR=/tmp/${PGHOST}"
    )
    monkeypatch.setenv("S3_PREFIX", "from-environment")
    with faults.trial(READ) as trial:
        settings = load_settings()
        assert (settings.pghost, settings.pguser, settings.pgdatabase) == ("last", "alice", "it's")
        assert settings.pgpassword.get_secret_value() == 'a # b " \n'
        assert settings.s3_bucket == "spare-alice"
        assert str(settings.backup_dir) == "/tmp/last"
        sources = {variable: source for variable, _, source in describe(settings)}
        assert sources["PGHOST"] == str(Path(".env").resolve())
        assert sources["S3_PREFIX"] == "environment"
        trial.happened("read: the last line of a name counts")


def test_a_pipe_is_read_to_its_end(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    """`PGCONSOLE_ENV_FILE=<(decrypt .env)`, and a writer that comes late."""
    os.mkfifo("pipe")
    monkeypatch.setenv("PGCONSOLE_ENV_FILE", "pipe")

    def write() -> None:
        with Path("pipe").open("wb", buffering=0) as pipe:
            for piece in (b"PGHOST=fr", b"om-pipe\nPGPORT", b"=99\n"):
                pipe.write(piece)
                time.sleep(0.1)  # a slow writer is what is tried here

    with faults.trial(READ) as trial:
        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert read_env_file() == {"PGHOST": "from-pipe", "PGPORT": "99"}
        finally:
            writer.join()
        trial.happened("a slow pipe is read to its end")


def test_values_that_would_act_on_a_terminal_or_fill_it(faults: Faults, tmp_path: Path) -> None:
    settings = Settings.model_validate({"BACKUP_DIR": str(tmp_path)})
    wild = {"PGHOST": "\x1b[2J\x07red\x9b31m", "S3_PREFIX": "a\nb"}
    with faults.trial(REFUSED) as trial:
        (said,) = hostile.run(settings, [("info",)], tmp_path / "out", **wild)
        assert "\\x1b[2J\\x07red\\x9b31m" in said.out
        wrong = {"PGPORT": "9" * 100_000, "BACKUP_SCHEDULE": "\x1b[2J" + "1," * 50_000}
        (said,) = hostile.run(settings, [("info",)], tmp_path / "out", **wrong)
        assert said.code == 2
        assert "PGPORT is '999" in said.err
        assert len(said.err) < 3000
        trial.happened("shown escaped, and no longer than it takes")


def test_an_empty_pipe_is_an_empty_file(faults: Faults, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    monkeypatch.setenv("PGCONSOLE_ENV_FILE", f"/dev/fd/{reading}")
    with faults.trial(READ) as trial:
        try:
            began = time.process_time()
            assert read_env_file() == {}
            assert time.process_time() - began < 1
        finally:
            os.close(reading)
        trial.happened("an empty pipe says nothing")

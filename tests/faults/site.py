"""What faults are let loose on: real servers, a database, a backup directory and a bucket."""

from __future__ import annotations

import contextlib
import os
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import ClientError
from psycopg import sql
from tests.backups.helpers import plain_dump, without_keys
from tests.conftest import create_database, drop_database
from tests.support import wait_until

from pgconsole import jobs
from pgconsole.backups.pins import pin
from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.dumps.naming import parse_name
from pgconsole.jobs import Job, JobStatus
from pgconsole.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

DATABASE = "prey"
SUNDAY_THE_FIRST = datetime(2026, 2, 1, 2, 0, tzinfo=UTC)  # a backup of all three classes
# About 5 MB of plain dump. Around a large object a dump has a transaction of its own.
_CONTENT = """
CREATE TABLE first AS SELECT i AS id, md5('{word}' || i) AS text FROM generate_series(1, 60000) i;
CREATE TABLE second AS SELECT i AS id, md5('{word}' || i) AS text FROM generate_series(1, 60000) i;
CREATE TABLE marker (id int PRIMARY KEY, word text DEFAULT '{word}');
CREATE VIEW counted AS SELECT count(*) FROM first;
SELECT lo_from_bytea(4242, '{word}');
"""
_numbers = count(1)
_EMBEDDED = PostgresServer.start


class FaultyPostgres(PostgresServer):
    """A server that is killed and comes up again."""

    def start(self) -> None:
        """Start again as soon as the processes of the one that was killed are gone."""

        def starts() -> bool:
            try:
                _EMBEDDED(self)
            except RuntimeError as error:
                if "shared memory" not in str(error) and "lock file" not in str(error):
                    raise
                return False
            return True

        wait_until(starts, 40)

    def kill(self) -> None:
        """Kill the postmaster with -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None


class Site:
    """A database with content that is known, and where its backups go.

    Args:
        directory: For the backup directory; it is made there.
        server: A server that may be killed.
        s3: One that may be killed, too.
        variables: More settings.
    """

    def __init__(
        self, directory: Path, server: FaultyPostgres, s3: S3Server, **variables: str
    ) -> None:
        self.server = server
        self.s3 = s3
        self.database = f"{DATABASE}{next(_numbers)}_{os.getpid()}"
        bucket = self.database.replace("_", "-")
        s3.make_bucket(bucket)
        directory.mkdir(mode=0o700)
        self.settings = Settings.model_validate(
            {
                "BACKUP_DIR": str(directory), "PGDATABASE": self.database,
                "RETENTION_DAILY": "2", "RETENTION_WEEKLY": "1", "RETENTION_MONTHLY": "1",
                "S3_RETENTION": "true", **server.environment, **s3.environment(bucket), **variables,
            }
        )  # fmt: skip
        self.contents: dict[str, bytes] = {}
        self.laid_on: dict[str, Any] = {}
        """What tests.faults.runner is asked for, besides."""
        self._seconds = count(1)
        self.checked: set[tuple[Any, ...]] = set()
        """Files and objects that were found whole, and need no second look."""

    def fill(self, word: str) -> bytes:
        """Put known content into the database, in place of what it has; returns its dump."""
        template = f"{self.database}_{word}"
        if word not in self.contents:
            create_database(self.server, template, _CONTENT.format(word=word))
            self.contents[word] = without_keys(plain_dump(self.server, template))
        drop_database(self.server, self.database)
        with self.server.connect() as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(self.database), sql.Identifier(template)
                )
            )
        return self.contents[word]

    def state(self) -> bytes:
        """What the database holds now, as a plain dump."""
        return without_keys(plain_dump(self.server, self.database))

    def slot(self) -> str:
        """The next slot, for a request; its backup is in all three classes."""
        return (SUNDAY_THE_FIRST + timedelta(seconds=next(self._seconds))).isoformat()

    def run(self, kind: str, request: dict[str, Any], **update: object) -> Job:
        """Run a job to its end, with other settings if need be."""
        settings = self.settings.model_copy(update=update)
        return jobs.wait(settings, jobs.start(settings, kind, request, "test"), poll=0.02)

    def backup(self, *, pinned: bool = False) -> Path:
        """Take a backup that has to succeed; returns its first file."""
        job = self.run("backup", {"slot": self.slot()})
        assert job.status is JobStatus.DONE, job
        assert job.result is not None
        name = parse_name(str(job.result["name"]))
        assert name is not None
        if pinned:
            pin(self.settings, name, "of the suite", "test")
        return self.settings.backup_dir / name.relative_path

    @cached_property
    def client(self) -> S3Client:
        """A client of the bucket that goes around everything of pgconsole."""
        return boto3.client(
            "s3", endpoint_url=self.s3.endpoint, region_name="us-east-1",
            aws_access_key_id=self.s3.access_key, aws_secret_access_key=self.s3.secret_key,
            config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip

    def objects(self) -> dict[str, int]:
        """All objects of the bucket with their sizes; none where S3 is off."""
        if not self.settings.s3_enabled:
            return {}
        pages = self.client.get_paginator("list_objects_v2")
        return {
            found["Key"]: found["Size"]
            for page in pages.paginate(Bucket=self.settings.s3_bucket)
            for found in page.get("Contents", [])
        }

    def open_uploads(self) -> list[str]:
        """The keys of unfinished multipart uploads."""
        if not self.settings.s3_enabled:
            return []
        try:
            answer = self.client.list_multipart_uploads(Bucket=self.settings.s3_bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchUpload":  # rclone: there never was one
                return []
            raise
        return [upload["Key"] for upload in answer.get("Uploads", [])]

    def heal(self) -> None:
        """Start what was killed."""
        for server in (self.server, self.s3):
            if server.process is None or server.process.poll() is not None:
                server.process = None
                server.start()
        wait_until(self._accepts, 60)  # where one of its processes was killed it recovers

    def _accepts(self) -> bool:
        try:
            self.server.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        """Take the databases away."""
        self.heal()
        for name in (self.database, *(f"{self.database}_{word}" for word in self.contents)):
            with contextlib.suppress(Exception):
                drop_database(self.server, name)

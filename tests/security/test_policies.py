"""The S3 policies of docs/security.md: enough for what they are for, and nothing that nobody needs.

moto holds every request against the policy. What it does not tell apart (it takes the question for
a bucket's lock for one for its list) is compared here: what was asked, and what the policy allows.
"""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from tests.cli.program import run
from tests.conftest import MakeSettings
from tests.moto_server import MotoServer, Request
from tests.security.document import BUCKET, policies
from tests.wal.conftest import NAME, Segments

from pgconsole.demo.servers import PostgresServer
from pgconsole.settings import Settings
from pgconsole.storage.s3 import S3Storage
from pgconsole.storage.s3_errors import Address
from pgconsole.storage.s3_records import RecordFile

pytestmark = pytest.mark.timeout(400)  # each command starts a program; there are twenty

BACKUP_ONLY, FOR_RETENTION, RESTORE_ONLY = policies()
WITH_RETENTION = {
    "Version": "2012-10-17",
    "Statement": [*BACKUP_ONLY["Statement"], *FOR_RETENTION["Statement"]],
}
# What an answer to HeadObject needs to tell of a lock; S3 leaves it out without them.
WITH_HEAD = {"s3:GetObjectRetention", "s3:GetObjectLegalHold"}
_numbers = itertools.count(1)

# The action for each kind of request (Service Authorization Reference, Amazon S3): the first of
# these words in the query decides.
ACTIONS = {
    ("GET", "bucket"): {
        "object-lock": "s3:GetBucketObjectLockConfiguration",
        "versioning": "s3:GetBucketVersioning",
        "lifecycle": "s3:GetLifecycleConfiguration",
        "uploads": "s3:ListBucketMultipartUploads",
        "": "s3:ListBucket",
    },
    ("GET", "object"): {"uploadId": "s3:ListMultipartUploadParts", "": "s3:GetObject"},
    ("HEAD", "object"): {"": "s3:GetObject"},
    ("PUT", "object"): {"": "s3:PutObject"},
    ("POST", "object"): {"": "s3:PutObject"},
    ("DELETE", "object"): {"uploadId": "s3:AbortMultipartUpload", "": "s3:DeleteObject"},
}


def needed(request: Request) -> set[tuple[str, str]]:
    """What a request needs: actions, each with the resource."""
    url = urlsplit(request.path)
    query = parse_qs(url.query, keep_blank_values=True)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    kinds = ACTIONS[request.method, "object" if key else "bucket"]
    action = next(action for word, action in kinds.items() if not word or word in query)
    found = {(action, f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}")}
    if source := request.headers.get("x-amz-copy-source"):
        found.add(("s3:GetObject", f"arn:aws:s3:::{unquote(source)}"))
    return found


def allows(policy: dict[str, Any], action: str, resource: str) -> bool:
    """Whether a statement of the policy names both."""
    return any(
        action in _listed(statement["Action"])
        and any(fnmatch.fnmatchcase(resource, one) for one in _listed(statement["Resource"]))
        for statement in policy["Statement"]
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


class Holder:
    """Somebody with a key of one policy, and the program.

    Attributes:
        settings: With that key.
    """

    def __init__(self, store: MotoServer, policy: dict[str, Any], settings: Settings) -> None:
        self._store = store
        self._policy = policy
        self.settings = settings

    def run(self, *arguments: str, code: int = 0, **variables: str) -> str:
        """Run a command; what it said."""
        done = run(self.settings, *arguments, timeout=100, **variables)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        return said

    def must_fit(self, unused: set[str]) -> None:
        """Every request that was granted is allowed by the policy, and all of it was used."""
        mine = f"Credential={self.settings.aws_access_key_id}/"
        granted = [
            one
            for one in self._store.requests
            if one.status != 403 and mine in one.headers.get("Authorization", "")
        ]
        asked = set[tuple[str, str]]().union(*map(needed, granted))
        assert asked
        for action, resource in asked:
            assert allows(self._policy, action, resource), (action, resource)
        in_policy = {
            action
            for statement in self._policy["Statement"]
            for action in _listed(statement["Action"])
        }
        assert in_policy - {action for action, _ in asked} == unused


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MotoServer]:
    """A store that holds everybody to their policy, with the document's bucket."""
    with MotoServer(tmp_path / "moto") as server:
        server.make_bucket(BUCKET, locks=True)
        yield server


@pytest.fixture
def holder(
    store: MotoServer, postgres16: PostgresServer, database: str, make_settings: MakeSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:  # fmt: skip
    """Makes holders of a policy."""
    monkeypatch.setenv("PATH", postgres16.environment["PATH"])

    def make(policy: dict[str, Any], **variables: str) -> Holder:
        store.enforce(policies=False)
        key = store.make_user(f"user{next(_numbers)}", policy)
        store.enforce(policies=True)
        given = store.environment(BUCKET) | key | variables
        return Holder(store, policy, make_settings(postgres16, database, **given))

    return make


def stored(store: MotoServer) -> set[str]:
    """The keys of all objects that can be seen."""
    store.enforce(policies=False)
    found = store.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    store.enforce(policies=True)
    return {one["Key"] for one in found}


def dumps(store: MotoServer) -> list[str]:
    """The keys of the daily dumps, the oldest first."""
    return sorted(key for key in stored(store) if "/daily/" in key and key.endswith(".gz"))


def test_backup_only(holder: Any, store: MotoServer, tmp_path: Path):
    alice: Holder = holder(BACKUP_ONLY, RETENTION_DAILY="1")
    alice.run("backup")
    (first,) = dumps(store)
    local = alice.settings.backup_dir / "daily" / first.rpartition("/")[2]
    alice.run("verify", "--s3", first)
    alice.run("list", "--s3")
    assert "ok       S3 writing" in alice.run("doctor")
    alice.run("status")
    alice.run("wal-push", "--s3", str(Segments(tmp_path / "data").write(NAME)))
    _leave_unfinished(alice)
    alice.run("backup")
    assert local.exists() is False  # here retention works
    assert len(dumps(store)) == 2
    alice.must_fit(unused=set())

    alice.run("verify", "--s3", dumps(store)[-1])  # now the first is of no use any more
    everything = stored(store)
    refused = alice.run("prune", "--yes", code=1, S3_RETENTION="true")
    assert "the store refuses this access key" in refused
    assert stored(store) == everything


def _leave_unfinished(alice: Holder) -> None:
    """What two killed jobs leave: an upload whose id is known, and one that was about to begin."""
    database, settings = alice.settings.pgdatabase, alice.settings
    begun, planned = (f"backups/daily/{database}_daily_2026010{n}_020000.sql.gz" for n in (1, 2))
    S3Storage(settings).begin_upload(begun, Path("/nonexistent"))
    address = Address(settings.s3_bucket, settings.s3_endpoint_url)
    RecordFile.begin(settings.state_dir / "uploads", address, planned)


def test_with_retention(holder: Any, store: MotoServer):
    bob: Holder = holder(WITH_RETENTION, RETENTION_DAILY="1", S3_RETENTION="true")
    for _ in range(2):
        bob.run("backup")
    oldest, *rest = dumps(store)
    assert not rest
    store.enforce(policies=False)
    until = datetime.now(UTC) + timedelta(days=1)
    store.client.put_object_retention(
        Bucket=BUCKET, Key=oldest, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until}
    )
    store.enforce(policies=True)
    bob.run("backup")
    assert len(dumps(store)) == 2  # the locked one stays
    assert "locked until" in bob.run("prune", "--dry-run")
    bob.run("doctor")
    bob.must_fit(unused=WITH_HEAD | {"s3:AbortMultipartUpload"})


def test_restore_only(holder: Any, store: MotoServer):
    holder(BACKUP_ONLY).run("backup")
    (key,) = dumps(store)
    carol: Holder = holder(RESTORE_ONLY)
    carol.run("list", "--s3")
    carol.run("restore", "--from-s3", key, "--yes")
    carol.must_fit(unused=set())
    everything = stored(store)
    assert "the store refuses this access key" in carol.run("backup", code=4)
    assert stored(store) == everything


def test_a_key_that_may_do_nothing(holder: Any):
    nothing = [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]
    dora: Holder = holder({"Version": "2012-10-17", "Statement": nothing})
    assert "the store refuses this access key" in dora.run("list", "--s3", code=1)

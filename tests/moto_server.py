"""moto's S3 server: it knows policies, encryption, versions and locks, which rclone's does not.

It is no proof of how AWS behaves, but it holds the rules that AWS documents, over real HTTP.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3

from pgconsole.demo.servers import S3Server

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


# moto's own program, which writes down what it was asked besides.
_PROGRAM = """
import json, sys
import moto.server

class Recording(moto.server.MotoRequestHandler):
    def log_request(self, code="-", size="-"):
        if hasattr(self, "headers"):  # what is no HTTP has none
            with open(record, "a") as file:
                json.dump([self.command, self.path, int(code), dict(self.headers)], file)
                file.write("\\n")

record = sys.argv.pop(1)
moto.server.MotoRequestHandler = Recording
moto.server.main()
"""


class Request(NamedTuple):
    """What the server was asked.

    Attributes:
        method: E.g. `PUT`.
        path: With the query, encoded.
        status: What it answered.
        headers: All of the request's.
    """

    method: str
    path: str
    status: int
    headers: dict[str, str]


class MotoServer(S3Server):
    """moto on 127.0.0.1, with TLS if a certificate is given. Everything is lost when it stops.

    Args:
        directory: For its log.
        certificate: The server's certificate, PEM.
        key: Its private key, PEM.
        authority: The certificate of who signed it, PEM.
    """

    def __init__(
        self,
        directory: Path,
        certificate: Path | None = None,
        key: Path | None = None,
        authority: Path | None = None,
    ) -> None:
        super().__init__(directory)
        self._tls = ["-c", str(certificate), "-k", str(key)] if certificate else []
        self._authority = authority
        self._record = directory / f"requests-{self.port}.jsonl"

    @property
    def endpoint(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        argv = [sys.executable, "-c", _PROGRAM, str(self._record), "-H", "127.0.0.1"]
        environment = {"PATH": os.defpath, "HOME": str(self.directory)}
        self._spawn([*argv, "-p", str(self.port), *self._tls], environment, None)
        self._await(self._accepts)

    @property
    def requests(self) -> list[Request]:
        """All that was asked so far, in the order of the answers."""
        if not self._record.exists():
            return []
        return [Request(*json.loads(line)) for line in self._record.read_text().splitlines()]

    def service(self, name: str) -> Any:
        """A client of the test's own, of any service."""
        return boto3.client(
            name,  # type: ignore[call-overload]
            endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            verify=str(self._authority) if self._authority else None,
        )  # fmt: skip

    @property
    def client(self) -> S3Client:
        """A client of S3, to prepare what is there and to see what came of it."""
        return self.service("s3")  # type: ignore[no-any-return]

    def make_bucket(self, bucket: str, *, versions: bool = False, locks: bool = False) -> None:
        """Create a bucket, in which nothing is locked unless somebody asks for it."""
        self.client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=locks)
        if versions and not locks:  # locks bring versions with them
            self.client.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
            )

    def make_user(self, name: str, policy: dict[str, Any]) -> dict[str, str]:
        """A user who may do what the policy says, and no more; the variables with its keys."""
        iam = self.service("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName=name, PolicyDocument=json.dumps(policy))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def enforce(self, *, policies: bool) -> None:
        """Hold everybody to their policy from now on, or nobody."""
        limit = b"0" if policies else b"inf"
        url = f"{self.endpoint}/moto-api/reset-auth"
        kind = {"Content-Type": "text/plain"}
        urllib.request.urlopen(urllib.request.Request(url, limit, kind, method="POST")).close()

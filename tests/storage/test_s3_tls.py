"""TLS to a store with a certificate of one's own: verified always, and trusted when told so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from tests.cli.program import run
from tests.conftest import MakeSettings
from tests.moto_server import MotoServer
from tests.wal.conftest import NAME, Segments

from pgconsole.errors import StorageError
from pgconsole.settings import Settings
from pgconsole.status.checks.bucket import in_clear
from pgconsole.storage.s3 import S3Storage
from pgconsole.storage.s3_tls import explain_tls

CLOCK = datetime.now(UTC)


@dataclass
class Authority:
    """Who signs the certificates of this module's servers.

    Attributes:
        directory: Where all files lie.
        ca: The authority.
    """

    directory: Path
    ca: trustme.CA

    @property
    def bundle(self) -> Path:
        """Its own certificate, for AWS_CA_BUNDLE."""
        return self.directory / "ca.pem"

    def server(self, name: str, *hosts: str, until: datetime | None = None) -> MotoServer:
        """A store with a certificate for these hosts."""
        issued = self.ca.issue_cert(
            *hosts, not_before=until and until - timedelta(days=1), not_after=until
        )
        certificate, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        issued.private_key_pem.write_to_path(str(key))
        certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return MotoServer(self.directory, certificate, key, self.bundle)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("tls"), trustme.CA())
    made.ca.cert_pem.write_to_path(str(made.bundle))
    return made


@pytest.fixture(scope="module")
def store(authority: Authority) -> Iterator[MotoServer]:
    with authority.server("good", "127.0.0.1") as server:
        server.make_bucket("bucket")
        yield server


@pytest.fixture
def settings(make_settings: MakeSettings, store: MotoServer, authority: Authority) -> Settings:
    return make_settings(AWS_CA_BUNDLE=str(authority.bundle), **store.environment("bucket"))


def refusal(settings: Settings) -> str:
    """Why the bucket can't be used."""
    with pytest.raises(StorageError) as caught:
        S3Storage(settings).check()
    return f"{caught.value.cause}; {caught.value.fix}"


def test_a_certificate_of_ones_own_works_with_its_authority(settings: Settings):
    storage = S3Storage(settings)
    storage.put_small("backups/daily/x", b"bytes")
    assert storage.read_small("backups/daily/x") == b"bytes"


@pytest.mark.parametrize("empty", [None, ""])
def test_without_it_is_refused_and_the_cure_is_named(
    settings: Settings, empty: str | None, monkeypatch: pytest.MonkeyPatch
):
    if empty is not None:  # as a compose file passes on a variable that nobody set
        monkeypatch.setenv("AWS_CA_BUNDLE", empty)
    assert refusal(settings.model_copy(update={"aws_ca_bundle": ""})) == (
        f"{settings.s3_endpoint_url} is not trusted: nobody we trust has signed its certificate; "
        "set AWS_CA_BUNDLE to a file with the certificate of the authority that signed it"
    )


def test_another_authority_is_refused(settings: Settings, tmp_path: Path):
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    why = refusal(settings.model_copy(update={"aws_ca_bundle": str(other)}))
    assert "nobody we trust has signed" in why


def test_a_bundle_without_a_certificate_is_said_so(settings: Settings, tmp_path: Path):
    (tmp_path / "notes").write_text("the certificate is on the other disk\n")
    why = refusal(settings.model_copy(update={"aws_ca_bundle": str(tmp_path / "notes")}))
    assert "AWS_CA_BUNDLE names a file without a certificate" in why


@pytest.mark.parametrize(
    ("hosts", "until", "says"),
    [
        (["backups.example.com"], None, "for another host name"),
        (["127.0.0.1"], CLOCK - timedelta(days=1), "has expired"),
        (["127.0.0.1"], CLOCK + timedelta(days=9), "not valid yet"),
    ],
)
def test_a_certificate_that_does_not_fit_is_refused(
    authority: Authority, settings: Settings, hosts: list[str], until: datetime | None, says: str
):
    with authority.server("wrong", *hosts, until=until) as server:
        assert says in refusal(settings.model_copy(update={"s3_endpoint_url": server.endpoint}))


def test_a_port_that_speaks_no_tls(settings: Settings, tmp_path: Path):
    with MotoServer(tmp_path) as server:
        url = server.endpoint.replace("http:", "https:")
        assert "does not speak TLS" in refusal(settings.model_copy(update={"s3_endpoint_url": url}))


def test_the_bundle_reaches_jobs_and_wal_push_from_the_env_file(settings: Settings, tmp_path: Path):
    """The commands read AWS_CA_BUNDLE from .env, as all settings; boto3 alone would not."""
    lines = [f"{name}={value}" for name, value in settings.environment().items() if value]
    (tmp_path / "env").write_text("\n".join(lines))
    env_file = {"PGCONSOLE_ENV_FILE": str(tmp_path / "env")}
    empty = dict.fromkeys(settings.environment(), "")
    listed = run(settings, "list", "--s3", **empty, **env_file)
    assert (listed.returncode, listed.stdout) == (0, ""), listed.stderr
    segment = Segments(tmp_path / "data").write(NAME)
    pushed = run(settings, "wal-push", "--s3", str(segment), **empty, **env_file)
    assert pushed.returncode == 0, pushed.stderr
    nobody = run(settings, "wal-push", "--s3", str(segment), AWS_CA_BUNDLE="")
    assert "nobody we trust has signed its certificate" in nobody.stderr


def test_a_host_name_is_no_reason():
    said = "hostname 'expired.self-signed.example' doesn't match 'other.example'"
    assert "another host name" in explain_tls("https://expired.self-signed.example", said)[0]
    assert "something new" in explain_tls("https://x", "something new")[0]


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("", False),
        ("https://minio.example.com", False),
        ("http://minio.example.com", True),
        ("http://10.0.0.5:9000", True),
        ("http://127.0.0.1:9000", False),
        ("http://localhost:9000", False),
        ("http://[::1]:9000", False),
    ],
)
def test_what_travels_in_clear(url: str, answer: bool):
    assert in_clear(url) is answer

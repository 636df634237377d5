"""Keys on the command line: made once, used by jobs, and never shown."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from tests.cli.program import run
from tests.conftest import MakeSettings
from tests.dumps.aging import Key

from pgconsole.demo.servers import PostgresServer, S3Server
from pgconsole.settings import Settings

pytestmark = pytest.mark.e2e


@pytest.fixture
def settings(
    postgres16: PostgresServer, database: str, make_settings: MakeSettings, s3: S3Server,
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch,
) -> Settings:  # fmt: skip
    monkeypatch.setenv("PATH", postgres16.environment["PATH"] + os.pathsep + os.environ["PATH"])
    return make_settings(postgres16, database, **s3.environment(s3_bucket))


def keygen(settings: Settings, kind: str, path: Path) -> dict[str, str]:
    """The settings that it prints."""
    done = run(settings, "keygen", kind, str(path))
    assert done.returncode == 0, done.stderr
    name, _, value = done.stdout.strip().partition("=")
    return {name: value}


@pytest.mark.parametrize("kind", ["age", "signing"])
def test_a_key_is_private_and_never_overwritten(
    settings: Settings, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "key"
    before = os.umask(0)
    try:
        keygen(settings, kind, path)
    finally:
        os.umask(before)
    content = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = run(settings, "keygen", kind, str(path))
    assert again.returncode == 1
    assert "never overwritten" in again.stderr
    assert path.read_bytes() == content
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("key")] == ["key"]
    nowhere = run(settings, "keygen", kind, str(tmp_path / "none" / "key"))
    assert nowhere.returncode == 1
    secret = max(content.decode().splitlines(), key=len)
    assert secret not in again.stdout + again.stderr


def test_all_of_it(settings: Settings, tmp_path: Path, database: str) -> None:
    """Back up here, look into it and restore it with the key, and be refused without."""
    public = keygen(settings, "signing", tmp_path / "signing")
    recipients = keygen(settings, "age", tmp_path / "identity")
    recipients["BACKUP_AGE_RECIPIENTS"] += f",{Key().recipient}"
    taking = {**recipients, "BACKUP_SIGNING_KEY_FILE": str(tmp_path / "signing")}
    restoring = {
        **public,
        "BACKUP_AGE_IDENTITY_FILE": str(tmp_path / "identity"),
        "BACKUP_REQUIRE_SIGNATURE": "true",
    }
    done = run(settings, "backup", **taking)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.splitlines()[0])
    assert path.name.endswith(".sql.gz.age")

    shown = run(settings, "show", path.name, **restoring)
    assert shown.returncode == 0, shown.stderr
    assert "public.users\t1000" in shown.stdout
    assert f"signed by {public['BACKUP_TRUSTED_KEYS']}, a trusted key" in shown.stderr
    assert recipients["BACKUP_AGE_RECIPIENTS"].split(",")[0] in shown.stderr
    for where in ((), ("--s3",)):
        rows = run(settings, "rows", path.name, "users", "--limit", "2", *where, **restoring)
        assert rows.stdout.splitlines() == ["id,name", "1,user 1", "2,user 2"], rows.stderr
        refused = run(settings, "rows", path.name, "users", *where, **taking)
        assert refused.returncode == 2
        assert "BACKUP_AGE_IDENTITY_FILE" in refused.stderr
        objects = run(settings, "sql", path.name, "users", *where, **restoring)
        assert "CREATE TABLE public.users" in objects.stdout

    verified = run(settings, "verify", path.name, **restoring)
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.split("\t")[1:3] == ["complete", "1000"]
    refused = run(settings, "restore", path.name, "--yes", **taking)
    assert refused.returncode == 2
    assert "next:" in refused.stderr
    key = f"backups/daily/{path.name}"
    for form in ((path.name,), ("--from-s3", key)):
        restored = run(settings, "restore", *form, "--yes", **restoring, **recipients)
        assert restored.returncode == 0, restored.stderr
    everything = "".join(one.stdout + one.stderr for one in (done, shown, verified, restored))
    check_that_no_key_is_shown(settings, tmp_path, everything)


def check_that_no_key_is_shown(settings: Settings, tmp_path: Path, printed: str) -> None:
    """In what was printed, and in every byte that was written."""
    secrets = [
        line
        for name in ("identity", "signing")
        for line in (tmp_path / name).read_text().splitlines()
        if not line.startswith(("#", "-"))
    ]
    assert len(secrets) == 2
    content = printed.encode() + b"".join(
        path.read_bytes() for path in settings.backup_dir.rglob("*") if path.is_file()
    )
    for secret in secrets:
        assert secret.encode() not in content
    assert not re.search(rb"AGE-SECRET-KEY-1[A-Z0-9]", content)


def test_an_altered_backup_is_told_everywhere(settings: Settings, tmp_path: Path) -> None:
    keygen(settings, "signing", tmp_path / "signing")
    signing = {"BACKUP_SIGNING_KEY_FILE": str(tmp_path / "signing")}
    path = Path(run(settings, "backup", **signing).stdout.splitlines()[0])
    manifest = path.with_name(path.name + ".manifest.json")
    manifest.write_bytes(manifest.read_bytes().replace(b'"rows":1000', b'"rows":1001'))
    verified = run(settings, "verify", path.name, **signing)
    assert verified.returncode == 1
    assert verified.stdout.split("\t")[1] == "altered"
    assert "its signature does not fit" in verified.stderr
    assert "  altered " in run(settings, "list", **signing).stdout
    refused = run(settings, "restore", path.name, "--yes", **signing)
    assert refused.returncode == 1
    assert "was altered" in refused.stderr
    status = run(settings, "status", **signing)
    assert "is altered" in status.stdout + status.stderr
    doctor = run(settings, "doctor", **signing)
    assert "1 backup altered" in doctor.stdout + doctor.stderr


def test_a_private_key_among_the_recipients_is_not_shown(settings: Settings) -> None:
    secret = Key().secret
    done = run(settings, "list", BACKUP_AGE_RECIPIENTS=secret.lower())
    assert done.returncode == 2
    assert "it must not be here" in done.stderr
    assert secret[16:30].lower() not in done.stderr.lower()


def test_a_recipient_with_a_typing_error_is_refused(settings: Settings) -> None:
    recipient = Key().recipient
    wrong = recipient[:-1] + ("q" if recipient[-1] != "q" else "p")
    done = run(settings, "list", BACKUP_AGE_RECIPIENTS=f"{recipient} {wrong}")
    assert done.returncode == 2
    assert "recipient 2 is no public key" in done.stderr

"""The files of the container are right as far as can be said without building it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sysconfig
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from dockerfile_parse import DockerfileParser

from pgconsole.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
PROD, WAL = "docker-compose-prod.yaml", "docker-compose-wal.yaml"
NOBODY = 65534
SHIMS = ("backup.sh", "restore.sh", "entrypoint.sh")
# What the guide lists, with its defaults; compose hands it to the container under these names.
GUIDE = {
    "BACKUP_SCHEDULE": "0 2 * * *", "PGHOST": "postgres", "PGPORT": "5432", "PGUSER": "thinktank",
    "PGDATABASE": "thinktank", "S3_BUCKET": "", "S3_PREFIX": "backups/", "S3_ENDPOINT_URL": "",
    "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_DEFAULT_REGION": "us-east-1",
    "RETENTION_DAILY": "7", "RETENTION_WEEKLY": "4", "RETENTION_MONTHLY": "3",
}  # fmt: skip


def program(name: str) -> str:
    """A linter's path; it comes as a wheel."""
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    if found is None:
        pytest.skip(f"there is no wheel of {name} for this machine")
    return found


class Compose:
    """Docker Compose on a copy of our files in a project of its own."""

    def __init__(self, project: Path) -> None:
        self._project = project
        shutil.copytree(DOCKER, project / "docker", symlinks=True)

    def config(
        self, *files: str, expect: int = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """`docker compose config` with these variables in `.env` of the project's root."""
        text = "".join(f"{name}={value}\n" for name, value in variables.items())
        (self._project / ".env").write_text(text)
        argv = [word for name in files for word in ("-f", f"docker/{name}")]
        done = subprocess.run(
            [program("docker-compose"), *argv, "config", "--format", "json"], cwd=self._project,
            env={"PATH": os.defpath}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == expect, done.stderr
        return done

    def services(self, *files: str, **variables: str) -> dict[str, Any]:
        """The services as Compose understands them."""
        services: dict[str, Any] = json.loads(self.config(*files, **variables).stdout)["services"]
        return services


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    return Compose(tmp_path / "project")


class TestLint:
    def test_dockerfile(self) -> None:
        argv = [program("hadolint"), "--failure-threshold", "style", DOCKER / "Dockerfile"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")

    def test_shims(self) -> None:
        argv = [
            program("shellcheck"),
            *(DOCKER / "backup" / name for name in SHIMS),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


class TestCompose:
    def test_defaults_are_the_guides(self, compose: Compose) -> None:
        backup = compose.services(PROD, DB_PASSWORD="secret")["backup"]
        environment = backup["environment"]
        assert GUIDE.items() <= environment.items()
        assert environment["PGPASSWORD"] == "secret"
        assert backup["container_name"] == "thinktank-backup"
        (volume,) = backup["volumes"]
        assert (volume["source"], volume["target"]) == ("backupdata", "/backups")
        assert backup["depends_on"]["postgres"]["condition"] == "service_healthy"

    def test_what_it_sets_are_our_defaults_too(self, compose: Compose) -> None:
        environment = compose.services(PROD, DB_PASSWORD="x")["backup"]["environment"]
        with_compose = Settings.model_validate(environment | {"PGPASSWORD": ""})
        assert with_compose == Settings()

    def test_variables_of_env_in_the_projects_root_arrive(self, compose: Compose) -> None:
        variables = {
            "DB_PASSWORD": "'a #b $HOME \"c\"'", "S3_BACKUP_BUCKET": "my-thinktank-backups",
            "S3_BACKUP_PREFIX": "nightly/", "S3_ENDPOINT_URL": "https://minio.example.com",
            "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key", "RETENTION_DAILY": "30",
            "BACKUP_SCHEDULE": "0 */6 * * *", "BACKUP_TIMEZONE": "Europe/Berlin",
            "AWS_SESSION_TOKEN": "token", "AWS_DEFAULT_REGION": "eu-central-1", "PGPORT": "5433",
            "PGHOST": "db", "PGUSER": "u", "PGDATABASE": "d", "RETENTION_WEEKLY": "0",
            "RETENTION_MONTHLY": "1", "S3_RETENTION": "True", "PGCONSOLE_ON_STOP": "cancel",
            "BACKUP_AGE_IDENTITY_FILE": "/run/secrets/identity",
            "BACKUP_SIGNING_KEY_FILE": "/run/secrets/signing",
            "BACKUP_TRUSTED_KEYS": "A" * 43 + "=",
        }  # fmt: skip
        environment = compose.services(PROD, **variables)["backup"]["environment"]
        environment = {name: value.replace("$$", "$") for name, value in environment.items()}
        settings = Settings.model_validate(environment)
        assert settings.pgpassword.get_secret_value() == 'a #b $HOME "c"'
        expected = variables | {"PGPASSWORD": 'a #b $HOME "c"'}
        del expected["DB_PASSWORD"]
        effective = settings.environment()
        assert {name: effective.get(name) for name in expected} == expected

    def test_every_setting_can_be_set(self, compose: Compose) -> None:
        environment = compose.services(PROD, DB_PASSWORD="x")["backup"]["environment"]
        fixed = {"BACKUP_DIR"}  # the volume
        for name, field in Settings.model_fields.items():
            choices = {str(choice) for choice in field.validation_alias.choices}  # type: ignore[union-attr]
            assert choices & (environment.keys() | fixed), name

    def test_password_is_required(self, compose: Compose) -> None:
        assert "set DB_PASSWORD in .env" in compose.config(PROD, expect=1).stderr

    def test_it_needs_no_rights(self, compose: Compose) -> None:
        backup = compose.services(PROD, DB_PASSWORD="x")["backup"]
        assert backup["read_only"]
        assert backup["cap_drop"] == ["ALL"]
        assert backup["security_opt"] == ["no-new-privileges:true"]
        assert not {"privileged", "cap_add", "network_mode", "pid", "ports"} & backup.keys()

    def test_wal(self, compose: Compose) -> None:
        services = compose.services(PROD, WAL, DB_PASSWORD="x")
        postgres = services["postgres"]
        assert {volume["target"] for volume in postgres["volumes"]} == {
            "/var/lib/postgresql/data", "/backups", "/etc/postgresql/backup.conf",
        }  # fmt: skip
        assert postgres["command"][-1].endswith("=/etc/postgresql/postgresql.conf")
        assert postgres["build"]["target"] == "server"
        assert services["backup"]["build"]["target"] == "backup"
        assert postgres["environment"]["POSTGRES_PASSWORD"] == "x"


class TestDockerfile:
    def steps(self, instruction: str) -> list[str]:
        structure = DockerfileParser(str(DOCKER / "Dockerfile")).structure
        return [step["value"] for step in structure if step["instruction"] == instruction]

    def test_health_check_is_that_of_compose(self, compose: Compose) -> None:
        (check,) = self.steps("HEALTHCHECK")
        options = dict(re.findall(r"--([a-z-]+)=(\S+)", check))
        from_compose = compose.services(PROD, DB_PASSWORD="x")["backup"]["healthcheck"]
        assert from_compose.pop("test") == ["CMD", *json.loads(check.partition("CMD")[2])]
        normal = {"5m": "5m0s", "1m": "1m0s", "1h": "1h0m0s"}
        assert from_compose == {
            "interval": normal[options["interval"]], "timeout": normal[options["timeout"]],
            "start_period": normal[options["start-period"]], "retries": int(options["retries"]),
        }  # fmt: skip

    def test_what_it_copies_is_there_and_not_ignored(self) -> None:
        ignore = (DOCKER / "Dockerfile.dockerignore").read_text().splitlines()
        let_in = [line[1:] for line in ignore if line.startswith("!")]
        sources = [
            word
            for step in self.steps("COPY")
            if not step.startswith("--from=")
            for word in step.split()[:-1]
        ]
        assert len(sources) >= 8
        for source in sources:
            assert (ROOT / source).exists(), source
            assert any(source == path or source.startswith(f"{path}/") for path in let_in), source
        assert not any(fnmatch(".env", pattern) for pattern in let_in)

    def test_not_root(self) -> None:
        assert self.steps("USER") == ["999:999"]


class Shims:
    """The shims beside a `pgconsole` that prints its arguments and ends with 7.

    Attributes:
        volume: BACKUP_DIR, which belongs to who runs them.
    """

    def __init__(self, directory: Path) -> None:
        self._programs = directory / "bin"
        self._programs.mkdir()
        for name in SHIMS:
            shutil.copy(DOCKER / "backup" / name, self._programs)
        fake = self._programs / "pgconsole"
        fake.write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 7\n")
        fake.chmod(0o755)
        self.volume = directory / "volume"
        self.volume.mkdir()
        # Root may write everywhere: the shims are run by somebody else, as in the container.
        self._user = NOBODY if os.geteuid() == 0 else None
        self.make("daily")
        if self._user:
            os.chown(self.volume, self._user, self._user)

    def make(self, name: str) -> Path:
        """Make a directory of the volume."""
        path = self.volume / name
        path.mkdir()
        if self._user:
            os.chown(path, self._user, self._user)
        return path

    def run(self, shim: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a shim to its end."""
        environment = {"PATH": f"{self._programs}:{os.defpath}", "BACKUP_DIR": str(self.volume)}
        return subprocess.run(
            [self._programs / shim, *arguments], env=environment, user=self._user, check=False,
            capture_output=True, text=True,
        )  # fmt: skip


@pytest.fixture
def shims(open_directory: Path) -> Shims:
    return Shims(open_directory)


class TestShims:
    @pytest.mark.parametrize(
        ("arguments", "called"),
        [
            (["backup.sh"], "<backup>"),
            (["restore.sh", "--list"], "<restore><--list>"),
            (["restore.sh", "--from-s3", "a b/*.gz"], "<restore><--from-s3><a b/*.gz>"),
            (["restore.sh", ""], "<restore><>"),
            (["entrypoint.sh"], "<schedule>"),
            (["entrypoint.sh", "schedule"], "<schedule>"),
            (["entrypoint.sh", "backup"], "<backup>"),
            (["entrypoint.sh", "verify", "--all"], "<verify><--all>"),
        ],
    )
    def test_calls(self, shims: Shims, arguments: list[str], called: str) -> None:
        done = shims.run(*arguments)
        assert (done.stdout, done.returncode, done.stderr) == (called, 7, "")

    @pytest.mark.parametrize("name", ["", "weekly", ".pgconsole"])
    def test_volume_that_belongs_to_somebody_else(self, shims: Shims, name: str) -> None:
        path = shims.make(name) if name else shims.volume
        path.chmod(0o555)
        done = shims.run("entrypoint.sh")
        assert (done.stdout, done.returncode) == ("", 1)
        assert f"pgconsole: {path} can't be written by this container" in done.stderr
        assert re.search(r"--entrypoint chown <image> -R \d+:\d+ ", done.stderr)
        path.chmod(0o755)
        assert shims.run("entrypoint.sh").stdout == "<schedule>"

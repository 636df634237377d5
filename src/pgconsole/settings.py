"""What the operator configured: environment first, then `.env`. Validated once, then frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from pgconsole.cron_fields import check_fields
from pgconsole.errors import ConfigurationError
from pgconsole.redact import MASK, Redactor, holds_password
from pgconsole.secret_files import SUFFIX, secrets_of_files

DEFAULT_SCHEDULE = "0 2 * * *"
ENV_FILE_VARIABLE = "PGCONSOLE_ENV_FILE"

# One right value for each variable that can be wrong, for the error message.
_EXAMPLES = {
    "PGPORT": "5432",
    "BACKUP_SCHEDULE": "0 2 * * *",
    "BACKUP_TIMEZONE": "Europe/Berlin",
    "BACKUP_DIR": "/backups",
    "S3_ENDPOINT_URL": "https://minio.example.com",
    "S3_SSE": "aws:kms",
    "AWS_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
    "RETENTION_DAILY": "7",
    "RETENTION_WEEKLY": "4",
    "RETENTION_MONTHLY": "3",
    "S3_RETENTION": "true",
    "PGCONSOLE_ON_STOP": "wait",
    "PGCONSOLE_READ_ONLY": "true",
    "PGCONSOLE_PROTECTED": "true",
    "PGCONSOLE_THEME": "high-contrast",
    "PGCONSOLE_LOW_BANDWIDTH": "true",
}


def _names(*names: str) -> Any:
    """A field read from any of these variables; the first that is set wins."""
    return AliasChoices(*names)


class Settings(BaseSettings):
    """Every variable of the guide, under the guide's names."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, case_sensitive=True
    )

    pghost: str = Field("postgres", validation_alias=_names("PGHOST"))
    """Host name, address or socket directory of PostgreSQL."""
    pgport: int = Field(5432, ge=1, le=65535, validation_alias=_names("PGPORT"))
    """Port of PostgreSQL."""
    pguser: str = Field("thinktank", validation_alias=_names("PGUSER"))
    """Role that takes and restores backups."""
    pgpassword: SecretStr = Field(
        SecretStr(""), validation_alias=_names("PGPASSWORD", "DB_PASSWORD")
    )
    """Its password. Empty: libpq's own ways (PGPASSFILE, ~/.pgpass, trust)."""
    pgdatabase: str = Field("thinktank", validation_alias=_names("PGDATABASE"))
    """The database that is backed up."""

    backup_dir: Path = Field(Path("/backups"), validation_alias=_names("BACKUP_DIR"))
    """Where backups, jobs and locks lie."""
    backup_schedule: str = Field(DEFAULT_SCHEDULE, validation_alias=_names("BACKUP_SCHEDULE"))
    """When backups run: a cron expression of five fields."""
    backup_timezone: Annotated[ZoneInfo, NoDecode] = Field(
        ZoneInfo("UTC"), validation_alias=_names("BACKUP_TIMEZONE")
    )
    """The time zone of the schedule; it also decides which day is a Sunday or a 1st."""

    s3_bucket: str = Field("", validation_alias=_names("S3_BACKUP_BUCKET", "S3_BUCKET"))
    """The bucket. Setting it enables S3."""
    s3_prefix: str = Field("backups/", validation_alias=_names("S3_BACKUP_PREFIX", "S3_PREFIX"))
    """Prefix of all keys in the bucket."""
    s3_endpoint_url: str = Field("", validation_alias=_names("S3_ENDPOINT_URL"))
    """Endpoint of an S3-compatible store. Empty: AWS."""
    aws_access_key_id: str = Field("", validation_alias=_names("AWS_ACCESS_KEY_ID"))
    """Access key. Empty: boto3's own ways (profile, instance role)."""
    aws_secret_access_key: SecretStr = Field(
        SecretStr(""), validation_alias=_names("AWS_SECRET_ACCESS_KEY")
    )
    """Secret key."""
    aws_session_token: SecretStr = Field(
        SecretStr(""), validation_alias=_names("AWS_SESSION_TOKEN")
    )
    """Session token of temporary credentials."""
    aws_default_region: str = Field("us-east-1", validation_alias=_names("AWS_DEFAULT_REGION"))
    """Region."""
    aws_ca_bundle: str = Field("", validation_alias=_names("AWS_CA_BUNDLE"))
    """Certificates (PEM) that vouch for the store. Empty: those that come with boto3."""
    s3_sse: Literal["", "AES256", "aws:kms", "aws:kms:dsse"] = Field(
        "", validation_alias=_names("S3_SSE")
    )
    """How the store encrypts what it keeps. Empty: as the bucket says."""
    s3_sse_kms_key_id: str = Field("", validation_alias=_names("S3_SSE_KMS_KEY_ID"))
    """The KMS key for that. Empty: the account's own for S3."""

    retention_daily: int = Field(7, ge=0, validation_alias=_names("RETENTION_DAILY"))
    """How many daily backups to keep; 0 keeps all."""
    retention_weekly: int = Field(4, ge=0, validation_alias=_names("RETENTION_WEEKLY"))
    """How many weekly backups to keep; 0 keeps all."""
    retention_monthly: int = Field(3, ge=0, validation_alias=_names("RETENTION_MONTHLY"))
    """How many monthly backups to keep; 0 keeps all."""
    s3_retention: bool = Field(False, validation_alias=_names("S3_RETENTION"))
    """Whether retention deletes in S3 too. Off: a lifecycle rule of the bucket may own that."""
    on_stop: Literal["wait", "cancel"] = Field("wait", validation_alias=_names("PGCONSOLE_ON_STOP"))
    """What the scheduler does with its running backup when it is told to end."""
    read_only: bool = Field(False, validation_alias=_names("PGCONSOLE_READ_ONLY"))
    """Whether everything that changes something is refused."""
    protected: bool = Field(False, validation_alias=_names("PGCONSOLE_PROTECTED"))
    """Whether a restore on this server needs the target's name typed, where others need a yes."""
    confirm: Literal["all", "destructive"] = Field(
        "all", validation_alias=_names("PGCONSOLE_CONFIRM")
    )
    """Before what the console asks for a typed yes: all work, or what changes or deletes data."""
    theme: Literal["auto", "dark", "light", "high-contrast", "ansi"] = Field(
        "auto", validation_alias=_names("PGCONSOLE_THEME")
    )
    """The console's colours. `auto`: those that were chosen in it last, else dark."""
    low_bandwidth: bool = Field(False, validation_alias=_names("PGCONSOLE_LOW_BANDWIDTH"))
    """Whether the console paints and reads less often, for slow links."""

    @field_validator("backup_timezone", mode="before")
    @classmethod
    def _known_zone(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("no time zone of this name is known") from error

    @field_validator("backup_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        if not value.is_absolute():
            raise ValueError("it has to be an absolute path")
        return value

    @field_validator("backup_schedule")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        if value == DEFAULT_SCHEDULE:  # known good; croniter would cost 50 ms at every start
            return value
        fields = value.split()
        if len(fields) != 5:
            raise ValueError(
                f"a cron expression has five fields (minute hour day month weekday), "
                f"this has {len(fields)}"
            )
        check_fields(fields)
        return " ".join(fields)

    @field_validator("pghost", "pguser", "pgdatabase", "s3_bucket", "s3_prefix", "s3_endpoint_url")
    @classmethod
    def _without_password(cls, value: str) -> str:
        if holds_password(value):
            raise ValueError("it holds a password, which belongs into a variable of its own")
        return value

    @field_validator("s3_endpoint_url")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("it has to begin with https:// or http://")
        return value

    @field_validator("s3_prefix")
    @classmethod
    def _one_slash_at_the_end(cls, value: str) -> str:
        stripped = value.strip("/")
        return f"{stripped}/" if stripped else ""

    @field_validator("aws_ca_bundle")
    @classmethod
    def _readable(cls, value: str) -> str:
        if value and not (Path(value).is_absolute() and os.access(value, os.R_OK)):
            raise ValueError("it has to be the absolute path of a file that this user can read")
        return value

    @model_validator(mode="after")
    def _key_for_kms(self) -> Self:
        if self.s3_sse_kms_key_id and not self.s3_sse.startswith("aws:kms"):
            raise ValueError("S3_SSE_KMS_KEY_ID is set, and S3_SSE is not aws:kms")
        return self

    @property
    def s3_enabled(self) -> bool:
        """Whether backups are copied to S3."""
        return bool(self.s3_bucket)

    @property
    def state_dir(self) -> Path:
        """Where jobs, locks and the audit log lie."""
        return self.backup_dir / ".pgconsole"

    @property
    def redactor(self) -> Redactor:
        """Hides this configuration's secrets."""
        return Redactor(
            [
                self.pgpassword.get_secret_value(),
                self.aws_secret_access_key.get_secret_value(),
                self.aws_session_token.get_secret_value(),
            ]
        )

    def environment(self) -> dict[str, str]:
        """The settings as variables, secrets included, to hand them to a detached job."""
        variables = {
            _variables(name)[0]: _plain(getattr(self, name)) for name in type(self).model_fields
        }
        # An empty variable counts as unset; a lone slash says "no prefix" and arrives as that.
        variables[_variables("s3_prefix")[0]] = self.s3_prefix or "/"
        return variables


def load_settings() -> Settings:
    """Read the environment, then the env file (`.env`, or what PGCONSOLE_ENV_FILE names).

    A secret may lie in a file that `<variable>_FILE` names.

    Raises:
        ConfigurationError: Names each variable, its value (secrets masked), what is wrong with it
            and an example of a right one.
    """
    path = env_file()
    if not path.exists() and ENV_FILE_VARIABLE in os.environ:
        raise ConfigurationError(
            f"{ENV_FILE_VARIABLE} is {str(path)!r}",
            cause="there is no such file",
            fix=f"correct the path or unset {ENV_FILE_VARIABLE}",
        )
    try:
        secrets = secrets_of_files(_in_env_file() | os.environ)
        return Settings(_env_file=path, _env_file_encoding="utf-8", **secrets)  # type: ignore[arg-type]
    except ValidationError as error:
        raise _explain(error) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path} can't be read", cause=str(error), fix="correct the file or its permissions"
        ) from error


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Settings from these variables alone; an empty one counts as not set.

    Raises:
        ConfigurationError: As `load_settings`.
    """

    class Given(Settings):  # made here: 10 ms that only this needs
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            *_: PydanticBaseSettingsSource,
            **__: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return (init_settings,)  # not the environment

    try:
        return Given.model_validate({name: value for name, value in variables.items() if value})
    except ValidationError as error:
        raise _explain(error) from error


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """The effective settings as (variable, value with secrets masked, source).

    The source is `environment`, the env file's path, or `default`. A variable that has an
    alternative spelling is shown under the one that was used.
    """
    in_file = _in_env_file()
    rows = []
    for name in Settings.model_fields:
        variables = _variables(name)
        variable, source = variables[0], "default"
        for candidate in variables:
            if os.environ.get(candidate):
                variable, source = candidate, "environment"
                break
            if in_file.get(candidate):
                variable, source = candidate, str(env_file().resolve())
                break
            if file := os.environ.get(candidate + SUFFIX) or in_file.get(candidate + SUFFIX):
                variable, source = candidate, file
                break
        rows.append((variable, _shown(getattr(settings, name)), source))
    return rows


def env_file() -> Path:
    """The file that is read after the environment, whether it is there or not."""
    return Path(os.environ.get(ENV_FILE_VARIABLE) or ".env")


def _in_env_file() -> dict[str, str | None]:
    """What the env file says; nothing if there is none."""
    path = env_file()
    if not path.exists():
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 - most containers have no such file

    return dict(dotenv_values(path, encoding="utf-8"))


def _variables(field: str) -> tuple[str, ...]:
    alias = Settings.model_fields[field].validation_alias
    assert isinstance(alias, AliasChoices)
    return tuple(str(choice) for choice in alias.choices)


def _plain(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else str(value)


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    return str(value)


def _explain(error: ValidationError) -> ConfigurationError:
    """All wrong variables in one error, each with value, reason and example."""
    lines = []
    for item in error.errors(include_url=False):
        if not item["loc"]:  # of several variables together: the reason names them
            lines.append(item["msg"].removeprefix("Value error, "))
            continue
        variable = str(item["loc"][0])
        secret = any(word in variable for word in ("PASSWORD", "SECRET", "TOKEN"))
        value = MASK if secret or holds_password(str(item["input"])) else repr(item["input"])
        reason = item["msg"].removeprefix("Value error, ")
        line = f"{variable} is {value}: {reason[0].lower()}{reason[1:]}"
        if variable in _EXAMPLES:
            line += f" (a right value: {variable}={_EXAMPLES[variable]!r})"
        lines.append(line)
    return ConfigurationError(
        "; ".join(lines),
        fix="correct it in the environment or in .env; `pgconsole info` shows both",
    )

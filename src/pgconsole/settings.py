"""What the operator configured: environment first, then `.env`. Validated once, then frozen."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AliasChoices,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from pgconsole.cron_fields import check_schedule
from pgconsole.env_file import env_file, read_env_file
from pgconsole.key_fields import check_recipients, check_trusted_keys
from pgconsole.redact import MASK, Redactor, holds_password
from pgconsole.secret_files import SUFFIX, secrets_of_files
from pgconsole.setting_errors import explain

DEFAULT_SCHEDULE = "0 2 * * *"
_ENVIRONMENT, _FILE, _DEFAULT = "environment", "file", "default"


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

    age_recipients: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias=_names("BACKUP_AGE_RECIPIENTS")
    )
    """Public keys of age, `age1...`, that new backups are encrypted to. Empty: not encrypted."""
    age_identity_file: Path | None = Field(
        None, validation_alias=_names("BACKUP_AGE_IDENTITY_FILE")
    )
    """The file with private keys of age; needed to look into encrypted backups, and to restore."""
    signing_key_file: Path | None = Field(None, validation_alias=_names("BACKUP_SIGNING_KEY_FILE"))
    """The file with the private key that manifests of new backups are signed with."""
    trusted_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (), validation_alias=_names("BACKUP_TRUSTED_KEYS")
    )
    """Public keys whose signatures count, beside the one of the signing key itself."""
    require_signature: bool = Field(False, validation_alias=_names("BACKUP_REQUIRE_SIGNATURE"))
    """Whether a backup that nobody signed counts as altered."""

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

    @field_validator("backup_dir", "age_identity_file", "signing_key_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_absolute():
            raise ValueError("it has to be an absolute path")
        return value

    @field_validator("age_identity_file", "signing_key_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("age_recipients", "trusted_keys", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("age_recipients")
    @classmethod
    def _age_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_recipients(value)
        return value

    @field_validator("trusted_keys")
    @classmethod
    def _ed25519_keys(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        check_trusted_keys(value)
        return value

    @field_validator("require_signature")
    @classmethod
    def _with_keys(cls, value: bool, info: ValidationInfo) -> bool:
        none = {"trusted_keys": (), "signing_key_file": None}  # neither given nor wrong
        if value and none.items() <= info.data.items():
            raise ValueError("it needs BACKUP_TRUSTED_KEYS or BACKUP_SIGNING_KEY_FILE")
        return value

    @field_validator("backup_schedule")
    @classmethod
    def _five_fields(cls, value: str) -> str:
        # Known good; croniter would cost 50 ms at every start.
        return value if value == DEFAULT_SCHEDULE else check_schedule(value)

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
            and an example of a right one; or says why the env file can't be read.
    """
    # What the environment sets it sets itself, under whichever of its names.
    variables = read_env_file()
    chosen = _chosen(variables)
    in_file = {variable: value for variable, value, source in chosen if source == _FILE}
    try:
        secrets = secrets_of_files(variables | os.environ)
        return Settings(_env_file=None, **in_file, **secrets)  # type: ignore[arg-type]
    except ValidationError as error:
        raise explain(error) from error


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
        raise explain(error) from error


def describe(settings: Settings) -> list[tuple[str, str, str]]:
    """The effective settings as (variable, value with secrets masked, source).

    The source is `environment`, the path of the env file or of the secret's own, or `default`. A
    variable that has an alternative spelling is shown under the one that was used.
    """
    path = os.path.realpath(env_file())
    is_file = os.path.isfile(path)  # noqa: PTH113 - never raises
    is_pipe = not is_file and os.path.exists(path)  # noqa: PTH110 - it can be read once
    rows = []
    for (name, field), (variable, _, chosen) in zip(
        Settings.model_fields.items(), _chosen(read_env_file() if is_file else {}), strict=True
    ):
        value, source = getattr(settings, name), chosen
        if source == _DEFAULT and value != field.default and is_pipe:
            source = _FILE
        rows.append((variable, _shown(value), path if source == _FILE else source))
    return rows


def _chosen(in_file: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Of each field, in their order: the variable that counts, its value, and where it is set.

    A secret that lies in a file of its own has no value here; where it is set is that file.
    """
    places: dict[str, Mapping[str, str]] = {_ENVIRONMENT: os.environ, _FILE: in_file}
    for name in Settings.model_fields:
        variables = _variables(name)
        set_ones = [
            (variable, values[variable], source)
            for source, values in places.items()
            for variable in variables
            if values.get(variable)
        ]
        in_secret_files = [
            (variable, "", os.path.realpath(values[variable + SUFFIX]))
            for values in places.values()
            for variable in variables
            if values.get(variable + SUFFIX)
        ]
        yield next(iter(set_ones + in_secret_files), (variables[0], "", _DEFAULT))


def _variables(field: str) -> tuple[str, ...]:
    alias = Settings.model_fields[field].validation_alias
    assert isinstance(alias, AliasChoices)
    return tuple(str(choice) for choice in alias.choices)


def _plain(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple):
        return " ".join(value)
    return "" if value is None else str(value)


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else ""
    return _plain(value)

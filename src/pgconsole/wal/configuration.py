"""Where WAL goes: the few variables that concern it, read as the settings read them.

Not the settings as a whole: they take longer to import than a segment takes to archive, and a wrong
BACKUP_SCHEDULE must not keep a server from archiving until its disk is full.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pgconsole.env_file import read_env_file
from pgconsole.errors import ConfigurationError

if TYPE_CHECKING:
    from pgconsole.settings import Settings

_S3 = (
    "S3_BACKUP_BUCKET", "S3_BUCKET", "S3_BACKUP_PREFIX", "S3_PREFIX", "S3_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION",
    "AWS_CA_BUNDLE", "S3_SSE", "S3_SSE_KMS_KEY_ID",
    "AWS_ACCESS_KEY_ID_FILE", "AWS_SECRET_ACCESS_KEY_FILE", "AWS_SESSION_TOKEN_FILE",
)  # fmt: skip


def archive_directory() -> Path:
    """`BACKUP_DIR/wal`.

    Raises:
        ConfigurationError: BACKUP_DIR can't be used.
    """
    value = _read("BACKUP_DIR").get("BACKUP_DIR", "/backups")
    path = Path(value)
    if not path.is_absolute():
        raise ConfigurationError(
            f"BACKUP_DIR is {value!r}: it has to be an absolute path",
            fix="correct it in the server's environment; a right value: BACKUP_DIR='/backups'",
        )
    return path / "wal"


def s3_settings() -> Settings:
    """Bucket, prefix, endpoint and credentials; everything else has its default.

    Raises:
        ConfigurationError: One of them can't be used, or no bucket is set.
    """
    from pgconsole.secret_files import secrets_of_files  # noqa: PLC0415 - see above
    from pgconsole.settings import read_settings  # noqa: PLC0415

    variables = _read(*_S3)
    settings = read_settings(variables | secrets_of_files(variables))
    if not settings.s3_enabled:
        raise ConfigurationError(
            "There is no bucket to archive in",
            cause="S3_BACKUP_BUCKET is not set in the server's environment",
            fix="set it, with the credentials, or leave out --s3",
        )
    return settings


def _read(*names: str) -> dict[str, str]:
    """The variables that are set: in the environment first, then in the env file.

    Raises:
        ConfigurationError: The env file can't be read.
    """
    in_file = read_env_file()
    found = {name: os.environ.get(name) or in_file.get(name) or "" for name in names}
    return {name: value for name, value in found.items() if value}

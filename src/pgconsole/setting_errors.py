"""What is wrong with the settings, as the operator has to read it."""

from __future__ import annotations

from pydantic import ValidationError

from pgconsole.errors import ConfigurationError
from pgconsole.redact import MASK, Redactor, holds_password

_SHOWN = 300  # characters of a wrong value

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
    "BACKUP_AGE_IDENTITY_FILE": "/run/secrets/age_identity",
    "BACKUP_SIGNING_KEY_FILE": "/run/secrets/signing_key",
    "PGCONSOLE_ON_STOP": "wait",
    "PGCONSOLE_READ_ONLY": "true",
    "PGCONSOLE_PROTECTED": "true",
    "PGCONSOLE_THEME": "high-contrast",
    "PGCONSOLE_LOW_BANDWIDTH": "true",
}


def explain(error: ValidationError) -> ConfigurationError:
    """All wrong variables in one error, each with value, reason and example."""
    lines = []
    for item in error.errors(include_url=False):
        if not item["loc"]:  # of several variables together: the reason names them
            lines.append(item["msg"].removeprefix("Value error, "))
            continue
        variable = str(item["loc"][0])
        secret = any(word in variable for word in ("PASSWORD", "SECRET", "TOKEN"))
        secret = secret or holds_password(str(item["input"]))
        value = MASK if secret else _brief(Redactor([])(repr(item["input"])))
        reason = _brief(item["msg"].removeprefix("Value error, "))
        line = f"{variable} is {value}: {reason[0].lower()}{reason[1:]}"
        if variable in _EXAMPLES:
            line += f" (a right value: {variable}={_EXAMPLES[variable]!r})"
        lines.append(line)
    return ConfigurationError(
        "; ".join(lines),
        fix="correct it in the environment or in .env; `pgconsole info` shows both",
    )


def _brief(text: str) -> str:
    """A text that may be as long as the environment allows."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text):,} characters)"

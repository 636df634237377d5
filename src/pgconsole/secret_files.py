"""Secrets that lie in files: `PGPASSWORD_FILE` and its like name one, as Docker's secrets do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pgconsole.errors import ConfigurationError

SUFFIX = "_FILE"
_LIMIT = 65_536  # bytes; no password or token is longer
# Each secret with all its spellings: of those, only one may be given by a file.
_SECRETS = (
    ("PGPASSWORD", "DB_PASSWORD"),
    ("AWS_ACCESS_KEY_ID",),
    ("AWS_SECRET_ACCESS_KEY",),
    ("AWS_SESSION_TOKEN",),
)
FILE_VARIABLES = frozenset(name + SUFFIX for names in _SECRETS for name in names)
"""The variables that name a file."""


def secrets_of_files(variables: Mapping[str, str | None]) -> dict[str, str]:
    """The secrets that these variables say lie in files, by the variable that they stand for.

    Args:
        variables: All that is set; an empty one counts as not set.

    Raises:
        ConfigurationError: A file can't be read or holds no secret, or the secret is given twice.
    """
    found = {}
    for names in _SECRETS:
        by_file = [name for name in names if variables.get(name + SUFFIX)]
        given = [name for name in names if variables.get(name)]
        if by_file and len(by_file) + len(given) > 1:
            both = [*given, *(name + SUFFIX for name in by_file)]
            raise ConfigurationError(
                f"{' and '.join(both)} are both set",
                cause="they name one secret, and may differ",
                fix="unset one of them",
            )
        for name in by_file:
            found[name] = _read(name + SUFFIX, Path(variables[name + SUFFIX] or ""))
    return found


def _read(variable: str, path: Path) -> str:
    """The file's text without the newlines at its end, which editors and `echo` leave there."""
    try:
        with path.open("rb") as file:
            content = file.read(_LIMIT + 1)
    except OSError as error:
        raise _unusable(variable, path, error.strerror or str(error)) from error
    try:
        text = content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise _unusable(variable, path, "the file is no text in UTF-8") from None
    if not text:
        raise _unusable(variable, path, "the file is empty")
    if len(content) > _LIMIT or "\0" in text:
        raise _unusable(variable, path, "what is in the file is no password or key")
    return text


def _unusable(variable: str, path: Path, cause: str) -> ConfigurationError:
    return ConfigurationError(
        f"{variable} is {str(path)!r}",
        cause=cause,
        fix=f"let it name a file that holds the secret alone, and that this user can read; "
        f"or set {variable.removesuffix(SUFFIX)}",
    )

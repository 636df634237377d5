"""Checks of pgconsole itself and of how it is set up."""

from __future__ import annotations

import platform
import stat
from pathlib import Path

from pgconsole import __version__
from pgconsole.redact import MASK
from pgconsole.settings import describe
from pgconsole.status.checks.base import Finding, ok, warning
from pgconsole.status.checks.context import Context

_DOCKER_SECRETS = "/run/secrets"


def settings(context: Context) -> Finding:
    """Whether the settings are valid (else there is no run), and their secrets are kept."""
    rows = describe(context.settings)
    files = {source for _, value, source in rows if value == MASK} - {"environment", "default"}
    for path in map(Path, sorted(files)):
        if path.is_relative_to(_DOCKER_SECRETS):
            continue  # in a container of our own; Docker makes them readable for every user there
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            return warning(
                f"{path} has mode {mode:04o} and holds passwords or keys",
                "other users of this host can read it",
                f"chmod 600 {path}",
            )
    given = sum(source != "default" for _, _, source in rows)
    return ok(f"valid; {given} of {len(rows)} are set, the others have their defaults")


def versions(_context: Context) -> Finding:
    """Which pgconsole this is, and on what it runs."""
    return ok(f"pgconsole {__version__}, Python {platform.python_version()}")

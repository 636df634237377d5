"""Checks of pgconsole itself."""

from __future__ import annotations

import platform

from pgconsole import __version__
from pgconsole.status.checks.base import Finding, ok
from pgconsole.status.checks.context import Context


def versions(_context: Context) -> Finding:
    """Which pgconsole this is, and on what it runs."""
    return ok(f"pgconsole {__version__}, Python {platform.python_version()}")

"""`pgconsole info`."""

from __future__ import annotations

import os
import sys

import click

from pgconsole import __version__
from pgconsole.actions.keymap import read_key_map
from pgconsole.cli.explain import shown
from pgconsole.errors import PgconsoleError
from pgconsole.memory import Memory
from pgconsole.places import key_map_file, memory_file
from pgconsole.settings import describe, load_settings
from pgconsole.status.words import clean


def print_info() -> None:
    """Print versions, the effective settings with their sources, and the paths."""
    settings = load_settings()
    click.echo(f"pgconsole {__version__}, Python {sys.version.split()[0]}")
    click.echo("\nSettings")
    rows = [
        (variable, shown(value) or "(empty)", source)
        for variable, value, source in describe(settings)
    ]
    variable_width = max(len(variable) for variable, _, _ in rows)
    value_width = min(40, max(len(value) for _, value, _ in rows))
    for variable, value, source in rows:
        click.echo(f"  {variable:<{variable_width}}  {value:<{value_width}}  {source}")
    click.echo("\nPaths")
    state = settings.state_dir
    for label, path in (
        ("backups", settings.backup_dir),
        ("jobs and their logs", state / "jobs"),
        ("locks", state / "locks"),
        ("audit log", state / "audit.log"),
    ):
        note = "" if os.path.lexists(path) else "  (not there yet)"
        click.echo(f"  {label:<20} {path}{note}")
    for label, own, wrong in (
        ("keys", key_map_file(), _wrong_keys()),
        ("what is remembered", memory_file(), Memory(memory_file()).problem),
    ):
        there = own is not None and os.path.lexists(own)
        note = f"  ! {clean(wrong)}" if wrong else "" if there else "  (not there)"
        click.echo(f"  {label:<20} {own or 'nowhere: there is no home directory'}{note}")
    click.echo("\nClient tools")
    for line in _tools():
        click.echo(f"  {line}")


def _wrong_keys() -> str:
    try:
        read_key_map(key_map_file())
    except PgconsoleError as error:
        return f"{error.cause}: all keys are the usual ones"
    return ""


def _tools() -> list[str]:
    from pgconsole.postgres.tools import installed_tools  # noqa: PLC0415

    found = installed_tools("pg_dump")
    if not found:
        return ["pg_dump not found: install the PostgreSQL client of your server's version"]
    return [f"pg_dump {tool.version}  {tool.path}" for tool in found]

"""Problems, as every command prints them."""

from __future__ import annotations

import click


def explain(problem: str, cause: str, fix: str) -> None:
    """Print a problem, why it is there, and what to do, on stderr."""
    click.echo(f"pgconsole: {problem}", err=True)
    if cause:
        click.echo(f"  cause: {cause}", err=True)
    if fix:
        click.echo(f"  next:  {fix}", err=True)

"""What every command prints in the same way: problems, and names from outside."""

from __future__ import annotations

import click


def explain(problem: str, cause: str, fix: str) -> None:
    """Print a problem, why it is there, and what to do, on stderr."""
    click.echo(f"pgconsole: {shown(problem)}", err=True)
    if cause:
        click.echo(f"  cause: {shown(cause)}", err=True)
    if fix:
        click.echo(f"  next:  {shown(fix)}", err=True)


def shown(name: str) -> str:
    """A name that somebody else gave a file, so that it can neither act on a terminal nor fail.

    What can't be printed is escaped: control characters, and bytes that are no UTF-8.
    """
    if name.isprintable():
        return name
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in name
    )

"""Long lists as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable

import click


def print_list(items: Iterable[object]) -> None:
    """Print a list as `json.dumps(..., indent=2)` writes it.

    Item by item: as one text a bucket of a hundred thousand objects would take 300 MB.
    """
    before = "[\n"
    for item in items:
        click.echo(before + textwrap.indent(json.dumps(item, indent=2), "  "), nl=False)
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")

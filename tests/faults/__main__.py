"""`make faults`: the long form of the fault suite, which writes docs/reliability.md."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import pytest
from tests.faults.recorder import LONG, RECORD, SEED
from tests.faults.report import Results, page

from pgconsole.demo.servers import embedded_bin_dir

_PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"


def main(arguments: list[str]) -> int:
    """Run the suite and write the page; with arguments for pytest only say what was found.

    Args:
        arguments: Of pytest, e.g. `-k disk`.

    Returns:
        pytest's exit status.
    """
    seed = int(os.environ.get(SEED) or secrets.randbelow(10**6))
    click.echo(f"seed {seed}: `make faults SEED={seed}` draws the same faults again")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pgconsole-faults-") as directory:
        record = Path(directory) / "record.jsonl"
        record.touch()
        variables = {SEED: str(seed), LONG: "1", RECORD: str(record)}
        status = _run_pytest(arguments, os.environ | variables)
        stopped = status == pytest.ExitCode.INTERRUPTED
        seconds = time.monotonic() - start
        text = page(Results(record), seed, seconds, _postgres_versions(), stopped=stopped)
    if arguments:
        click.echo(text)
    else:
        _PAGE.write_text(text)
        click.echo(f"{_PAGE} is written")
    return status


def _run_pytest(arguments: list[str], environment: dict[str, str]) -> int:
    """Run the suite; Ctrl-C stops it, and what was found until then is written all the same."""
    command = [sys.executable, "-m", "pytest", "tests/faults", "-n", "3", "--dist", "loadgroup"]
    with subprocess.Popen([*command, *arguments], env=environment) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:  # pytest gets it, too
            process.wait()
            return pytest.ExitCode.INTERRUPTED


def _postgres_versions() -> list[str]:
    said = [
        subprocess.run(
            [embedded_bin_dir(version) / "postgres", "--version"],
            check=True, capture_output=True, text=True,
        ).stdout for version in (16, 18)
    ]  # fmt: skip
    return [line.split()[-1] for line in said]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What only others know: which versions were withdrawn, and which are known to be vulnerable."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

_TIMEOUT = 900.0  # seconds; the index is asked for every package
_WITHDRAWN = "is a yanked version"


def withdrawn(versions: Mapping[str, str]) -> tuple[list[str], str]:
    """What pip says of the versions that the index has withdrawn.

    Args:
        versions: Version by name.

    Returns:
        The names with what pip says of each; and why the index could not be asked, or ''.
    """
    with _requirements(versions) as (path, _):
        done = _run(
            "pip", "install", "--dry-run", "--no-deps", "--ignore-installed", "--quiet",
            "--disable-pip-version-check", "-r", path,
        )  # fmt: skip
    said = done.stderr.splitlines()
    found = [line for line in said if _WITHDRAWN in line]
    return found, "" if done.returncode == 0 else _last(said)


def vulnerable(versions: Mapping[str, str]) -> tuple[list[str], list[str], str]:
    """What PyPI's vulnerability service says, by way of pip-audit.

    Args:
        versions: Version by name.

    Returns:
        The known vulnerabilities; the packages that the service does not know, of which nothing is
        known then; and why it could not be asked at all, or ''.
    """
    with _requirements(versions) as (path, directory):
        report = directory / "report.json"
        done = _run(
            "pip_audit", "-r", path, "--no-deps", "--disable-pip", "--progress-spinner", "off",
            "--format", "json", "--output", str(report),
        )  # fmt: skip
        if not report.exists():
            return [], [], _last(done.stderr.splitlines())
        return read_report(json.loads(report.read_text()))


def read_report(report: dict[str, list[dict[str, object]]]) -> tuple[list[str], list[str], str]:
    """The same out of pip-audit's report.

    pip-audit ends with success where the service knows none of the packages.
    """
    found, unknown = [], []
    for package in report["dependencies"]:
        vulnerabilities = package.get("vulns")
        if not isinstance(vulnerabilities, list):
            unknown.append(f"{package['name']}: {package.get('skip_reason', 'no answer')}")
            continue
        for one in vulnerabilities:
            fixed = ", ".join(one["fix_versions"]) or "nowhere yet"
            found.append(f"{package['name']} {package['version']}: {one['id']}, mended in {fixed}")
    return found, unknown, ""


class _requirements:
    """A requirements file of exact versions, for the duration of the block."""

    def __init__(self, versions: Mapping[str, str]) -> None:
        self._text = "".join(f"{name}=={version}\n" for name, version in versions.items())
        self._directory = tempfile.TemporaryDirectory()

    def __enter__(self) -> tuple[str, Path]:
        directory = Path(self._directory.name)
        path = directory / "requirements.txt"
        path.write_text(self._text)
        return str(path), directory

    def __exit__(self, *_: object) -> None:
        self._directory.cleanup()


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True, text=True, check=False, timeout=_TIMEOUT,
    )  # fmt: skip


def _last(lines: list[str]) -> str:
    return lines[-1] if lines else "no answer"

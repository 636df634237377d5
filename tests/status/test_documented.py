"""The scripts of docs/monitoring.md do what it says, for good backups and for bad ones."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest
from tests.cli.program import environment
from tests.docs.commands import ROOT, blocks
from tests.status.conftest import Site

from pgconsole.status.doctor import CHECKS

pytestmark = pytest.mark.e2e

DOCUMENT = ROOT / "docs" / "monitoring.md"
CRON, NAGIOS, PROMETHEUS = (script for script, _ in blocks(DOCUMENT, "sh"))


def run_script(script: str, site: Site, directory: Path, **variables: str) -> tuple[int, str]:
    variables |= {"TEXTFILES": str(directory)}
    found = environment(site.settings(), **variables)
    found["PATH"] = f"{sysconfig.get_path('scripts')}:{found['PATH']}"
    script = script.replace("/tmp/", f"{directory}/")
    done = subprocess.run(
        ["sh", "-c", script], env=found, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_scripts(site: Site, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    bad = {"BACKUP_DIR": str(tmp_path / "empty")}
    gone = {"BACKUP_DIR": "/nonexistent"}
    assert run_script(CRON, site, tmp_path) == (0, "")
    assert "no backup yet" in run_script(CRON, site, tmp_path, **bad, S3_BACKUP_BUCKET="")[1]
    codes = [run_script(NAGIOS, site, tmp_path, **one)[0] for one in ({}, bad, gone)]
    assert codes == [0, 2, 3]
    assert run_script(PROMETHEUS, site, tmp_path) == (0, "")
    lines = (tmp_path / "pgconsole.prom").read_text().splitlines()
    assert lines[0] == "pgconsole_status 0"
    assert lines[1].startswith('pgconsole_backup_age_seconds{class="daily"} ')


def test_every_check_and_symptom_is_documented() -> None:
    table = DOCUMENT.read_text().split("| Check |")[1]
    named = {word for line in table.splitlines() for word in line.split("|")[1:2]}
    documented = {part.strip(" `") for cell in named for part in cell.split(",")}
    assert {check.name for check in CHECKS} <= documented
    for symptom in (
        "PostgreSQL is not reachable", "S3 upload failed", "gzip check failed",
        "No backups created", "Old backups not pruned",
    ):  # fmt: skip
        assert symptom in table

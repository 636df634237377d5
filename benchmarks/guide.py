"""The guide's pipeline, step by step, as its scripts run it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

DUMP = "pg_dump --no-owner --no-acl --clean --if-exists"

FLOOR = f"{DUMP} > /dev/null"
BACKUP = f'{DUMP} | gzip -9 > "$FILE"'
INTEGRITY = 'gzip -t "$FILE"'
# Header and completion trailer, in one pass over the whole content.
CONTENT = """test "$(zcat "$FILE" | grep -c '^-- PostgreSQL database dump')" -eq 2"""
# The rows of one table.
TABLE = r"""zcat "$FILE" | LC_ALL=C awk '/^COPY public\.accounts /{on=1;next} /^\\\.$/{on=0} on'"""
RESTORE = """zcat "$FILE" | psql -X --single-transaction --set ON_ERROR_STOP=on > /dev/null"""

_BOTO3 = """
import os, sys, boto3
bucket, _, key = sys.argv[2].removeprefix("s3://").partition("/")
client = boto3.client("s3", endpoint_url=os.environ["S3_ENDPOINT_URL"])
client.upload_file(sys.argv[1], bucket, key)
"""


def shell(script: str) -> list[str]:
    """The command that runs a step; a failure anywhere in a pipe counts."""
    return ["bash", "-o", "pipefail", "-ec", script]


def upload(file: Path, url: str, scratch: Path) -> tuple[str, list[str]]:
    """The upload step: `aws s3 cp`.

    The machine's AWS CLI is taken; else one is installed from PyPI; else boto3's `upload_file`,
    which `aws s3 cp` is a front end of, stands in.

    Args:
        file: What to upload.
        url: `s3://bucket/key`.
        scratch: Where the CLI's virtual environment is made if need be.

    Returns:
        What uploads, for the report, and the command.
    """
    aws = shutil.which("aws") or _install_aws(scratch)
    if aws is None:
        return "boto3 upload_file", [sys.executable, "-c", _BOTO3, str(file), url]
    endpoint = '--endpoint-url "$S3_ENDPOINT_URL"'
    command = f'"{aws}" s3 cp --only-show-errors {endpoint} "$FILE" "{url}"'
    return "aws s3 cp", shell(command)


def _install_aws(scratch: Path) -> str | None:
    aws = scratch / "bin" / "aws"
    if not aws.exists():
        try:
            venv.create(scratch, with_pip=True)
            subprocess.run(
                [scratch / "bin" / "pip", "install", "--quiet", "awscli"], check=True, timeout=600
            )
        except (OSError, subprocess.SubprocessError):
            return None
    return os.fspath(aws)

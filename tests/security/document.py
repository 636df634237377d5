"""What docs/security.md tells operators to use, read from the file."""

from __future__ import annotations

import json
from typing import Any

from tests.docs.commands import ROOT, blocks

DOCUMENT = ROOT / "docs" / "security.md"
BUCKET = "my-thinktank-backups"


def sql() -> list[str]:
    """The SQL blocks: for backups, for large objects, for restores."""
    return [text for text, _ in blocks(DOCUMENT, "sql")]


def policies() -> list[dict[str, Any]]:
    """The S3 policies: for backup only, what retention needs besides, for restore only."""
    return [json.loads(text) for text, _ in blocks(DOCUMENT, "json")]

"""Secrets never reach a log, a journal, argv or the screen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"
# A URL with user and password, in whatever way its owner has escaped them, or a connection string.
_WITH_PASSWORD = re.compile(r"://.*@|\bpassword\s*=", re.IGNORECASE | re.DOTALL)
_ESCAPED = re.compile(r"%[0-9A-F]{2}")

# Private keys of age are told by their form: they are in files, and nobody should have read one.
_AGE_KEY = re.compile(r"AGE-SECRET-KEY-[A-Z0-9-]*1[A-Z0-9]+", re.IGNORECASE)


class Redactor:
    """Replaces secrets in text, also in the forms that tools print them in.

    Args:
        secrets: The values to hide; empty ones are ignored.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        # The longest first, so that no secret that contains another is half hidden.
        self._forms = sorted(forms, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        """The text with every secret replaced by a mask."""
        for form in self._forms:
            text = text.replace(form, MASK)
        return _AGE_KEY.sub(MASK, text)


def holds_password(text: str) -> bool:
    """Whether a text is a URL with user and password, or a connection string with a password."""
    return _WITH_PASSWORD.search(text) is not None


def _forms(secret: str) -> set[str]:
    """The secret as is, and as URLs, JSON, Python, libpq, SQL, XML and the shell write it."""
    conninfo = secret.replace("\\", "\\\\").replace("'", "\\'")
    raw = secret.encode(errors="surrogateescape")  # as in the environment: it may be no UTF-8
    in_urls = {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    xml = secret.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {
        secret,
        *in_urls,
        *(_ESCAPED.sub(lambda match: match[0].lower(), form) for form in in_urls),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(raw)[2:-1],
        conninfo,
        secret.replace("'", "''"),
        xml,
        xml.replace('"', "&quot;").replace("'", "&apos;"),  # Java and Python
        xml.replace('"', "&#34;").replace("'", "&#39;"),  # Go
        secret.replace("'", "'\"'\"'"),
        secret.replace("'", "'\\''"),
    }

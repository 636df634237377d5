"""Secrets never reach a log, a journal, argv or the screen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MASK = "***"

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


def _forms(secret: str) -> set[str]:
    """The secret as is, as in a URL, in JSON, in a Python repr and in a libpq conninfo string."""
    conninfo = secret.replace("\\", "\\\\").replace("'", "\\'")
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        conninfo,
        secret.replace("'", "''"),
    }

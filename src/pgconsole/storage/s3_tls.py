"""Why a connection to a store is not trusted, in words for an operator."""

from __future__ import annotations

_BUNDLE = "set AWS_CA_BUNDLE to a file with the certificate of the authority that signed it"
_CLOCK = "renew the store's certificate; if it is valid, set this host's clock (NTP)"
_NAME = "use in S3_ENDPOINT_URL a name that the certificate has"

# What OpenSSL and urllib3 say, in lower case: cause and fix.
_REASONS = (
    ("doesn't match", "its certificate is for another host name", _NAME),
    ("hostname mismatch", "its certificate is for another host name", _NAME),
    ("no_certificate_or_crl", "AWS_CA_BUNDLE names a file without a certificate", "correct it"),
    ("wrong_version_number", "it does not speak TLS at this port", "correct S3_ENDPOINT_URL"),
    ("expired", "its certificate has expired", _CLOCK),
    ("not yet valid", "its certificate is not valid yet", _CLOCK),
    ("self-signed", "nobody we trust has signed its certificate", _BUNDLE),
    ("self signed", "nobody we trust has signed its certificate", _BUNDLE),
    ("local issuer", "nobody we trust has signed its certificate", _BUNDLE),
)


def explain_tls(store: str, said: str) -> tuple[str, str]:
    """Cause and fix.

    Args:
        store: What was connected to.
        said: What the TLS library says, in its own words.
    """
    for word, cause, fix in _REASONS:
        if word in said.lower():
            return f"{store} is not trusted: {cause}", fix
    return f"{store} is not trusted: {said}", "ask whoever runs the store"

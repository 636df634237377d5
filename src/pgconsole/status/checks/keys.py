"""Checks of the keys that backups are encrypted and signed with."""

from __future__ import annotations

from pgconsole.backups.sealed import identities
from pgconsole.backups.signatures import signing_key, trusted_keys
from pgconsole.status.checks.base import Finding, not_set_up, ok, warning
from pgconsole.status.checks.context import Context
from pgconsole.status.words import counted


def encryption(context: Context) -> Finding:
    """Whether new backups are encrypted, and whether a key that is here opens them."""
    settings = context.settings
    recipients = settings.age_recipients
    if settings.age_identity_file is None:
        if not recipients:
            return not_set_up("backups are not encrypted")
        return ok(
            f"backups are encrypted to {counted(len(recipients), 'key')}; no private key is here, "
            "so none is looked into or restored from here"
        )
    own = [identity.recipient for identity in identities(settings)]
    if recipients and not set(own) & set(recipients):
        return warning(
            "the private keys that are here don't open new backups",
            f"they are encrypted to {', '.join(recipients)}; here are the keys of {', '.join(own)}",
            "see that somebody has a private key for one of BACKUP_AGE_RECIPIENTS: without it no "
            "backup can be read",
        )
    if not recipients:
        return ok("backups are not encrypted; encrypted ones of before can be opened")
    return ok(
        f"backups are encrypted to {counted(len(recipients), 'key')}; a private key that is here "
        "opens them"
    )


def signatures(context: Context) -> Finding:
    """Whether manifests are signed, and whether signatures are checked."""
    trusted = trusted_keys(context.settings)
    if not trusted:
        return not_set_up("manifests are not signed")
    signs = signing_key(context.settings) is not None
    what = "manifests are signed" if signs else "manifests are not signed here"
    required = "; unsigned ones count as altered" if context.settings.require_signature else ""
    return ok(f"{what}; {counted(len(trusted), 'key')} trusted{required}")

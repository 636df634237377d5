"""`pgconsole keygen`."""

from __future__ import annotations

from pathlib import Path

import click

from pgconsole.errors import StorageError

_PATH = click.Path(path_type=Path, dir_okay=False)


@click.group()
def keygen() -> None:
    """Make keys: to sign backups with, or to encrypt them.

    The private key is written to FILE, which only you can read; a file that is there is never
    overwritten. The setting with the public key is printed.
    """


@keygen.command()
@click.argument("file", type=_PATH)
def signing(file: Path) -> None:
    """Make a key pair to sign manifests with (Ed25519).

    FILE belongs on the hosts that take backups (BACKUP_SIGNING_KEY_FILE). What is printed belongs
    on those that verify and restore them.
    """
    from pgconsole.dumps.signature import new_signing_key  # noqa: PLC0415

    key = new_signing_key()
    _write(file, key.pem())
    click.echo(f"BACKUP_TRUSTED_KEYS={key.public}")
    click.echo(f"where backups are taken: BACKUP_SIGNING_KEY_FILE={file.absolute()}", err=True)


@keygen.command()
@click.argument("file", type=_PATH)
def age(file: Path) -> None:
    """Make a key pair of age to encrypt backups with (X25519), as `age-keygen` does.

    FILE belongs where backups are restored, and into a safe: without it they are lost. What is
    printed belongs on the hosts that take backups.
    """
    from pgconsole.dumps.age_keys import new_identity  # noqa: PLC0415

    secret, identity = new_identity()
    _write(file, f"# public key: {identity.recipient}\n{secret}\n".encode())
    click.echo(f"BACKUP_AGE_RECIPIENTS={identity.recipient}")
    click.echo(
        f"where backups are restored: BACKUP_AGE_IDENTITY_FILE={file.absolute()}. "
        "Keep a copy of it elsewhere: without it no backup can be read",
        err=True,
    )


def _write(path: Path, content: bytes) -> None:
    """Write a private key; the file has its name when all of it is on the disk."""
    from pgconsole.storage import files  # noqa: PLC0415
    from pgconsole.storage.local_scan import own_partial_path  # noqa: PLC0415

    partial = own_partial_path(path.absolute())
    with files.translated(f"{path} can't be written"):
        files.write_durably(partial, content)
        try:
            files.move(partial, path.absolute())
        except FileExistsError:
            raise StorageError(
                f"{path} can't be written",
                cause="it exists, and a private key is never overwritten",
                fix="give another name",
            ) from None
        finally:
            partial.unlink(missing_ok=True)
        files.fsync_directory(partial.parent)

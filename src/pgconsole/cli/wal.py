"""`pgconsole wal-push`: the server's `archive_command`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("wal-push")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--gzip", "compress", is_flag=True, help="Store it gzipped, as <name>.gz.")
@click.option("--s3", "to_s3", is_flag=True, help="Store it in the bucket, not in BACKUP_DIR.")
def wal_push(path: Path, compress: bool, to_s3: bool) -> None:
    """Archive one WAL file; for `archive_command = 'pgconsole wal-push %p'`.

    It is written aside, flushed, renamed to BACKUP_DIR/wal/<name>, and the directory flushed; with
    --s3 it becomes <prefix>wal/<name>. The same file once more is success; another one of the
    same name is an error and never overwritten. Any exit code but 0 makes the server keep the file
    and try again.

    WAL alone restores nothing: with a base backup it leads to any point in time, with pg_dump's
    backups it does not.
    """
    from pgconsole.wal import configuration  # noqa: PLC0415

    if to_s3:
        from pgconsole.wal.push_s3 import push_s3  # noqa: PLC0415 - boto3 takes 0.5 s

        push_s3(path, configuration.s3_settings(), compress=compress)
    else:
        from pgconsole.wal.push import push  # noqa: PLC0415

        push(path, configuration.archive_directory(), compress=compress)

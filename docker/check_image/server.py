"""The server's image archives its WAL in the volume, with docker-compose-wal.yaml's command."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from docker.check_image.build import Image
from docker.check_image.host import require, run_in, say

# What the official image's entry point does: initdb once, then the command. Its socket only: this
# machine may have a server on the port.
_SERVE = """
set -e
initdb --username=postgres --auth=trust >/tmp/initdb.log
"$@" -c listen_addresses= -c unix_socket_directories=/tmp >/tmp/server.log 2>&1 & server=$!
ask() { psql --host=/tmp --username=postgres --no-align --tuples-only --command="$1"; }
tries=0
until ask 'SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1)); [ "$tries" -lt 300 ] || { cat /tmp/server.log; exit 1; }
    sleep 0.1
done
[ "$(ask 'SHOW archive_command')" = 'pgconsole wal-push %p' ]
segment=$(ask 'CREATE TABLE t (i int)' >/dev/null; ask 'SELECT pg_walfile_name(pg_switch_wal())')
tries=0
until [ "$(ask 'SELECT last_archived_wal FROM pg_stat_archiver')" = "$segment" ]; do
    tries=$((tries + 1)); [ "$tries" -lt 300 ] || { cat /tmp/server.log; exit 1; }
    sleep 0.1
done
cmp "$PGDATA/pg_wal/$segment" "/backups/wal/$segment"
kill -INT "$server"
wait "$server"
"""


def check_server(image: Image, service: dict[str, Any]) -> None:
    """Run the server, let it switch to another segment, and see that the volume has the first."""
    say("the server's image archives in the volume")
    require(
        "/etc/postgresql/backup.conf" in str(service["volumes"]), "it should mount our settings"
    )
    backups = image.root / "backups"
    require(backups.stat().st_uid == 999, "/backups should belong to 999")
    environment = {**image.environment, "HOME": "/tmp"}
    run_in(image.root, ["/bin/sh", "-c", _SERVE, "sh", *service["command"]], environment, user=999)
    for path in (*Path(backups, "wal").iterdir(), backups / "wal"):
        require(path.stat().st_uid == 999, f"{path} should belong to 999")
    shutil.rmtree(backups / "wal")

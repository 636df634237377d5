#!/bin/sh
# Without arguments the scheduler; otherwise one command of pgconsole: `entrypoint.sh backup`.
set -eu

# A volume that a container of the old scripts filled belongs to root, and this one is not root.
dir=${BACKUP_DIR:-/backups}
for path in "$dir" "$dir/daily" "$dir/weekly" "$dir/monthly" "$dir/safety" "$dir/restored" \
    "$dir/.pgconsole"; do
    if [ -d "$path" ] && ! [ -w "$path" ]; then
        me="$(id -u):$(id -g)"
        echo "pgconsole: $path can't be written by this container" >&2
        echo "  cause: it belongs to $(stat -c '%u:%g' "$path"), and the container runs as $me" >&2
        echo "  next:  give the volume to $me, once, with the container stopped:" >&2
        echo "         docker run --rm --user 0 -v <volume>:$dir --entrypoint chown <image>" \
            "-R $me $dir" >&2
        exit 1
    fi
done

[ "$#" -gt 0 ] || set -- schedule
exec pgconsole "$@"

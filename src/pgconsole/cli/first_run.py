"""Whether somebody has configured anything yet."""

from __future__ import annotations

from collections.abc import Collection

from pgconsole.env_file import env_file
from pgconsole.screens.welcome import Welcome
from pgconsole.settings import Settings, describe

# Set for other programs on many machines, or by whoever only chose the console's colours.
_SAYS_NOTHING = ("AWS_", "PGCONSOLE_")


def is_first_run(given: Collection[str], *, backups_there: bool) -> bool:
    """Whether nothing is configured: neither a server, nor a place for backups, nor a bucket.

    Args:
        given: The variables that are set, in the environment or in the file.
        backups_there: Whether BACKUP_DIR's default exists: in a container the defaults may be all
            that is needed.
    """
    return not backups_there and all(name.startswith(_SAYS_NOTHING) for name in given)


def welcome_for(settings: Settings) -> Welcome | None:
    """What to say first; None if something is configured.

    Args:
        settings: What was read, without an error: a broken file is no first run.
    """
    given = {variable for variable, _, source in describe(settings) if source != "default"}
    # The directory may hang, so it is asked for only where nothing else decides.
    if not is_first_run(given, backups_there=False) or settings.backup_dir.is_dir():
        return None
    from pgconsole.demo.servers import missing  # noqa: PLC0415 - psycopg

    return Welcome(file=env_file().absolute(), no_demo=missing())

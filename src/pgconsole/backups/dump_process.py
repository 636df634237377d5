"""pg_dump as a child process."""

from __future__ import annotations

import subprocess

from pgconsole.backups.tool_process import ToolProcess

DUMP_OPTIONS = ("--no-owner", "--no-acl", "--clean", "--if-exists")


class DumpProcess(ToolProcess):
    """One run of pg_dump. `start` it from the main thread, and `stop` it whatever happens.

    Args:
        argv: The command; no secrets.
        environment: Its whole environment.
    """

    def __init__(self, argv: list[str], environment: dict[str, str]) -> None:
        fix = "remove the cause, then try again; nothing was published"
        super().__init__("pg_dump", argv, environment, fix)

    def start(self) -> int:
        """Start it, and return the descriptor to read the dump from.

        Raises:
            ToolError: It can't be started.
        """
        self.spawn(subprocess.DEVNULL)
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

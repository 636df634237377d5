"""PostgreSQL's client tools: which there are, which one fits a server, and what they may know."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pgconsole.errors import ToolError
from pgconsole.postgres.server import KEEPALIVE
from pgconsole.redact import MASK
from pgconsole.settings import Settings

# Where the packages of Debian and of Red Hat put each version's programs.
_PACKAGE_DIRECTORIES = (("/usr/lib/postgresql", "*/bin"), ("/usr", "pgsql-*/bin"))
_VERSION = re.compile(r"\(PostgreSQL\) ((\d+)\S*)")
_VERSION_TIMEOUT = 10.0  # seconds
_CONNECT_TIMEOUT = 10  # seconds, for each address of a host name
_SHOWN = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")  # in commands, in this order

# What libpq reads besides the settings. Our own connections read the same variables, so that a
# tool never reaches another server than the one that was probed and locked. PGCLIENTENCODING and
# its like are left out: they would change the dump.
LIBPQ_VARIABLES = frozenset(
    {
        "PGCHANNELBINDING", "PGGSSDELEGATION", "PGGSSENCMODE", "PGGSSLIB", "PGHOSTADDR",
        "PGKRBSRVNAME", "PGLOADBALANCEHOSTS", "PGMAXPROTOCOLVERSION", "PGMINPROTOCOLVERSION",
        "PGPASSFILE", "PGREQUIREAUTH", "PGREQUIREPEER", "PGSERVICE", "PGSERVICEFILE",
        "PGSYSCONFDIR", "PGTARGETSESSIONATTRS",
    }
)  # fmt: skip
_OTHER_VARIABLES = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, slots=True)
class Tool:
    """One installed client program.

    Attributes:
        name: `pg_dump` or `psql`.
        path: The program file.
        version: As it says itself, e.g. `16.14`.
        major: The first number of the version.
    """

    name: str
    path: Path
    version: str
    major: int


def installed_tools(name: str) -> list[Tool]:
    """Every version of a client tool on this machine: PATH first, then the packages' places."""
    tools = []
    seen: set[Path] = set()
    for path in _candidates(name):
        # Debian's wrapper picks another version by its own rules; the real programs come later.
        real = path.resolve()
        if real in seen or real.name == "pg_wrapper":
            continue
        seen.add(real)
        tool = _identify(name, path)
        if tool is not None:
            tools.append(tool)
    return tools


def choose_tool(name: str, server_major: int) -> Tool:
    """The tool for a server: of the server's own major version, else of the next newer one.

    Args:
        name: `pg_dump` or `psql`.
        server_major: The server's major version, e.g. 16.

    Raises:
        ToolError: There is none, or all are older than the server. Says which package has one.
    """
    tools = installed_tools(name)
    fitting = [tool for tool in tools if tool.major >= server_major]
    if fitting:
        return min(fitting, key=lambda tool: tool.major)  # the first on PATH among equals
    fix = (
        f"install the client tools of PostgreSQL {server_major} or newer (Debian, Ubuntu: "
        f"postgresql-client-{server_major}; Red Hat: postgresql{server_major}; Alpine: "
        f"postgresql{server_major}-client) or put them on PATH"
    )
    if not tools:
        raise ToolError(
            f"{name} is not installed",
            cause="it is neither on PATH nor where packages put it",
            fix=fix,
        )
    found = ", ".join(f"{tool.version} ({tool.path})" for tool in tools)
    raise ToolError(
        f"{name} is older than the server",
        cause=f"the server is PostgreSQL {server_major}, found was {found}",
        fix=fix,
    )


def tool_environment(
    settings: Settings, *, application_name: str = "pgconsole", secrets: bool = True
) -> dict[str, str]:
    """The whole environment of a client tool: what it needs to connect, and nothing else.

    The password travels here and never in argv: other users can't read it. Which server and
    database it is has to be said in `tool_conninfo` too.

    Args:
        settings: Where to connect.
        application_name: How the server lists the connection.
        secrets: False masks the password, to show the command.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in LIBPQ_VARIABLES or name.startswith("PGSSL")
    }
    environment |= _for_every_tool()
    environment |= {
        "PGHOST": settings.pghost,
        "PGPORT": str(settings.pgport),
        "PGUSER": settings.pguser,
        "PGDATABASE": settings.pgdatabase,
        "PGAPPNAME": application_name,
        "PGCONNECT_TIMEOUT": str(_CONNECT_TIMEOUT),
    }
    password = settings.pgpassword.get_secret_value()
    if password:
        environment["PGPASSWORD"] = password if secrets else MASK
    return environment


def tool_conninfo(settings: Settings) -> str:
    """What a client tool has to be told as its `--dbname`; no secrets.

    To libpq the environment counts less than the file of a service (PGSERVICE), which may name
    another server and another database than the one that was probed and locked. This counts more.
    """
    import psycopg  # noqa: PLC0415 - 0.2 s

    parameters: dict[str, Any] = {
        "host": settings.pghost,
        "port": settings.pgport,
        "user": settings.pguser,
        "dbname": settings.pgdatabase,
        **KEEPALIVE,
    }
    return psycopg.conninfo.make_conninfo("", **parameters)


def command_line(settings: Settings, argv: list[str]) -> str:
    """The command as an operator could type it, with the password masked."""
    environment = tool_environment(settings, secrets=False)
    shown = {name: environment[name] for name in _SHOWN if name in environment}
    assignments = [
        f"{name}={value if value == MASK else shlex.quote(value)}" for name, value in shown.items()
    ]
    return " ".join([*assignments, shlex.join(argv)])


def is_command_line(message: str) -> bool:
    """Whether a message that was reported is one of `command_line`."""
    return message.startswith(f"{_SHOWN[0]}=")


def _for_every_tool() -> dict[str, str]:
    """What a tool needs that connects to nothing."""
    found = {name: value for name, value in os.environ.items() if name in _OTHER_VARIABLES}
    return found | {"PATH": found.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def _candidates(name: str) -> Iterator[Path]:
    for directory in os.environ.get("PATH", os.defpath).split(os.pathsep):
        yield Path(directory or ".").absolute() / name
    for root, pattern in _PACKAGE_DIRECTORIES:
        for package in sorted(Path(root).glob(pattern)):
            yield package / name


def _identify(name: str, path: Path) -> Tool | None:
    """Ask a program for its version; None if it is missing, broken or something else.

    It may be anything that has this name on PATH: it gets no secret of ours to see.
    """
    if not (path.is_file() and os.access(path, os.X_OK)):
        return None
    try:
        answer = subprocess.run(
            [path, "--version"], stdin=subprocess.DEVNULL, capture_output=True, check=False,
            timeout=_VERSION_TIMEOUT, text=True, errors="replace", env=_for_every_tool(),
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.search(answer.stdout)
    if answer.returncode != 0 or match is None:
        return None
    return Tool(name, path, match[1], int(match[2]))

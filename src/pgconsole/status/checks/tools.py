"""Checks of PostgreSQL's client tools."""

from __future__ import annotations

from pgconsole.errors import ServerError, ToolError
from pgconsole.postgres.tools import Tool, choose_tool, installed_tools
from pgconsole.status.checks.base import Finding, failed, ok, unknown
from pgconsole.status.checks.context import Context

# The minor releases of 2025-08-14 brought \restrict (CVE-2025-8714): pg_dump writes it since, and
# psql knows it since. PostgreSQL 18 and later always did; 12 and earlier never will.
_RESTRICT_SINCE = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}


def pg_dump(context: Context) -> Finding:
    """Whether there is a pg_dump for this server."""
    return _for_server(context, "pg_dump")


def psql(context: Context) -> Finding:
    r"""Whether there is a psql for this server, which reads what its pg_dump writes."""
    finding = _for_server(context, "psql")
    try:
        major = context.server().major
        reader, writer = choose_tool("psql", major), choose_tool("pg_dump", major)
    except (ServerError, ToolError):
        return finding
    if knows_restrict(writer) and not knows_restrict(reader):
        return failed(
            f"psql {reader.version} can't restore what pg_dump {writer.version} writes",
            r"it does not know \restrict, which newer dumps begin with",
            f"install a psql as new as pg_dump ({writer.path})",
        )
    return finding


def knows_restrict(tool: Tool) -> bool:
    r"""Whether a pg_dump writes, or a psql reads, `\restrict`."""
    _, _, minor = tool.version.partition(".")
    since = _RESTRICT_SINCE.get(tool.major, 0 if tool.major >= 18 else None)
    # Of a development version (18devel, 19beta1) the major version alone decides.
    return since is not None and (not minor.isdecimal() or int(minor) >= since)


def _for_server(context: Context, name: str) -> Finding:
    try:
        major = context.server().major
    except ServerError:
        found = ", ".join(tool.version for tool in installed_tools(name))
        if not found:
            choose_tool(name, 0)  # raises, and says where to get it
        return unknown(
            f"{name} {found} is installed; whether it fits is unknown",
            "the server's version is unknown: there is no connection",
            "see to that first",
        )
    tool = choose_tool(name, major)
    restrict = r"knows \restrict" if knows_restrict(tool) else r"does not know \restrict"
    return ok(f"{name} {tool.version} ({tool.path}) for server {major}; {restrict}")

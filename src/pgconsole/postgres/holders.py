"""What in a database keeps hold of something that a restore drops, and is not dropped itself.

A dump drops what it knows, without CASCADE. Whatever is newer and depends on that makes PostgreSQL
refuse the drop, and the restore fails: after the safety backup, and after the sessions were cut.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pgconsole.postgres.relations import PLANNING
from pgconsole.postgres.server import visit
from pgconsole.settings import Settings

Name = tuple[str, str]
"""Schema and name."""

# What a dump knows by name is no holder: it is dropped in its turn. What PostgreSQL drops along
# with something (partitions, indexes, what belongs to a column, the types of a range) is none
# either: it depends on that in another way than `n`. But what depends on those does hold on. A
# foreign key goes along with its table, yet the key that it refers to is dropped before. A function
# of several overloads is left out: which of them is dropped can't be told by its name.
_HOLDERS = r"""
    WITH RECURSIVE relations AS (
        SELECT c.oid, d.dropped
          FROM unnest(%(schemas)s::text[], %(relations)s::text[], %(dropped)s::bool[])
                   AS d (nspname, relname, dropped)
          JOIN pg_namespace n USING (nspname)
          JOIN pg_class c ON relnamespace = n.oid AND c.relname = d.relname
    ), types AS (
        SELECT t.oid
          FROM unnest(%(type_schemas)s::text[], %(types)s::text[]) AS d (nspname, typname)
          JOIN pg_namespace n USING (nspname)
          JOIN pg_type t ON typnamespace = n.oid AND t.typname = d.typname
    ), functions AS (
        SELECT p.oid, count(*) OVER (PARTITION BY p.pronamespace, p.proname) AS overloads
          FROM unnest(%(function_schemas)s::text[], %(functions)s::text[]) AS d (nspname, proname)
          JOIN pg_namespace n USING (nspname)
          JOIN pg_proc p ON pronamespace = n.oid AND p.proname = d.proname
    ), members AS (
        SELECT classid, objid
          FROM pg_depend JOIN pg_extension e ON e.oid = refobjid
         WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
           AND extname = ANY(%(extensions)s::text[])
    ), named AS (
        SELECT 'pg_class'::regclass::oid AS classid, oid AS objid FROM relations WHERE dropped
        UNION SELECT 'pg_type'::regclass, oid FROM types
        UNION SELECT 'pg_proc'::regclass, oid FROM functions WHERE overloads = 1
        UNION SELECT 'pg_namespace'::regclass, oid FROM pg_namespace
               WHERE nspname = ANY(%(dropped_schemas)s::text[])
        UNION TABLE members
    ), gone AS (
        TABLE named
        UNION SELECT d.classid, d.objid
                FROM pg_depend d JOIN gone ON gone.classid = refclassid AND gone.objid = refobjid
               WHERE deptype IN ('a', 'i', 'P', 'S')
    ), held AS (
        SELECT d.classid, d.objid, d.objsubid, d.refclassid, d.refobjid,
               coalesce(ev_class, tgrelid, adrelid, polrelid, conrelid,
                        CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END) AS owner,
               contype, conparentid, conname, conrelid
          FROM pg_depend d JOIN gone ON gone.classid = refclassid AND gone.objid = refobjid
          LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
          LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
          LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
          LEFT JOIN pg_policy p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
          LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
         WHERE deptype = 'n' AND ((d.classid, d.objid) NOT IN (TABLE gone) OR contype = 'f')
    )
    SELECT DISTINCT pg_describe_object(classid, objid, objsubid),
           pg_describe_object(refclassid, refobjid, 0)
      FROM held LEFT JOIN pg_class c ON c.oid = owner
                LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE CASE
           WHEN contype = 'f' THEN conparentid = 0 AND (n.nspname, c.relname, conname) NOT IN (
               SELECT * FROM unnest(%(constraint_schemas)s::text[], %(constraint_tables)s::text[],
                                    %(constraints)s::text[]))
           WHEN owner IS NOT NULL THEN
               c.relkind IN ('r', 'p', 'v', 'm', 'f') AND owner NOT IN (SELECT oid FROM relations)
           WHEN classid = 'pg_proc'::regclass THEN objid NOT IN (SELECT oid FROM functions)
           END
     ORDER BY 1, 2
     LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a dump knows, and what of that it drops before it makes it again.

    Attributes:
        relations: All tables, views and sequences that it knows; true for those that it drops.
        constraints: Constraints that it drops, as schema, table and name.
        types: Types that it drops.
        functions: Functions that it drops.
        schemas: Schemas that it drops.
        extensions: Extensions that it drops.
    """

    relations: dict[Name, bool]
    constraints: Collection[tuple[str, str, str]] = ()
    types: Collection[Name] = ()
    functions: Collection[Name] = ()
    schemas: Collection[str] = ()
    extensions: Collection[str] = ()


def holders_on(settings: Settings, dropped: Dropped, most: int) -> list[tuple[str, str]]:
    """What would make PostgreSQL refuse one of the drops.

    Args:
        settings: The database.
        dropped: What is dropped.
        most: How many are wanted.

    Returns:
        What holds on and to what, in the server's words: `constraint a on table b`, `table c`.

    Raises:
        ServerError: The server can't be reached, refuses us, or does not answer within seconds.
    """
    parameters: dict[str, object] = {
        "schemas": [schema for schema, _ in dropped.relations],
        "relations": [name for _, name in dropped.relations],
        "dropped": list(dropped.relations.values()),
        "type_schemas": [schema for schema, _ in dropped.types],
        "types": [name for _, name in dropped.types],
        "function_schemas": [schema for schema, _ in dropped.functions],
        "functions": [name for _, name in dropped.functions],
        "constraint_schemas": [schema for schema, _, _ in dropped.constraints],
        "constraint_tables": [table for _, table, _ in dropped.constraints],
        "constraints": [name for _, _, name in dropped.constraints],
        "dropped_schemas": list(dropped.schemas),
        "extensions": list(dropped.extensions),
        "most": most,
    }
    with visit(settings, PLANNING) as connection:
        rows = connection.execute(_HOLDERS, parameters).fetchall()
    return [(str(holder), str(held)) for holder, held in rows]

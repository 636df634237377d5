"""A database whose plain dump has the size and the mix that the goals are stated for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from psycopg import sql

from pgconsole.demo.servers import PostgresServer

DATABASE = "bench"

# Everything is made by the server. Sentences come from a pool much larger than deflate's window of
# 32 KiB, so that text compresses like text and not like repeats. Words follow a skewed
# distribution, as in prose. `(bigint * prime) % n` walks the pool without a sort.
_POOL = """
CREATE TABLE pool AS
WITH words AS (
    SELECT array_agg(left(translate(md5(i::text), '0123456789', 'aeiourstln'), 2 + i % 9)) AS list
    FROM generate_series(1, 4000) i
)
SELECT s AS id, (
    SELECT initcap(left(string_agg(w, ' '), 1)) || substr(string_agg(w, ' '), 2) || '.'
    FROM (
        SELECT list[1 + floor(4000 * power(random(), 3))::int] AS w
        FROM generate_series(1, 8 + s % 9)
    ) picked
) AS sentence
FROM words, generate_series(0, 19999) s;
CREATE UNIQUE INDEX ON pool (id);
ANALYZE pool;
"""

# (table, share of the dump, bytes of one row in a plain dump, statement with one parameter: rows)
_TABLES: tuple[tuple[str, float, float, str], ...] = (
    (
        "documents",
        0.40,
        710.0,
        """
        SELECT i AS id, 'document-' || i AS slug, initcap(left(a.sentence, 40)) AS title,
            concat('<article lang="en"><p class="lead">', a.sentence, '</p><p class="text">',
                b.sentence, ' ', c.sentence, ' ', a.sentence, '</p><p class="text">', d.sentence,
                ' ', b.sentence, '</p><footer class="small">All rights reserved.</footer></article>'
            ) AS body,
            timestamptz '2024-01-01' + i * interval '37 seconds' AS created_at
        FROM generate_series(1::bigint, {rows}) i
        JOIN pool a ON a.id = (i * 7919) % 20000
        JOIN pool b ON b.id = (i * 104729) % 19997
        JOIN pool c ON c.id = (i * 15485863) % 19993
        JOIN pool d ON d.id = (i * 32452843) % 19991
        """,
    ),
    (
        "events",
        0.25,
        292.0,
        """
        SELECT i AS id, timestamptz '2025-01-01' + i * interval '3.7 seconds' AS at,
            jsonb_build_object(
                'kind', (ARRAY['view', 'edit', 'share', 'login', 'export'])[1 + i % 5],
                'user', i * 7919 % 50021, 'duration_ms', i * 31 % 4001,
                'path', '/api/v2/documents/' || i * 104729 % 900001,
                'agent', jsonb_build_object('os', 'linux', 'version', i % 40, 'mobile', i % 3 = 0),
                'note', left(p.sentence, 30), 'session', i / 40, 'referrer', 'https://example.org/',
                'tags', jsonb_build_array('t' || i % 97, 't' || i % 31)) AS payload
        FROM generate_series(1::bigint, {rows}) i JOIN pool p ON p.id = (i * 7919) % 20000
        """,
    ),
    (
        "measurements",
        0.19,
        49.0,
        """
        SELECT i AS id, (i * 7919 % 4001)::int AS sensor,
            timestamptz '2025-06-01' + i * interval '0.9 seconds' AS at,
            round((20 + 15 * sin(i / 9000.0) + random())::numeric, 1) AS value,
            (i * 31 % 1009)::int AS raw, 'ok' AS quality, 0::smallint AS flags
        FROM generate_series(1::bigint, {rows}) i
        """,
    ),
    (
        "secrets",
        0.15,
        350.0,
        """
        SELECT i AS id, translate(concat(
            encode(sha512((4 * i)::text::bytea), 'base64'),
            encode(sha512((4 * i + 1)::text::bytea), 'base64'),
            encode(sha512((4 * i + 2)::text::bytea), 'base64'),
            encode(sha512((4 * i + 3)::text::bytea), 'base64')), E'\\n=', '') AS token
        FROM generate_series(1::bigint, {rows}) i
        """,
    ),
    (
        "accounts",
        0.01,
        77.0,
        """
        SELECT i AS id, 'user' || i || '@example.org' AS email, left(p.sentence, 30) AS name,
            date '2020-01-01' + (i % 2000)::int AS joined, i % 7 = 0 AS disabled,
            round((random() * 1000)::numeric, 2) AS balance
        FROM generate_series(1::bigint, {rows}) i JOIN pool p ON p.id = (i * 104729) % 20000
        """,
    ),
)


def build(server: PostgresServer, size: int) -> None:
    """Create the database `bench`, whose plain dump is about `size` bytes.

    Two tables are made at a time; 1.5 GB takes about half a minute on 2 cores.

    Args:
        server: A running server. `wal_level=minimal` saves most of the writing.
        size: Bytes of the plain dump.
    """
    with server.connect() as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with server.connect(DATABASE) as connection:
        connection.execute(_POOL)

    def fill(table: tuple[str, float, float, str]) -> None:
        name, share, row_bytes, query = table
        rows = int(size * share / row_bytes) + 1
        with server.connect(DATABASE) as connection:
            connection.execute("SELECT setseed(0.5)")
            connection.execute("SET work_mem = '64MB'")
            connection.execute(
                sql.SQL("CREATE TABLE {} AS " + query).format(
                    sql.Identifier(name), rows=sql.Literal(rows)
                )
            )
            connection.execute(
                sql.SQL("ALTER TABLE {} ADD PRIMARY KEY (id)").format(sql.Identifier(name))
            )

    with ThreadPoolExecutor(2) as workers:
        list(workers.map(fill, _TABLES))
    with server.connect(DATABASE) as connection:
        connection.execute("DROP TABLE pool")
        connection.execute("VACUUM ANALYZE")

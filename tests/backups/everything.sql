-- A database with everything that PostgreSQL's documentation lists under data definition, and with
-- whatever a dump, psql or a scanner may trip over. For PostgreSQL 15 and newer.

CREATE SCHEMA "Mixed ""Case""; --";
COMMENT ON SCHEMA "Mixed ""Case""; --" IS E'it''s; \\! no command\n\\.\nCOPY x FROM stdin;';
CREATE SCHEMA other;

-- Types
CREATE TYPE mood AS ENUM ('sad', 'it''s ok', E'\\! happy');
CREATE TYPE address AS (street text, "zip; code" varchar(10), "geo" point);
CREATE TYPE floatrange AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN positive AS int CONSTRAINT is_positive CHECK (VALUE > 0) DEFAULT 1;
CREATE DOMAIN other.email AS text COLLATE "C" NOT NULL CHECK (VALUE ~ '^[^@\s]+@[^@\s]+$');
CREATE TYPE box2;
CREATE FUNCTION box2_in(cstring) RETURNS box2 LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION box2_out(box2) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE box2 (INPUT = box2_in, OUTPUT = box2_out, LIKE = text);
COMMENT ON TYPE mood IS 'how :"USER" feels';

CREATE COLLATION other.german (provider = libc, locale = 'C');
CREATE SEQUENCE tickets AS bigint START 1000 INCREMENT 5 MINVALUE 10 MAXVALUE 100000 CACHE 3 CYCLE;
SELECT nextval('tickets'), nextval('tickets');
CREATE SEQUENCE untouched;

-- Tables: defaults, identity, generated columns, constraints
CREATE TABLE users (
    id int GENERATED ALWAYS AS IDENTITY (START 10) PRIMARY KEY,
    "USER" text NOT NULL DEFAULT 'a:b' || E'\\:x',
    feeling mood DEFAULT 'sad',
    born date CHECK (born > '1800-01-01'),
    lives address,
    numbers int[] DEFAULT '{1,2,3}',
    profile jsonb,
    amount numeric(12, 3) DEFAULT random(),
    shout text GENERATED ALWAYS AS (upper("USER")) STORED,
    mail other.email DEFAULT 'a@b',
    CONSTRAINT "two; names" UNIQUE (id, "USER"),
    CONSTRAINT some_of_it CHECK (numbers[1:2] IS NOT NULL OR feeling <> 'sad')
);
INSERT INTO users ("USER", feeling, lives, profile, amount)
    SELECT E'tab\tline\nreturn\rback\\slash \\. \\N ''quote'' $$ ; :x ' || i, 'it''s ok',
           ROW('street "' || i || '"', 'ü', point(i, 2))::address, jsonb_build_object('i', i, 'x', '\n'), i
    FROM generate_series(1, 500) i;
INSERT INTO users ("USER") VALUES (E'\\.'), (E'\n\\.\n'), (''), (E'\\! touch x'), ('COPY 7');
ALTER TABLE users ALTER COLUMN profile SET STORAGE EXTERNAL;
ALTER TABLE users ALTER COLUMN amount SET STATISTICS 500;
ALTER TABLE users ALTER COLUMN born SET (n_distinct = -0.5);
CREATE TABLE orders (
    id serial PRIMARY KEY,
    user_id int REFERENCES users ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    parent int REFERENCES orders (id) ON UPDATE SET NULL,
    quantity positive NOT NULL,
    during tstzrange,
    EXCLUDE USING gist (during WITH &&) WHERE (during IS NOT NULL)
) WITH (fillfactor = 70, autovacuum_enabled = false);
INSERT INTO orders (user_id, quantity, during)
    SELECT id, id, tstzrange(timestamptz '2026-01-01' + id * interval '1 day',
                             timestamptz '2026-01-02' + id * interval '1 day') FROM users LIMIT 100;
UPDATE orders SET parent = id - 1 WHERE id > 1;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE orders ADD CONSTRAINT not_checked CHECK (quantity < 5) NOT VALID;
ALTER TABLE orders REPLICA IDENTITY FULL;
CREATE UNLOGGED TABLE scratch (a int, b text COMPRESSION pglz);
INSERT INTO scratch VALUES (1, repeat('x', 10000));
CREATE TABLE typed OF address (street WITH OPTIONS PRIMARY KEY);
CREATE TABLE no_columns ();
INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE "Mixed ""Case""; --"."Od;d
""na--me"" \. $$" ("select" positive, "COPY x FROM stdin;" text, "a:b" int, ":x" int, "''" int);
INSERT INTO "Mixed ""Case""; --"."Od;d
""na--me"" \. $$" VALUES (1, E'\\.', 1, 2, 3), (2, NULL, NULL, NULL, NULL), (3, '', 0, 0, 0);
CREATE TABLE bytes (b bytea, x xml, u uuid, t tsvector, i inet, v bit varying(9), m money);
INSERT INTO bytes SELECT decode(md5(i::text), 'hex'), NULL, md5(i::text)::uuid, 'a fat cat',
    '10.0.0.0/8', B'101', 3.5 FROM generate_series(1, 300) i;
CREATE TABLE wide (id int, doc text);
INSERT INTO wide SELECT 1, repeat('0123456789abcdef', 40000);
CREATE TABLE dropped_column (a int, b int, c int);
ALTER TABLE dropped_column DROP COLUMN b;
INSERT INTO dropped_column VALUES (1, 3);

-- Inheritance and partitions
CREATE TABLE cities (name text, population real, CHECK (population > 0));
CREATE TABLE capitals (state char(2) UNIQUE) INHERITS (cities);
ALTER TABLE capitals ALTER COLUMN population SET DEFAULT 7;
INSERT INTO cities VALUES ('Las Vegas', 2.5), ('Mariposa', 1.2);
INSERT INTO capitals VALUES ('Sacramento', 3.7, 'CA');
CREATE TABLE events (at date NOT NULL, what text, PRIMARY KEY (at)) PARTITION BY RANGE (at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
    PARTITION BY RANGE (at);
CREATE TABLE events_2026_1 PARTITION OF events_2026 FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE other.events_rest PARTITION OF events DEFAULT;
INSERT INTO events SELECT '2025-06-01'::date + i, md5(i::text) FROM generate_series(0, 200) i;
INSERT INTO events SELECT '2031-06-01'::date + i, 'later' FROM generate_series(0, 10) i;
CREATE INDEX events_what ON events (what);
CREATE TABLE spread (id int, t text) PARTITION BY HASH (id);
CREATE TABLE spread_0 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE spread_1 PARTITION OF spread FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO spread SELECT i, i FROM generate_series(1, 50) i;
CREATE TABLE listed (kind text, n int, UNIQUE (kind, n)) PARTITION BY LIST (kind);
CREATE TABLE listed_a PARTITION OF listed (CHECK (n > 0)) FOR VALUES IN ('a', NULL);
INSERT INTO listed VALUES ('a', 1), (NULL, 2);

-- Indexes and statistics
CREATE INDEX users_profile ON users USING gin (profile jsonb_path_ops);
CREATE UNIQUE INDEX users_lower ON users (lower("USER") COLLATE "C" DESC NULLS LAST)
    INCLUDE (born) WHERE feeling <> 'sad';
CREATE INDEX "a;b" ON users ((profile ->> 'x'), (numbers[1]), (numbers[1:2]));
CREATE INDEX ON bytes USING hash (u);
CREATE INDEX ON orders USING brin (id);
CLUSTER orders USING orders_pkey;
CREATE STATISTICS users_stats (ndistinct, dependencies) ON born, feeling FROM users;
CREATE STATISTICS other.expressions ON (lower("USER")), id FROM users;

-- Functions, procedures, aggregates, operators, casts
CREATE FUNCTION looks_like_copy() RETURNS text LANGUAGE sql AS $body$
/*
COPY public.users (id, name) FROM stdin;
1	x
\.
\! touch x
*/ SELECT $$x
-- PostgreSQL database dump complete
$$
$body$;
CREATE FUNCTION with_body(n int, other text[] DEFAULT '{a:b}') RETURNS int LANGUAGE sql
BEGIN ATOMIC
    SELECT 1;
    SELECT CASE WHEN n > 1 THEN n::int ELSE cardinality(other[1:n]) END;
END;
CREATE FUNCTION with_body(n text) RETURNS text LANGUAGE sql IMMUTABLE RETURN n || ':x' || n::text;
CREATE FUNCTION begin() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION after_begin() RETURNS int LANGUAGE sql
BEGIN ATOMIC
    SELECT begin() AS begin;
END;
CREATE FUNCTION returned_table(VARIADIC a int[]) RETURNS TABLE (x int, "y z" text)
    LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 7 ROWS 11 SET search_path = public AS $f$
BEGIN
    RETURN QUERY SELECT 1, '\.'::text; -- COMMIT;
END
$f$;
CREATE PROCEDURE nothing(INOUT a int) LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN COMMIT; END';
CREATE FUNCTION transition(state int, next int) RETURNS int LANGUAGE sql RETURN state + next;
CREATE AGGREGATE total(int) (SFUNC = transition, STYPE = int, INITCOND = '0');
CREATE FUNCTION near(int, int) RETURNS bool LANGUAGE sql RETURN abs($1 - $2) < 3;
CREATE OPERATOR ~=~ (FUNCTION = near, LEFTARG = int, RIGHTARG = int, COMMUTATOR = ~=~);
CREATE FUNCTION to_mood(int) RETURNS mood LANGUAGE sql RETURN 'sad'::mood;
CREATE CAST (int AS mood) WITH FUNCTION to_mood(int) AS ASSIGNMENT;
CREATE OPERATOR FAMILY int_family USING btree;
CREATE OPERATOR CLASS int_class FOR TYPE int USING btree FAMILY int_family AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;
CREATE CONVERSION other.to_latin FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1;

-- Views and rules
CREATE VIEW loud WITH (security_barrier) AS
    SELECT shout, numbers[1:"id"] AS part, "USER" || ':x' AS "as:is" FROM users;
CREATE VIEW "sl;ice" AS SELECT numbers[id:char_length("USER")] AS s, numbers["id":2] FROM users;
CREATE TABLE slices ("DBNAME" int, "HOST" int, a int[], x int);
INSERT INTO slices VALUES (1, 2, '{5,6,7}', 2);
CREATE VIEW sliced AS SELECT a["DBNAME":"HOST"] AS one, a[:"HOST"] AS two, a[x:] AS three,
    a[1:x] AS four, a[1:'2'::int] AS five, a[:] AS six FROM slices;
CREATE RECURSIVE VIEW counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 9;
CREATE MATERIALIZED VIEW counted AS SELECT feeling, count(*) FROM users GROUP BY feeling;
CREATE UNIQUE INDEX ON counted (feeling);
CREATE MATERIALIZED VIEW unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE VIEW round_about AS SELECT 1 AS a, 'x'::text AS b;
CREATE FUNCTION of_round_about() RETURNS SETOF round_about LANGUAGE sql AS 'SELECT 1, ''x''';
CREATE OR REPLACE VIEW round_about AS SELECT 1 AS a, (SELECT max(b) FROM of_round_about()) AS b;
CREATE VIEW checked AS SELECT * FROM cities WHERE population > 1 WITH LOCAL CHECK OPTION;
CREATE RULE two_things AS ON DELETE TO scratch
    DO INSTEAD (DELETE FROM wide; DELETE FROM bytes; NOTIFY gone);
CREATE RULE "in;sert" AS ON INSERT TO loud DO INSTEAD NOTHING;

-- Triggers, event triggers, row level security
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER touched BEFORE UPDATE OF born ON users FOR EACH ROW
    WHEN (old.born IS DISTINCT FROM new.born) EXECUTE FUNCTION touch('a;b', E'\\! x');
CREATE TRIGGER moved AFTER INSERT ON users REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION touch();
CREATE CONSTRAINT TRIGGER later AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER on_view INSTEAD OF UPDATE ON loud FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER on_parts AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE users DISABLE TRIGGER moved;
CREATE FUNCTION seen() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN PERFORM 1; END$$;
CREATE EVENT TRIGGER seen ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')
    EXECUTE FUNCTION seen();
ALTER TABLE users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON users FOR SELECT USING ("USER" = CURRENT_USER OR numbers[1:2] = '{1,2}');
CREATE POLICY "re;stricted" ON users AS RESTRICTIVE FOR UPDATE TO PUBLIC
    USING (true) WITH CHECK (id > 0);

-- Foreign data; the wrapper has no handler, which is enough to define things with it
CREATE FOREIGN DATA WRAPPER nowhere OPTIONS (debug 'tr;ue');
CREATE SERVER far TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host ':x');
CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (password '\! it''s');
CREATE FOREIGN TABLE remote (a int OPTIONS (c 'd') NOT NULL, b text, CHECK (a > 0)) SERVER far;

-- Publications, text search, large objects, comments
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish = 'insert');
CREATE PUBLICATION "so;me" FOR TABLE users (id, "USER") WHERE (id > 5), orders;
CREATE PUBLICATION a_schema FOR TABLES IN SCHEMA other;
CREATE TEXT SEARCH DICTIONARY other.plain (TEMPLATE = simple, stopwords = english);
CREATE TEXT SEARCH CONFIGURATION plain_words (PARSER = default);
ALTER TEXT SEARCH CONFIGURATION plain_words ADD MAPPING FOR asciiword WITH other.plain;
SELECT lo_from_bytea(4242, '\x00ff5c2e0a');
SELECT lo_from_bytea(4243, convert_to(repeat('COMMIT;', 9000), 'UTF8'));
SELECT lo_create(4244);
COMMENT ON LARGE OBJECT 4243 IS E'BEGIN;\nCOMMIT;';
COMMENT ON TABLE users IS E'it''s; a \\. comment\nCOPY users FROM stdin;\n\\! touch x';
COMMENT ON COLUMN users."USER" IS ':"USER" and :''x''';
COMMENT ON FUNCTION touch() IS E'\\restrict x';
COMMENT ON CONSTRAINT some_of_it ON users IS '$$';
COMMENT ON INDEX "a;b" IS '/* -- ';
COMMENT ON TRIGGER touched ON users IS E'BEGIN ATOMIC \\unrestrict';

-- What newer versions have
DO $do$
BEGIN
    IF current_setting('server_version_num')::int >= 180000 THEN
        EXECUTE 'CREATE TABLE newest (a int CONSTRAINT there NOT NULL, b int GENERATED ALWAYS AS
            (a * 2) VIRTUAL, c int CONSTRAINT hoped CHECK (c > 0) NOT ENFORCED,
            p int4range, r int4range, UNIQUE (r, p WITHOUT OVERLAPS))';
        EXECUTE 'INSERT INTO newest VALUES (1, DEFAULT, -1, ''[1,2)'', ''[3,4)'')';
        EXECUTE 'ALTER TABLE orders ADD CONSTRAINT some_day NOT NULL user_id NOT VALID';
    END IF;
END
$do$;
ANALYZE;

-- Publications first..last and what belongs to them. Run with bound parameters (client side).

-- The rows satisfy all foreign keys by construction; checking a million times would take long.
SET LOCAL session_replication_role = replica;
SET LOCAL work_mem = '64MB';

CREATE TEMPORARY TABLE sentences ON COMMIT DROP AS
WITH words AS (
    SELECT string_to_array(
        'the of and to in a policy growth data public evidence model between region market survey '
        'climate energy labour trade income housing transport migration health school budget cities '
        'we find that suggests strong weak effect over under decade household estimate sample method '
        'reform access fiscal digital carbon water rural urban local national long short term risk '
        'however therefore while although given whether measured reported compared with without by '
        'demand supply price wage skill cost benefit firms workers young older women men children '
        'report paper chapter figure table results show increase decline change level share rate '
        'institution trust vote party law court right duty europe africa asia nordic pacific global '
        'new early late large small higher lower open closed robust plausible preliminary tentative',
        ' ') AS list
)
SELECT n, (
    SELECT initcap(list[1 + n %% cardinality(list)]) || ' ' || string_agg(word, ' ') || '.'
    FROM (
        SELECT list[1 + floor(cardinality(list) * power(random(), 2))::int] AS word
        FROM generate_series(1, 8 + n %% 11)
    ) AS picked
) AS sentence
FROM words, generate_series(0, 4999) n;
CREATE UNIQUE INDEX ON sentences (n);
ANALYZE sentences;

INSERT INTO publications (id, slug, title, abstract, body, status, metadata, created_at, updated_at)
SELECT i, 'publication-' || i, left(a.sentence, 60), b.sentence || ' ' || c.sentence,
    concat_ws(E'\n\n', c.sentence || ' ' || d.sentence || ' ' || e.sentence,
        repeat(f.sentence || ' ' || a.sentence || ' ', 1 + (i %% 3)::int),
        d.sentence || ' ' || b.sentence || ' ' || f.sentence, e.sentence, g.texts),
    (enum_range(NULL::publication_status))[1 + (i %% 4)],
    jsonb_build_object('doi', '10.5555/' || i, 'language', (ARRAY['en', 'de', 'fr', 'sv'])[1 + i %% 4],
        'keywords', jsonb_build_array('k' || i %% 83, 'k' || i %% 47),
        'funding', jsonb_build_object('grant', i * 7919 %% 5003, 'amount', i %% 977 * 1000)),
    now() - (40000 - i) * interval '39 minutes', now() - (40000 - i) * interval '38 minutes'
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i
JOIN sentences a ON a.n = (i * 7919) %% 5000
JOIN sentences b ON b.n = (i * 104729) %% 4999
JOIN sentences c ON c.n = (i * 15485863) %% 4993
JOIN sentences d ON d.n = (i * 32452843) %% 4987
JOIN sentences e ON e.n = (i * 49979687) %% 4973
JOIN sentences f ON f.n = (i * 67867967) %% 4969
CROSS JOIN LATERAL (
    SELECT string_agg(s.sentence, ' ') AS texts
    FROM generate_series(1, 12) k JOIN sentences s ON s.n = (i * k * 611953) %% 4957
) g;

INSERT INTO publication_authors
SELECT i, 1 + (i * 7919 + k * 31) %% 1200, k
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i, generate_series(1, 2) k;

INSERT INTO publication_topics
SELECT i, 1 + i %% 64 FROM generate_series(%(first)s::bigint, %(last)s::bigint) i;

INSERT INTO comments
SELECT i, 1 + (i - 1) / 5, 1 + (i * 104729) %% 1200, a.sentence || ' ' || b.sentence,
    now() - (200000 - i) * interval '7 minutes'
FROM generate_series((%(first)s::bigint - 1) * 5 + 1, %(last)s::bigint * 5) i
JOIN sentences a ON a.n = (i * 7919) %% 4993
JOIN sentences b ON b.n = (i * 104729) %% 4987;

INSERT INTO survey_responses
SELECT i, 1 + i %% 25,
    jsonb_build_object('age', 18 + i * 7919 %% 70, 'score', round((random() * 100)::numeric, 2),
        'consent', i %% 17 <> 0, 'why', left(s.sentence, 90),
        'scale', jsonb_build_array(i %% 5, i %% 4, i %% 3, i * 31 %% 6),
        'device', jsonb_build_object('os', (ARRAY['linux', 'ios', 'android'])[1 + i %% 3])),
    now() - (160000 - i) * interval '5 minutes'
FROM generate_series((%(first)s::bigint - 1) * 4 + 1, %(last)s::bigint * 4) i
JOIN sentences s ON s.n = (i * 15485863) %% 4999;

INSERT INTO page_views
SELECT 1 + (i * 7919) %% %(last)s::bigint, now() - (400000 - i) * interval '30 seconds',
    inet '10.0.0.0' + (i * 104729) %% 16000000,
    jsonb_build_object('browser', (ARRAY['firefox', 'safari', 'chromium'])[1 + i %% 3], 'v', i %% 140)
FROM generate_series((%(first)s::bigint - 1) * 10 + 1, %(last)s::bigint * 10) i;

INSERT INTO indicator_values
SELECT (ARRAY['AT', 'DE', 'FR', 'MA', 'NZ', 'SE'])[1 + i %% 6], i %% 300,
    date '1990-01-01' + (i / 1800)::int, round((random() * 100000)::numeric, 4), random()
FROM generate_series((%(first)s::bigint - 1) * 15 + 1, %(last)s::bigint * 15) i;

INSERT INTO datasets
SELECT i, 'dataset ' || i, (
        SELECT string_agg(sha512((i * 1000 + k)::text::bytea), ''::bytea)
        FROM generate_series(1, 18) k
    ), md5(i::text)
FROM generate_series((%(first)s::bigint - 1) / 4 + 1, %(last)s::bigint / 4) i;

REFRESH MATERIALIZED VIEW publication_stats;

"""One value for everything that defines the schema: equal values, equal definitions.

Asked at the freeze, when green is ready, and in the pause: an event trigger can be passed
(single-user mode, shared objects), a fingerprint cannot.
"""

FINGERPRINT = r"""
WITH spaces AS (
    SELECT oid, nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN
        ('information_schema', 'bluegreen', 'bluegreen_job', 'bluegreen_control')
), relations AS (
    SELECT c.*, format('%I.%I', n.nspname, c.relname) AS label
    FROM pg_class AS c JOIN spaces AS n ON n.oid = c.relnamespace
), lines AS (
    SELECT concat_ws('|', 'schema', nspname) AS line FROM spaces
    UNION ALL
    SELECT concat_ws('|', 'relation', label, relkind, relpersistence, relreplident, relrowsecurity,
        relforcerowsecurity, reloptions::text, relacl::text, pg_get_userbyid(relowner),
        pg_get_expr(relpartbound, oid),
        CASE relkind WHEN 'p' THEN pg_get_partkeydef(oid)
            WHEN 'v' THEN pg_get_viewdef(oid) WHEN 'm' THEN pg_get_viewdef(oid) END)
    FROM relations WHERE relkind <> 'i' AND relkind <> 'I'
    UNION ALL
    SELECT concat_ws('|', 'column', r.label, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, a.attidentity, a.attgenerated, a.attcollation::regcollation, a.attacl::text,
        pg_get_expr(d.adbin, d.adrelid))
    FROM relations AS r JOIN pg_attribute AS a ON a.attrelid = r.oid
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT concat_ws('|', 'index', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisreplident)
    FROM pg_index AS i JOIN relations AS r ON r.oid = i.indrelid
    UNION ALL
    SELECT concat_ws('|', 'sequence', r.label, s.seqtypid::regtype, s.seqstart, s.seqincrement,
        s.seqmax, s.seqmin, s.seqcycle)
    FROM pg_sequence AS s JOIN relations AS r ON r.oid = s.seqrelid
    UNION ALL
    SELECT concat_ws('|', 'constraint', c.conrelid::regclass, c.contypid::regtype, c.conname,
        c.convalidated, pg_get_constraintdef(c.oid))
    FROM pg_constraint AS c JOIN spaces AS n ON n.oid = c.connamespace
    UNION ALL
    SELECT concat_ws('|', 'trigger', pg_get_triggerdef(t.oid), t.tgenabled)
    FROM pg_trigger AS t JOIN relations AS r ON r.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgname !~ '^~bluegreen_'
    UNION ALL
    SELECT concat_ws('|', 'rule', pg_get_ruledef(w.oid), w.ev_enabled)
    FROM pg_rewrite AS w JOIN relations AS r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
    UNION ALL
    SELECT concat_ws('|', 'policy', r.label, p.polname, p.polcmd, p.polpermissive, p.polroles::text,
        pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    FROM pg_policy AS p JOIN relations AS r ON r.oid = p.polrelid
    UNION ALL
    SELECT concat_ws('|', 'function', p.oid::regprocedure, p.prokind, p.proacl::text,
        pg_get_userbyid(p.proowner),
        CASE WHEN p.prokind <> 'a' THEN md5(pg_get_functiondef(p.oid)) END)
    FROM pg_proc AS p JOIN spaces AS n ON n.oid = p.pronamespace
    UNION ALL
    SELECT concat_ws('|', 'type', t.oid::regtype, t.typtype, t.typnotnull, t.typdefault,
        t.typbasetype::regtype, (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
            FROM pg_enum AS e WHERE e.enumtypid = t.oid))
    FROM pg_type AS t JOIN spaces AS n ON n.oid = t.typnamespace
    UNION ALL
    SELECT concat_ws('|', 'extension', extname, extversion) FROM pg_extension
)
SELECT md5(string_agg(line, E'\n' ORDER BY line COLLATE "C")) FROM lines
"""

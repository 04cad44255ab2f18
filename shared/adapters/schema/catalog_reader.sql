-- relations: tables, views, sequences of the user, with size, writes since the statistics began
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence, c.relrowsecurity,
       p.partstrat,
       (SELECT array_agg(coalesce(a.attname, '') ORDER BY k.place)
          FROM unnest(p.partattrs) WITH ORDINALITY AS k (attnum, place)
          LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum),
       pg_get_expr(c.relpartbound, c.oid),
       CASE WHEN c.relkind IN ('r', 'm') THEN pg_total_relation_size(c.oid) END,
       s.n_tup_ins + s.n_tup_upd + s.n_tup_del,
       c.relreplident,
       CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND n.nspname NOT LIKE 'pg\_temp\_%' AND n.nspname NOT LIKE 'pg\_toast\_temp\_%'
ORDER BY c.oid;

-- columns: of those relations, in order
SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef,
       pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity,
       CASE WHEN a.attcollation <> t.typcollation THEN l.collname END
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation l ON l.oid = a.attcollation
WHERE a.attnum > 0 AND NOT a.attisdropped
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY a.attrelid, a.attnum;

-- constraints: of tables, with the columns on both sides
SELECT k.conrelid, k.conname, k.contype, k.convalidated,
       coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true), k.condeferrable, k.confdeltype,
       k.confupdtype,
       (SELECT array_agg(a.attname ORDER BY x.place)
          FROM unnest(k.conkey) WITH ORDINALITY AS x (attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.attnum),
       nullif(k.confrelid, 0),
       (SELECT array_agg(a.attname ORDER BY x.place)
          FROM unnest(k.confkey) WITH ORDINALITY AS x (attnum, place)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.attnum),
       pg_get_expr(k.conbin, k.conrelid)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('c', 'f', 'p', 'u', 'x', 'n')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
ORDER BY k.conrelid, k.conname;

-- indexes: with their definition, the constraint they serve and the parent's index
SELECT n.nspname, c.relname, i.indrelid, i.indisunique, i.indisvalid, pg_get_indexdef(c.oid),
       (SELECT k.conname FROM pg_constraint k
         WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x') LIMIT 1),
       pn.nspname, pc.relname
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_inherits h ON h.inhrelid = c.oid
LEFT JOIN pg_class pc ON pc.oid = h.inhparent
LEFT JOIN pg_namespace pn ON pn.oid = pc.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY c.oid;

-- parents: inheritance and partitions
SELECT h.inhrelid, h.inhparent FROM pg_inherits h
JOIN pg_class c ON c.oid = h.inhrelid AND c.relkind IN ('r', 'p', 'f')
ORDER BY h.inhrelid, h.inhseqno;

-- reads: which columns of which relation a view reads (none: the relation as a whole)
SELECT DISTINCT r.ev_class, d.refobjid, a.attname
FROM pg_rewrite r
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
 AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
 AND d.refobjsubid > 0
JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm')
JOIN pg_class o ON o.oid = d.refobjid AND o.relkind IN ('r', 'p', 'v', 'm', 'f');

-- calls: the functions that a view calls
SELECT DISTINCT r.ev_class, p.proname
FROM pg_rewrite r
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
 AND d.refclassid = 'pg_proc'::regclass
JOIN pg_proc p ON p.oid = d.refobjid
JOIN pg_class c ON c.oid = r.ev_class AND c.relkind IN ('v', 'm');

-- owned: sequences and the column that each belongs to
SELECT d.objid, d.refobjid, a.attname
FROM pg_depend d
JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
  AND d.deptype IN ('a', 'i');

-- triggers: of the user, with the function that each runs
SELECT t.tgrelid, t.tgname, n.nspname, p.proname, t.tgenabled IN ('O', 'A'),
       pg_get_triggerdef(t.oid)
FROM pg_trigger t
JOIN pg_proc p ON p.oid = t.tgfoid
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE NOT t.tgisinternal;

-- rules: of the user, also on views
SELECT r.ev_class, r.rulename, r.ev_enabled IN ('O', 'A'), pg_get_ruledef(r.oid)
FROM pg_rewrite r
JOIN pg_class c ON c.oid = r.ev_class
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast');

-- policies: with their conditions
SELECT polrelid, polname, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
FROM pg_policy;

-- statistics: extended ones, with their table
SELECT s.stxrelid, n.nspname, s.stxname
FROM pg_statistic_ext s
JOIN pg_namespace n ON n.oid = s.stxnamespace;

-- publications: what each tells of, and of which schemas; ours go when their job ends
SELECT p.pubname, p.puballtables,
       concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END,
                 CASE WHEN p.pubupdate THEN 'update' END, CASE WHEN p.pubdelete THEN 'delete' END),
       (SELECT array_agg(n.nspname) FROM pg_publication_namespace s
          JOIN pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid)
FROM pg_publication p
WHERE p.pubname NOT LIKE 'bluegreen\_%';

-- published: tables that publications name, with their conditions and columns
SELECT r.prrelid, p.pubname, pg_get_expr(r.prqual, r.prrelid),
       (SELECT array_agg(a.attname) FROM pg_attribute a
         WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs::int2[]))
FROM pg_publication_rel r
JOIN pg_publication p ON p.oid = r.prpubid
WHERE p.pubname NOT LIKE 'bluegreen\_%';

-- types: enums, domains, composite, range and base types of the user and of extensions
SELECT n.nspname, t.typname, t.typtype,
       (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e
         WHERE e.enumtypid = t.oid),
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
       t.typnotnull,
       (SELECT array_agg(k.conname) FROM pg_constraint k WHERE k.contypid = t.oid),
       (SELECT array_agg(ARRAY[a.attname, format_type(a.atttypid, a.atttypmod)] ORDER BY a.attnum)
          FROM pg_attribute a
         WHERE c.relkind = 'c' AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND t.typelem = 0 AND (t.typrelid = 0 OR c.relkind = 'c') AND t.typtype <> 'm';

-- routines: of the user, with their source
SELECT n.nspname, p.proname, p.prokind,
       (SELECT array_agg(format_type(x.type, NULL) ORDER BY x.place)
          FROM unnest(p.proargtypes) WITH ORDINALITY AS x (type, place)),
       pg_get_function_result(p.oid), p.provolatile, l.lanname, p.prosrc,
       CASE WHEN p.prokind IN ('f', 'p') AND (l.lanname = 'plpgsql' OR p.prosqlbody IS NOT NULL)
            THEN pg_get_functiondef(p.oid) END
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema');

-- implied: what runs functions of the user without being a call of them, with each function
SELECT 'operator', o.oprname, p.proname
FROM pg_operator o
JOIN pg_proc p ON p.oid IN (o.oprcode, o.oprrest, o.oprjoin)
JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname <> 'pg_catalog'
UNION
SELECT 'cast', t.typname, p.proname
FROM pg_cast c
JOIN pg_type t ON t.oid = c.casttarget
JOIN pg_proc p ON p.oid = c.castfunc
JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname <> 'pg_catalog'
UNION
SELECT 'aggregate', a.proname, p.proname
FROM pg_aggregate g
JOIN pg_proc a ON a.oid = g.aggfnoid
JOIN pg_proc p ON p.oid IN (g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn,
                            g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn)
JOIN pg_namespace n ON n.oid = p.pronamespace AND n.nspname <> 'pg_catalog'
UNION
SELECT 'domain', t.typname, p.proname
FROM pg_constraint k
JOIN pg_type t ON t.oid = k.contypid
JOIN pg_depend d ON d.classid = 'pg_constraint'::regclass AND d.objid = k.oid
 AND d.refclassid = 'pg_proc'::regclass
JOIN pg_proc p ON p.oid = d.refobjid
UNION
SELECT 'parameter', r.proname, p.proname
FROM pg_proc r
JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = r.oid
 AND d.refclassid = 'pg_proc'::regclass
JOIN pg_proc p ON p.oid = d.refobjid
WHERE r.pronargdefaults > 0;

-- event_triggers: with the function that each runs; ours only hold the schema still
SELECT e.evtname, e.evtevent, n.nspname, p.proname,
       e.evtenabled IN ('O', 'A') AND e.evtname NOT LIKE 'bluegreen\_%'
FROM pg_event_trigger e
JOIN pg_proc p ON p.oid = e.evtfoid
JOIN pg_namespace n ON n.oid = p.pronamespace;

-- names: schemas, roles, extensions that are there, extensions that could be
SELECT (SELECT array_agg(nspname) FROM pg_namespace),
       (SELECT array_agg(rolname) FROM pg_roles),
       (SELECT array_agg(extname) FROM pg_extension),
       (SELECT array_agg(name) FROM pg_available_extensions);

-- server: version, default time zone, seconds since the statistics began
SELECT current_setting('server_version_num')::int / 10000, current_setting('TimeZone'),
       extract(epoch FROM now() - coalesce(
           (SELECT stats_reset FROM pg_stat_database WHERE datname = current_database()),
           pg_postmaster_start_time()))::float

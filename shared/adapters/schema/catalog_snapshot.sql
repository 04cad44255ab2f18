-- relations: everything that has a name in pg_class, without our own schemas and the system's
SELECT c.oid::int8, n.nspname, c.relname, c.relkind::text, pg_get_userbyid(c.relowner),
       c.relispartition, c.relpersistence = 'p', c.relreplident::text,
       EXISTS (SELECT FROM pg_inherits i JOIN pg_class child ON child.oid = i.inhrelid
               WHERE c.oid IN (i.inhrelid, i.inhparent) AND NOT child.relispartition),
       coalesce((SELECT d.refobjid::int8 FROM pg_depend d
                 WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid
                   AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_class'::regclass LIMIT 1), 0),
       c.relrowsecurity AND c.relforcerowsecurity,
       c.relrowsecurity AND c.relforcerowsecurity
           AND current_setting('server_version_num')::int >= 160000
           AND EXISTS (SELECT FROM pg_roles r WHERE r.oid = c.relowner AND NOT r.rolsuper AND NOT r.rolbypassrls),
       c.relkind = 'p' AND EXISTS (SELECT FROM pg_partition_tree(c.oid) WHERE level > 0 AND NOT isleaf),
       CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid::int8 ELSE 0 END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'bluegreen', 'bluegreen_job')
  AND c.relpersistence <> 't';

-- columns: live columns of tables
SELECT a.attrelid::int8, a.attnum::int4, a.attname, a.atttypid::int8, a.atttypmod,
       format_type(a.atttypid, a.atttypmod), t.typcategory::text,
       coalesce(e.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace
           AND t.typtype <> 'd',
       a.attnotnull,
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
       a.attgenerated <> '', a.attidentity <> '',
       CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
            THEN (SELECT format('%I.%I', cn.nspname, co.collname) FROM pg_collation co
                  JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation)
       END,
       t.typnotnull,
       t.typtype <> 'b' OR t.typsubscript = 'array_subscript_handler'::regproc OR t.oid IN (
           SELECT like_it FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod CROSS JOIN LATERAL (
               SELECT o.opcintype UNION ALL
               SELECT castsource FROM pg_cast WHERE casttarget = o.opcintype AND castmethod = 'b'
           ) AS of_it(like_it) WHERE o.opcdefault AND m.amname IN ('btree', 'hash'))
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typlen = -1 AND t.typsubscript = 'array_subscript_handler'::regproc
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
  AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'bluegreen', 'bluegreen_job')
ORDER BY a.attrelid, a.attnum;

-- constraints: of tables, NOT NULL left out; a partition's copy of its root's is not its own
SELECT conrelid::int8, conname, contype::text, coalesce(conkey, '{}')::int4[],
       pg_get_constraintdef(oid), confrelid::int8, coalesce(confkey, '{}')::int4[],
       CASE WHEN contype = 'c' THEN pg_get_expr(conbin, conrelid) END, oid::int8
FROM pg_constraint
WHERE contype IN ('c', 'f', 'p', 'u', 'x') AND conrelid <> 0
  AND connamespace NOT IN (SELECT oid FROM pg_namespace
                           WHERE nspname IN ('pg_catalog', 'information_schema'))
ORDER BY conrelid, conname;

-- indexes: unique ones over plain columns, without a condition
SELECT i.indrelid::int8, c.relname, i.indkey::int2[]::int4[], i.indisprimary, i.indisreplident,
       i.indnkeyatts::int4, i.indimmediate
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
  AND n.nspname !~ '^pg_'
ORDER BY i.indrelid, c.relname;

-- partial_indexes: unique ones with a condition, or over an expression; a partition's are its root's
SELECT i.indrelid::int8, c.oid::int8, c.relname,
       ARRAY(SELECT DISTINCT d.refobjsubid::int4 FROM pg_depend d
             WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass
               AND d.refobjid = i.indrelid AND d.refobjsubid > 0),
       substr(pg_get_indexdef(c.oid), strpos(pg_get_indexdef(c.oid), ' USING ') + 1)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indisunique AND i.indisvalid AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL)
  AND NOT c.relispartition AND n.nspname !~ '^pg_'
ORDER BY i.indrelid, c.relname;

-- triggers: the user's row and statement triggers; bit 4 of tgtype is UPDATE
SELECT t.tgrelid::int8, t.oid::int8, t.tgname, t.tgenabled::text, t.tgtype & 16 <> 0,
       concat_ws(' ', pg_get_triggerdef(t.oid), p.prosrc)
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal ORDER BY t.tgrelid, t.tgname;

-- domains: the user's, with what the domains below them ask, too
WITH RECURSIVE floor AS (
    SELECT t.oid AS top, t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype = 'd' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    UNION ALL
    SELECT f.top, b.oid FROM floor f JOIN pg_type t ON t.oid = f.oid
    JOIN pg_type b ON b.oid = t.typbasetype WHERE b.typtype = 'd'
)
SELECT f.top::int8,
       max(format_type(t.typbasetype, t.typtypmod)) FILTER (WHERE b.typtype <> 'd'),
       bool_or(t.typnotnull),
       ARRAY(SELECT pg_get_expr(k.conbin, 0) FROM pg_constraint k JOIN floor g ON g.oid = k.contypid
             WHERE g.top = f.top AND k.contype = 'c' ORDER BY 1)
FROM floor f JOIN pg_type t ON t.oid = f.oid JOIN pg_type b ON b.oid = t.typbasetype GROUP BY f.top;

-- composites: composite types that columns of tables hold, however deep, and their attributes' types
WITH RECURSIVE held AS (
    SELECT a.atttypid AS oid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
      AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'bluegreen', 'bluegreen_job')
    UNION
    SELECT inside.oid FROM held JOIN pg_type t ON t.oid = held.oid CROSS JOIN LATERAL (
        SELECT t.typelem UNION ALL SELECT t.typbasetype
        UNION ALL SELECT rngsubtype FROM pg_range WHERE t.oid IN (rngtypid, rngmultitypid)
        UNION ALL SELECT atttypid FROM pg_attribute
                  WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
    ) AS inside(oid) WHERE inside.oid <> 0
)
SELECT t.oid::int8, format_type(t.oid, NULL),
       array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
FROM held JOIN pg_type t ON t.oid = held.oid JOIN pg_attribute a ON a.attrelid = t.typrelid
WHERE t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY 1, 2;

-- structures: types that columns of tables hold, however deep, and that hold others, have labels, or are of an
-- extension
WITH RECURSIVE held AS (
    SELECT a.atttypid AS oid FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')
      AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'bluegreen', 'bluegreen_job')
    UNION
    SELECT inside.oid FROM held JOIN pg_type t ON t.oid = held.oid CROSS JOIN LATERAL (
        SELECT t.typelem WHERE t.typsubscript = 'array_subscript_handler'::regproc
        UNION ALL SELECT t.typbasetype
        UNION ALL SELECT rngsubtype FROM pg_range WHERE t.oid IN (rngtypid, rngmultitypid)
        UNION ALL SELECT atttypid FROM pg_attribute
                  WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
    ) AS inside(oid) WHERE inside.oid <> 0
)
SELECT t.oid::int8, format_type(t.oid, NULL),
       CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc THEN 'a' ELSE t.typtype::text END,
       CASE WHEN t.typsubscript = 'array_subscript_handler'::regproc THEN ARRAY[t.typelem::int8]
            WHEN t.typtype = 'd' THEN ARRAY[t.typbasetype::int8]
            WHEN t.typtype IN ('r', 'm') THEN ARRAY(
                SELECT rngsubtype::int8 FROM pg_range WHERE t.oid IN (rngtypid, rngmultitypid))
            ELSE ARRAY(SELECT atttypid::int8 FROM pg_attribute WHERE attrelid = t.typrelid
                       AND t.typrelid <> 0 AND attnum > 0 AND NOT attisdropped ORDER BY attnum) END
FROM held JOIN pg_type t ON t.oid = held.oid
WHERE t.typtype IN ('d', 'e', 'c', 'r', 'm') OR t.typsubscript = 'array_subscript_handler'::regproc
   OR t.typnamespace <> 'pg_catalog'::regnamespace;

-- types: outside pg_catalog, by oid
SELECT t.oid::int8, format_type(t.oid, NULL)
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname !~ '^pg_';

-- labels: the values of enum types, by oid
SELECT enumtypid::int8, oid::int8, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder;

-- tree: the analysed query of the probe view
SELECT ev_action::text FROM pg_rewrite
WHERE ev_class = to_regclass('pg_temp.bluegreen_probe') AND rulename = '_RETURN';

-- reads: the columns of one table that the probe view depends on
SELECT d.refobjsubid::int4 FROM pg_depend d JOIN pg_rewrite w ON w.oid = d.objid
WHERE d.classid = 'pg_rewrite'::regclass AND w.ev_class = to_regclass('pg_temp.bluegreen_probe')
  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = %s AND d.refobjsubid > 0
ORDER BY 1;

-- functions: those that the analysed tree calls
SELECT p.proname, p.provolatile::text, p.pronamespace = 'pg_catalog'::regnamespace,
       l.lanname IN ('c', 'internal')
FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid = ANY (%s::oid[]) ORDER BY 1;

-- routines: the user's functions, and everything that says what they do
SELECT p.oid::int8, n.nspname, p.proname,
       concat_ws(' ', p.prosrc, pg_get_function_sqlbody(p.oid), p.proconfig::text, p.provolatile, p.proisstrict,
                 p.prolang, p.probin, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'bluegreen', 'bluegreen_job');

-- may_read: of these names of functions (as schema, '' where none is given, and name) those of the user's
-- that may read tables
SELECT DISTINCT p.proname FROM unnest(%s::text[], %s::text[]) AS called(schema, name)
JOIN pg_proc p ON p.proname = called.name JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_language l ON l.oid = p.prolang
WHERE called.schema IN ('', n.nspname) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND p.provolatile <> 'i' AND l.lanname NOT IN ('c', 'internal') ORDER BY 1;

-- constraint_functions: those that CHECKs of tables and domains call
SELECT DISTINCT d.refobjid::int8 FROM pg_depend d JOIN pg_constraint k ON k.oid = d.objid
WHERE d.classid = 'pg_constraint'::regclass AND d.refclassid = 'pg_proc'::regclass AND k.contype = 'c';

-- settings: what gives the words of an expression their meaning
SELECT array_to_string(ARRAY(SELECT quote_ident(s) FROM unnest(current_schemas(false)) s), ', '),
       current_setting('TimeZone'), current_setting('DateStyle'), current_setting('IntervalStyle');

-- own_settings: more of that kind, where this session has set them
SELECT lower(name), setting FROM pg_settings WHERE source = 'session' AND lower(name) IN (
    'array_nulls', 'bytea_output', 'default_text_search_config', 'extra_float_digits', 'lc_monetary',
    'lc_numeric', 'lc_time', 'quote_all_identifiers', 'transform_null_equals', 'xmlbinary', 'xmloption');

-- like: how to make a database like this one
SELECT pg_get_userbyid(datdba), pg_encoding_to_char(encoding), datcollate, datctype, datlocprovider,
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale')
FROM pg_database d WHERE datname = current_database();

-- database_settings: what ALTER DATABASE set for everyone
SELECT split_part(pair, '=', 1), substr(pair, strpos(pair, '=') + 1)
FROM pg_db_role_setting, unnest(setconfig) AS pair
WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database());

-- owners: of the relations that are named, each once
SELECT DISTINCT pg_get_userbyid(c.relowner)
FROM unnest(%s::text[]) AS name JOIN pg_class c ON c.oid = to_regclass(name);

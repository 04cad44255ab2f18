-- schema: where pg_stat_statements is installed and preloaded; no row when it is not
SELECT quote_ident(n.nspname)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
  AND current_setting('shared_preload_libraries') ~ '\mpg_stat_statements\M';

-- live: what the application's role has run in this database more than once, most often first
SELECT s.query, sum(s.calls)::bigint
FROM pg_stat_statements AS s JOIN pg_roles AS r ON r.oid = s.userid
WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = %s)
  AND r.rolname = %s AND s.toplevel
  AND s.query ~* '^(\s|/\*([^*]|\*+[^*/])*\*+/|--[^\n]*\n)*(select|insert|update|delete|merge|with)\M'
GROUP BY s.query HAVING sum(s.calls) > 1
ORDER BY 2 DESC LIMIT %s;

-- search_path: what unqualified names of the application's role mean, `$user` spelled out
SELECT replace(setting, '"$user"', quote_ident(%s)) FROM (
    SELECT substr(pair, length('search_path=') + 1) AS setting,
           (setrole <> 0)::int + 2 * (setdatabase <> 0)::int AS wins
    FROM pg_db_role_setting, unnest(setconfig) AS pair
    WHERE pair LIKE 'search_path=%%'
      AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
      AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = %s))
    UNION ALL
    SELECT reset_val, -1 FROM pg_settings WHERE name = 'search_path'
) AS known ORDER BY wins DESC LIMIT 1;

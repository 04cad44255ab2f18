"""What well-known extensions bring, so that a missing one can be named before the file runs."""

from __future__ import annotations

from shared.sql.words import words

TYPES = {
    "citext": "citext",
    "hstore": "hstore",
    "ltree": "ltree",
    "lquery": "ltree",
    "ltxtquery": "ltree",
    "cube": "cube",
    "isbn": "isn",
    "isbn13": "isn",
    "issn": "isn",
    "ean13": "isn",
    "upc": "isn",
    "seg": "seg",
    "lo": "lo",
    "vector": "vector",
    "halfvec": "vector",
    "sparsevec": "vector",
    "geometry": "postgis",
    "geography": "postgis",
    "box2d": "postgis",
    "box3d": "postgis",
    "raster": "postgis_raster",
    "hll": "hll",
    "semver": "semver",
    "ip4": "ip4r",
    "ip4r": "ip4r",
    "ip6": "ip4r",
    "ip6r": "ip4r",
    "ipaddress": "ip4r",
    "iprange": "ip4r",
    "roaringbitmap": "roaringbitmap",
    "h3index": "h3",
    "query_int": "intarray",
}
"""Type -> extension that makes it."""

FUNCTIONS = {
    "uuid_generate_v1": "uuid-ossp",
    "uuid_generate_v1mc": "uuid-ossp",
    "uuid_generate_v3": "uuid-ossp",
    "uuid_generate_v4": "uuid-ossp",
    "uuid_generate_v5": "uuid-ossp",
    "uuid_nil": "uuid-ossp",
    "crypt": "pgcrypto",
    "gen_salt": "pgcrypto",
    "gen_random_bytes": "pgcrypto",
    "digest": "pgcrypto",
    "hmac": "pgcrypto",
    "pgp_sym_encrypt": "pgcrypto",
    "pgp_sym_decrypt": "pgcrypto",
    "pgp_pub_encrypt": "pgcrypto",
    "pgp_pub_decrypt": "pgcrypto",
    "similarity": "pg_trgm",
    "word_similarity": "pg_trgm",
    "show_trgm": "pg_trgm",
    "unaccent": "unaccent",
    "levenshtein": "fuzzystrmatch",
    "soundex": "fuzzystrmatch",
    "metaphone": "fuzzystrmatch",
    "dmetaphone": "fuzzystrmatch",
    "daitch_mokotoff": "fuzzystrmatch",
    "crosstab": "tablefunc",
    "connectby": "tablefunc",
    "normal_rand": "tablefunc",
    "dblink": "dblink",
    "dblink_exec": "dblink",
    "dblink_connect": "dblink",
    "earth_distance": "earthdistance",
    "ll_to_earth": "earthdistance",
    "akeys": "hstore",
    "avals": "hstore",
    "hstore_to_json": "hstore",
    "hstore_to_jsonb": "hstore",
    "text2ltree": "ltree",
    "nlevel": "ltree",
    "subpath": "ltree",
    "st_makepoint": "postgis",
    "st_setsrid": "postgis",
    "st_geomfromtext": "postgis",
    "st_distance": "postgis",
    "st_transform": "postgis",
    "st_within": "postgis",
    "st_intersects": "postgis",
    "cosine_distance": "vector",
    "l2_distance": "vector",
    "create_hypertable": "timescaledb",
    "pgstattuple": "pgstattuple",
    "pg_prewarm": "pg_prewarm",
    "bt_index_check": "amcheck",
    "xpath_table": "xml2",
}
"""Function -> extension that makes it."""

VOLATILE_FUNCTIONS = words("""
    uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 gen_salt gen_random_bytes dblink
    dblink_exec dblink_connect pgp_sym_encrypt pgp_pub_encrypt create_hypertable""")

OPERATOR_CLASSES = {
    "gin_trgm_ops": "pg_trgm",
    "gist_trgm_ops": "pg_trgm",
    "gist_ltree_ops": "ltree",
    "gist_hstore_ops": "hstore",
    "gin_hstore_ops": "hstore",
    "gin__int_ops": "intarray",
    "gist__int_ops": "intarray",
    "gist__intbig_ops": "intarray",
    "vector_l2_ops": "vector",
    "vector_ip_ops": "vector",
    "vector_cosine_ops": "vector",
    "vector_l1_ops": "vector",
    "halfvec_l2_ops": "vector",
    "halfvec_cosine_ops": "vector",
    "sparsevec_l2_ops": "vector",
    "bit_hamming_ops": "vector",
    "gist_geometry_ops_2d": "postgis",
    "gist_geometry_ops_nd": "postgis",
    "citext_ops": "citext",
    "gist_int4_ops": "btree_gist",
    "gist_text_ops": "btree_gist",
}

ACCESS_METHODS = {
    "hnsw": "vector",
    "ivfflat": "vector",
    "bloom": "bloom",
    "rum": "rum",
    "bm25": "pg_search",
    "columnar": "citus_columnar",
}
BUILTIN_ACCESS_METHODS = frozenset({"btree", "hash", "gist", "gin", "spgist", "brin", "rtree"})

SHIPPED = words("""
    adminpack amcheck auth_delay auto_explain autoinc bloom bool_plperl bool_plperlu btree_gin
    btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw fuzzystrmatch hstore
    hstore_plperl hstore_plperlu hstore_plpython3u insert_username intagg intarray isn jsonb_plperl
    jsonb_plperlu jsonb_plpython3u lo ltree ltree_plpython3u moddatetime old_snapshot pageinspect
    pg_buffercache pg_freespacemap pg_logicalinspect pg_prewarm pg_stat_statements pg_surgery
    pg_trgm pg_visibility pg_walinspect pgcrypto pgrowlocks pgstattuple plperl plperlu plpgsql
    plpython3u pltcl pltclu postgres_fdw refint seg sslinfo tablefunc tcn tsm_system_rows
    tsm_system_time unaccent uuid-ossp xml2""")
"""Part of PostgreSQL itself (contrib and procedural languages)."""

PACKAGED = words("""
    address_standardizer age anon apache_age auto_failover bigm citus citus_columnar cron
    decoderbufs dbms_job ddlx extra_window_functions fuzzystrmatch h3 h3_postgis hll http hypopg
    icu_ext ip4r jsquery quantile mobilitydb mongo_fdw mysql_fdw numeral ogr_fdw oracle_fdw
    orafce partman periods permuteseq pg_auth_mon pg_background pg_bigm pg_catcheck pg_cron
    pg_dirtyread pg_fact_loader pg_graphql pg_hashids pg_hint_plan pg_ivm pg_jobmon pg_jsonschema
    pg_net pg_parquet pg_partman pg_permissions pg_qualstats pg_rational pg_repack pg_search
    pg_similarity pg_squeeze pg_stat_kcache pg_stat_monitor pg_tle pg_uuidv7 pg_wait_sampling
    pgaudit pgautofailover pgextwlist pgjwt pgl_ddl_deploy pglogical pglogical_ticker pgmemcache
    pgmp pgmq pgnodemx pgpcre pgpool_adm pgq pgq_node pgrouting pgrowlocks pgroonga pgsodium
    pgsphere pgstattuple pgtap pgtt pgvector pldbgapi pljava pllua plpgsql_check plprofiler plproxy
    plr plrust plsh plv8 pointcloud pointcloud_postgis postgis postgis_raster postgis_sfcgal
    postgis_tiger_geocoder postgis_topology powa prefix preprepare prioritize q3c rational rdkit
    repmgr roaringbitmap rum semver set_user sequential_uuids sslutils supabase_vault
    system_stats table_version tdigest tds_fdw temporal_tables timescaledb timescaledb_toolkit
    toastinfo topn unit uint unaccent uri vault vector vectorscale wal2json wrappers
    first_last_agg debversion asn1oid cyanaudit mimeo multicorn omni_v1 pg_failover_slots
    pgfincore pg_rrule pgsql_tweaks pg_roaringbitmap pg_tde pg_duckdb pg_mooncake pgagent
    sqlite_fdw redis_fdw firebird_fdw kafka_fdw parquet_fdw clickhouse_fdw pg_net""")
"""Widely packaged by others. What is in neither list is probably a typing error."""

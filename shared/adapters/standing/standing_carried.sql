-- Whether an application did what no stream carries.
SET ROLE bg_owner;

-- Whether a partition still holds a row from before a transaction of that number. TRUNCATE leaves
-- none; VACUUM FULL and CLUSTER, which give it another file too, leave all. Numbers wrap around, so
-- their ages are compared: a row that was frozen long ago may look young, and never the other way.
CREATE OR REPLACE FUNCTION bluegreen.has_rows_before(its_partition oid, number bigint)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM ONLY %s WHERE age(xmin) > age(%L::xid))',
                 its_partition::regclass, (number % 4294967296)::text) INTO found;
  RETURN found;
END $$;

RESET ROLE;

-- Where sequences stand, and how they are moved: replication does not carry them.
SET ROLE bg_owner;

-- Where every sequence stands, by object identifier: {oid: last value}, unused ones left out.
-- An identifier names the same sequence whether renamed or not; the other side translates it.
CREATE OR REPLACE FUNCTION bluegreen.sequence_positions() RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(jsonb_object_agg(seqrelid::text, pg_sequence_last_value(seqrelid)), '{}')
    FROM pg_sequence JOIN pg_class ON oid = seqrelid
   WHERE relpersistence <> 't' AND pg_sequence_last_value(seqrelid) IS NOT NULL
$$;

-- The other side's positions by this side's identifiers. A fork keeps them; where green was copied,
-- the job wrote down which belong together, and a sequence that stands there alone is left out.
CREATE OR REPLACE FUNCTION bluegreen.own_sequences(positions jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF to_regclass('bluegreen_job.sequence_twin') IS NULL THEN  -- else it could not be named below
    RETURN positions;
  ELSIF NOT EXISTS (SELECT FROM bluegreen_job.sequence_twin) THEN
    RETURN positions;
  END IF;
  RETURN (SELECT coalesce(jsonb_object_agg(twin.ours::text, theirs.value), '{}')
            FROM jsonb_each(positions) AS theirs
            JOIN bluegreen_job.sequence_twin AS twin ON twin.theirs = theirs.key::oid);
END $$;

-- Move sequences to at least these positions, `headroom` values ahead of them; never the other way.
-- A cyclic one has no "ahead" and is set to the very position. Returns how many it moved.
CREATE OR REPLACE FUNCTION bluegreen.advance_sequences(positions jsonb, headroom integer)
RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(setval(seqrelid, greatest(seqmin, least(seqmax,
           CASE WHEN seqcycle THEN theirs ELSE theirs + sign(seqincrement) * headroom END))::bigint)
         )::integer
    FROM (SELECT q.*, value::numeric AS theirs, pg_sequence_last_value(q.seqrelid) AS mine
            FROM jsonb_each_text(bluegreen.own_sequences(positions)) JOIN pg_sequence AS q ON q.seqrelid = key::oid) AS s
   WHERE mine IS NULL
      OR CASE WHEN seqcycle THEN mine <> theirs
              WHEN seqincrement > 0 THEN mine < least(seqmax, theirs + headroom / 2)
              ELSE mine > greatest(seqmin, theirs - headroom / 2) END
$$;

-- Every sequence that belongs to a column goes on behind the highest value stored there.
CREATE OR REPLACE FUNCTION bluegreen.pass_stored_values(headroom bigint) RETURNS integer
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  owned record;
  stored numeric;
  moved integer := 0;
BEGIN
  FOR owned IN
    SELECT q.seqrelid, q.seqmin, q.seqmax, q.seqincrement > 0 AS up, c.oid::regclass AS tab, a.attname
      FROM pg_sequence AS q
      JOIN pg_depend AS d ON d.objid = q.seqrelid AND d.classid = 'pg_class'::regclass
       AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
      JOIN pg_class AS c ON c.oid = d.refobjid AND c.relpersistence <> 't'
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
     WHERE NOT q.seqcycle
  LOOP
    EXECUTE format('SELECT %s(%I)::numeric FROM %s',
                   CASE WHEN owned.up THEN 'max' ELSE 'min' END, owned.attname, owned.tab)
      INTO stored;
    CONTINUE WHEN stored IS NULL;
    stored := CASE WHEN owned.up
      THEN greatest(stored, pg_sequence_last_value(owned.seqrelid)) + headroom
      ELSE least(stored, pg_sequence_last_value(owned.seqrelid)) - headroom END;
    PERFORM setval(owned.seqrelid, greatest(owned.seqmin, least(owned.seqmax, stored))::bigint);
    moved := moved + 1;
  END LOOP;
  RETURN moved;
END $$;

RESET ROLE;

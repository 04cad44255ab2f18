-- Attempts at a cutover, and every act of one: each checks, in its own transaction and under a lock
-- on the attempt's row, that the attempt is open and the newest. So an order that arrives late, from
-- a process that was frozen, changes nothing. docs/cutover.md tells the whole.
--
-- `old` is the side that serves before the attempt, `new` the one that is to serve after it. The way
-- `forward` leads to the file's names (final), the way `back` to the names before it (sync).
-- Error BG001: the attempt is no longer open, or not the newest.
-- What a later act of the same side makes durable anyway does not wait for the disk itself
-- (`do_not_flush`): the marker flushes the fence, the commit what was replicated and the new names,
-- consent the old side's.

SET ROLE bg_owner;

CREATE TABLE IF NOT EXISTS bluegreen.attempt (
  attempt bigint PRIMARY KEY,
  job text NOT NULL,
  way text NOT NULL CHECK (way IN ('forward', 'back')),
  side text NOT NULL CHECK (side IN ('old', 'new')),
  state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'committed', 'burnt')),
  returning_stream boolean NOT NULL,
  renamed boolean NOT NULL DEFAULT false,
  apart_lsn pg_lsn,
  opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  decided_at timestamptz,
  taken_over boolean NOT NULL DEFAULT false,
  return_begun boolean NOT NULL DEFAULT false
);
-- A database that an earlier version prepared has the table without these.
ALTER TABLE bluegreen.attempt ADD COLUMN IF NOT EXISTS taken_over boolean NOT NULL DEFAULT false;
ALTER TABLE bluegreen.attempt ADD COLUMN IF NOT EXISTS return_begun boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN bluegreen.attempt.return_begun IS
  'on the old side: the returning stream was started; one that stops later is not started by us';
COMMENT ON COLUMN bluegreen.attempt.taken_over IS
  'on the new side: the old one was dead and was not asked; it is closed once it answers';
COMMENT ON COLUMN bluegreen.attempt.returning_stream IS
  'whether replication from the new side back to the old one begins in the pause';
COMMENT ON COLUMN bluegreen.attempt.apart_lsn IS
  'on the new side: where its own history begins, from which the returning stream starts';
COMMENT ON COLUMN bluegreen.attempt.renamed IS
  'whether this side wears the new names; changed in the transaction that renames';

-- Subscription, publication and slot of a stream: they share their name.
CREATE OR REPLACE FUNCTION bluegreen.stream(way text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE way WHEN 'forward' THEN 'bluegreen_forward' ELSE 'bluegreen_reverse' END
$$;

CREATE OR REPLACE FUNCTION bluegreen.opposite(way text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE way WHEN 'forward' THEN 'back' ELSE 'forward' END
$$;

-- Begin an attempt on this side. Older ones are worth nothing from here on.
CREATE OR REPLACE FUNCTION bluegreen.open_attempt(
  number bigint, for_job text, its_way text, its_side text, with_return boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  LOCK TABLE bluegreen.attempt IN SHARE ROW EXCLUSIVE MODE;
  IF EXISTS (SELECT FROM bluegreen.attempt WHERE attempt >= number) THEN
    RAISE EXCEPTION 'attempt % is not newer than all others', number USING ERRCODE = 'BG001';
  END IF;
  INSERT INTO bluegreen.attempt (attempt, job, way, side, returning_stream)
  VALUES (number, for_job, its_way, its_side, with_return);
END $$;

-- The attempt, locked until the transaction ends, if it may still act on this side; else BG001.
CREATE OR REPLACE FUNCTION bluegreen.hold(number bigint, its_side text) RETURNS bluegreen.attempt
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt;
BEGIN
  SELECT * INTO held FROM bluegreen.attempt WHERE attempt = number FOR UPDATE;
  IF held.attempt IS NULL OR held.side <> its_side OR held.state <> 'open'
     OR EXISTS (SELECT FROM bluegreen.attempt WHERE attempt > number) THEN
    RAISE EXCEPTION 'attempt % may not act here as the % side: it is %', number, its_side,
      coalesce(held.state, 'unknown') USING ERRCODE = 'BG001';
  END IF;
  RETURN held;
END $$;

-- The attempt, locked likewise, if this side committed to it and knows no newer one; else BG001.
CREATE OR REPLACE FUNCTION bluegreen.hold_committed(number bigint, its_side text)
RETURNS bluegreen.attempt
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt;
BEGIN
  SELECT * INTO held FROM bluegreen.attempt WHERE attempt = number FOR UPDATE;
  IF held.attempt IS NULL OR held.side <> its_side OR held.state <> 'committed'
     OR EXISTS (SELECT FROM bluegreen.attempt WHERE attempt > number) THEN
    RAISE EXCEPTION 'attempt % may not act here as the % side: it is %', number, its_side,
      coalesce(held.state, 'unknown') USING ERRCODE = 'BG001';
  END IF;
  RETURN held;
END $$;

-- This transaction's commit need not be on disk when it returns.
CREATE OR REPLACE FUNCTION bluegreen.do_not_flush() RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
  SELECT set_config('synchronous_commit', 'off', true)
$$;

-- Give this side the names of a way, by the job's own function.
CREATE OR REPLACE FUNCTION bluegreen.rename(number bigint, its_way text, done boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF its_way = 'forward' THEN
    PERFORM bluegreen_job.to_final();
  ELSE
    PERFORM bluegreen_job.to_sync();
  END IF;
  UPDATE bluegreen.attempt SET renamed = done WHERE attempt = number;
END $$;

-- Start or stop this side's subscription of a stream; one that is not there is left so.
CREATE OR REPLACE FUNCTION bluegreen.set_subscription(its_way text, enabled boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_subscription WHERE subname = bluegreen.stream(its_way)
             AND subenabled <> enabled
             AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())) THEN
    EXECUTE format('ALTER SUBSCRIPTION %I %s', bluegreen.stream(its_way),
                   CASE WHEN enabled THEN 'ENABLE' ELSE 'DISABLE' END);
  END IF;
END $$;

-- Fence the old side for an attempt.
CREATE OR REPLACE FUNCTION bluegreen.fence_old(number bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM bluegreen.hold(number, 'old');
  PERFORM bluegreen.do_not_flush();
  RETURN bluegreen.fence();
END $$;

-- A row that the live stream carries: when it is there, so is all that was committed before it.
CREATE OR REPLACE FUNCTION bluegreen.write_marker(its_token text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO bluegreen_job.marker (token) VALUES (its_token);
END $$;

-- Wait for a marker; false when the limit is over.
CREATE OR REPLACE FUNCTION bluegreen.see_marker(its_token text, limit_ms integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  until timestamptz := clock_timestamp() + limit_ms * interval '1 millisecond';
BEGIN
  WHILE NOT EXISTS (SELECT FROM bluegreen_job.marker WHERE token = its_token) LOOP
    IF clock_timestamp() > until THEN
      RETURN false;
    END IF;
    PERFORM pg_sleep(0.0005);
  END LOOP;
  RETURN true;
END $$;

-- Wait for a marker and make everything up to it durable; false when the limit is over.
-- The transactional message gives this transaction a commit record, which lies behind the marker's
-- and is flushed by synchronous_commit. (Its `flush` argument is of 17 and later.)
CREATE OR REPLACE FUNCTION bluegreen.await_marker(its_token text, limit_ms integer) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT bluegreen.see_marker(its_token, limit_ms) THEN
    RETURN false;
  END IF;
  PERFORM pg_logical_emit_message(true, 'bluegreen', '');
  RETURN true;
END $$;

-- What the old side writes in the transaction that opens it again. The live stream carries it ahead of
-- everything that the application writes from then on, and it passes only where the names are those
-- that such rows were written under: else rows would land in columns that mean something else.
CREATE OR REPLACE FUNCTION bluegreen.reopened(number bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT 'reopened ' || number $$;

-- Trigger of the job's marker, for rows that replication brings. An error stops the stream there, and
-- the slot keeps the rest; `give_back` starts it again. The row lock makes it one order with
-- `prepare_new`, which looks for the same marker.
CREATE OR REPLACE FUNCTION bluegreen.expect_names_of_stream() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt;
BEGIN
  SELECT * INTO held FROM bluegreen.attempt
   WHERE bluegreen.reopened(attempt) = NEW.token FOR UPDATE;
  IF held.renamed THEN
    RAISE EXCEPTION 'the side that this one follows was opened again, and attempt % has given the '
      'tables here other names', held.attempt
      USING HINT = 'The attempt is settled once this side answers; the stream then goes on.';
  END IF;
  RETURN NEW;
END $$;

-- The slot of the stream that will lead back, made before the pause since it takes many flushes.
-- What the live stream still applies after this lies in the slot's future; `prepare_old` skips it.
-- A plain read of the attempt: a row lock would make the slot wait for itself.
CREATE OR REPLACE FUNCTION bluegreen.create_return_slot(number bigint) RETURNS pg_lsn
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  way_back text;
BEGIN
  SELECT bluegreen.stream(bluegreen.opposite(way)) INTO way_back FROM bluegreen.attempt
   WHERE attempt = number AND side = 'new' AND state = 'open'
     AND NOT EXISTS (SELECT FROM bluegreen.attempt AS newer WHERE newer.attempt > number);
  IF way_back IS NULL THEN
    RAISE EXCEPTION 'attempt % may not act here', number USING ERRCODE = 'BG001';
  END IF;
  RETURN (SELECT lsn FROM pg_create_logical_replication_slot(way_back, 'pgoutput'));
END $$;

-- The new side made ready in one transaction: names, sequences. `apart_at` is where this side's own
-- history begins: behind all that was replicated to it, before any write of the application.
-- The live stream stays until `part`: the end of its two processes costs milliseconds in which clients
-- would wait. The old side is fenced; should it open again, `expect_names_of_stream` holds its rows.
-- A server that cannot filter by origin (15) would also take the returning stream's rows back from it.
CREATE OR REPLACE FUNCTION bluegreen.prepare_new(
  number bigint, positions jsonb, OUT sequences_moved integer, OUT apart_at pg_lsn,
  OUT at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  held bluegreen.attempt := bluegreen.hold(number, 'new');
BEGIN
  IF EXISTS (SELECT FROM bluegreen_job.marker WHERE token = bluegreen.reopened(number)) THEN
    RAISE EXCEPTION 'attempt % may not act here: the old side is open again', number
      USING ERRCODE = 'BG001';
  END IF;
  PERFORM bluegreen.do_not_flush();
  IF current_setting('server_version_num')::integer < 160000 THEN
    PERFORM bluegreen.set_subscription(held.way, false);
  END IF;
  PERFORM bluegreen.rename(number, held.way, true);
  sequences_moved := bluegreen.advance_sequences(positions, 0);
  apart_at := pg_current_wal_insert_lsn();
  at := clock_timestamp();
  UPDATE bluegreen.attempt SET apart_lsn = apart_at WHERE attempt = number;
END $$;

-- On the new side, once both committed and nobody is held: end the stream that led here. Before the
-- returning one begins.
CREATE OR REPLACE FUNCTION bluegreen.part(number bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt := bluegreen.hold_committed(number, 'new');
BEGIN
  PERFORM bluegreen.set_subscription(held.way, false);
END $$;

-- Names on the old side. Nothing of it is seen before the attempt is decided, so the disk need not
-- have it yet.
CREATE OR REPLACE FUNCTION bluegreen.prepare_old(number bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  held bluegreen.attempt := bluegreen.hold(number, 'old');
BEGIN
  PERFORM bluegreen.do_not_flush();
  PERFORM bluegreen.rename(number, held.way, true);
END $$;

-- THE COMMIT POINT, on the new side: the attempt is decided and the fence lifted, or neither.
-- Returns what the attempt is now: only `committed` means that this side serves. `not_after` is of
-- this server's clock: an order that lay in a broken network until the pause was over changes nothing.
CREATE OR REPLACE FUNCTION bluegreen.commit_new(number bigint, not_after timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bluegreen.attempt SET state = 'committed', decided_at = clock_timestamp()
   WHERE attempt = number AND side = 'new' AND state = 'open' AND clock_timestamp() <= not_after
     AND NOT EXISTS (SELECT FROM bluegreen.attempt AS newer WHERE newer.attempt > number);
  IF FOUND THEN
    IF to_regprocedure('bluegreen_job.at_cutover()') IS NOT NULL
       AND (SELECT way = 'forward' FROM bluegreen.attempt WHERE attempt = number) THEN
      PERFORM bluegreen_job.at_cutover();  -- with the commit point, or not at all
      IF clock_timestamp() > not_after THEN
        RAISE EXCEPTION 'what the file does in the pause took too long' USING ERRCODE = 'BG001';
      END IF;
    END IF;
    PERFORM bluegreen.lift();
  END IF;
  RETURN (SELECT state FROM bluegreen.attempt WHERE attempt = number);
END $$;

-- The old side's consent, after the commit point and before any route: from here on nobody reopens
-- the old side for this attempt, even one who cannot ask the new side. A crash may have lost what
-- `prepare_old` did; then it is done again here. Returns the attempt's state.
CREATE OR REPLACE FUNCTION bluegreen.commit_old(number bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  held bluegreen.attempt;
BEGIN
  UPDATE bluegreen.attempt SET state = 'committed', decided_at = clock_timestamp()
   WHERE attempt = number AND side = 'old' AND state = 'open'
     AND NOT EXISTS (SELECT FROM bluegreen.attempt AS newer WHERE newer.attempt > number)
  RETURNING * INTO held;
  IF FOUND AND NOT held.renamed THEN
    PERFORM bluegreen.rename(number, held.way, true);
  END IF;
  RETURN (SELECT state FROM bluegreen.attempt WHERE attempt = number);
END $$;

-- On the old side, once it consented: start the stream that leads back here where the new side's own
-- history begins. Without that start a server that cannot filter by origin (15) would send back what
-- came from here. The slot keeps what happens until then. Once: one that stopped since then has its
-- reasons. Returns whether the stream runs.
CREATE OR REPLACE FUNCTION bluegreen.begin_return(number bigint, apart_at pg_lsn) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt := bluegreen.hold_committed(number, 'old');
  back text;
BEGIN
  IF NOT held.returning_stream THEN
    RETURN false;
  END IF;
  back := bluegreen.stream(bluegreen.opposite(held.way));
  IF NOT held.return_begun THEN
    PERFORM pg_replication_origin_advance('pg_' || oid, apart_at) FROM pg_subscription
      WHERE subname = back AND NOT subenabled
        AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database());
    PERFORM bluegreen.set_subscription(bluegreen.opposite(held.way), true);
    UPDATE bluegreen.attempt SET return_begun = true WHERE attempt = number;
  END IF;
  RETURN EXISTS (SELECT FROM pg_subscription WHERE subname = back AND subenabled);
END $$;

-- Make an open attempt worthless on this side. Returns its state: `committed` means too late.
CREATE OR REPLACE FUNCTION bluegreen.burn(number bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bluegreen.attempt SET state = 'burnt', decided_at = clock_timestamp()
   WHERE attempt = number AND state = 'open';
  RETURN (SELECT state FROM bluegreen.attempt WHERE attempt = number);
END $$;

-- Undo what an attempt did to this side, in one transaction, and burn it. On the old side that ends
-- with the lift: it serves again. Only where the new side is known to be burnt or cannot be routed to.
-- Returns the attempt's state; nothing is done to a committed or superseded one.
CREATE OR REPLACE FUNCTION bluegreen.give_back(number bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  held bluegreen.attempt;
BEGIN
  PERFORM bluegreen.burn(number);
  SELECT * INTO held FROM bluegreen.attempt WHERE attempt = number FOR UPDATE;
  IF held.attempt IS NULL OR held.state <> 'burnt'
     OR EXISTS (SELECT FROM bluegreen.attempt WHERE attempt > number) THEN
    RETURN coalesce(held.state, 'unknown');
  END IF;
  IF held.renamed THEN
    PERFORM bluegreen.rename(number, bluegreen.opposite(held.way), false);
  END IF;
  IF held.side = 'old' THEN
    PERFORM bluegreen.set_subscription(bluegreen.opposite(held.way), false);
    IF to_regclass('bluegreen_job.marker') IS NOT NULL THEN  -- without it nothing leads elsewhere
      INSERT INTO bluegreen_job.marker (token) VALUES (bluegreen.reopened(number))
        ON CONFLICT DO NOTHING;
    END IF;
    PERFORM bluegreen.lift();
  ELSE
    PERFORM bluegreen.set_subscription(held.way, true);
  END IF;
  RETURN held.state;
END $$;

-- Close a side that committed to an attempt which its old side has given up meanwhile.
CREATE OR REPLACE FUNCTION bluegreen.revoke(number bigint) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE bluegreen.attempt SET state = 'burnt', decided_at = clock_timestamp()
   WHERE attempt = number AND side = 'new'
     AND NOT EXISTS (SELECT FROM bluegreen.attempt AS newer WHERE newer.attempt > number);
  IF NOT FOUND THEN
    RAISE EXCEPTION 'attempt % may not act here', number USING ERRCODE = 'BG001';
  END IF;
  RETURN bluegreen.fence();
END $$;

-- The other side is dead and will not be asked: this one serves from now on, with the names of a way.
-- What the dead side had committed and not sent is missing here. Sequences are moved past every value
-- that is stored, and `headroom` further, since the other side's are not known.
CREATE OR REPLACE FUNCTION bluegreen.take_over(
  number bigint, for_job text, its_way text, headroom bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET deadlock_timeout = '10ms' AS $$
DECLARE
  last bluegreen.attempt;
BEGIN
  SELECT * INTO last FROM bluegreen.attempt ORDER BY attempt DESC LIMIT 1;
  PERFORM bluegreen.open_attempt(number, for_job, its_way, 'new', false);
  PERFORM bluegreen.set_subscription(its_way, false);
  IF NOT bluegreen.wears(last, its_way) THEN
    PERFORM bluegreen.rename(number, its_way, true);
  END IF;
  PERFORM bluegreen.pass_stored_values(headroom);
  UPDATE bluegreen.attempt SET state = 'committed', taken_over = true, renamed = true,
         apart_lsn = pg_current_wal_insert_lsn(), decided_at = clock_timestamp()
   WHERE attempt = number;
  PERFORM bluegreen.lift();
END $$;

-- Whether a side whose newest attempt is this one wears the names of that way already.
CREATE OR REPLACE FUNCTION bluegreen.wears(last bluegreen.attempt, its_way text) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN last.attempt IS NULL OR NOT last.renamed THEN
                CASE WHEN last.attempt IS NULL THEN its_way = 'back' ELSE last.way <> its_way END
              ELSE last.way = its_way END
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

-- The old side of a cutover that it never heard of, since it was dead: closed before anybody is let
-- in again. It keeps its names and rows, to be compared and thrown away.
CREATE OR REPLACE FUNCTION bluegreen.yield_to(number bigint, for_job text, its_way text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM bluegreen.attempt WHERE attempt >= number) THEN
    PERFORM bluegreen.open_attempt(number, for_job, its_way, 'old', false);
    UPDATE bluegreen.attempt SET state = 'committed', decided_at = clock_timestamp()
     WHERE attempt = number;
  END IF;
  PERFORM bluegreen.set_subscription(bluegreen.opposite(its_way), false);
  PERFORM bluegreen.fence();
END $$;

-- How far this side has applied what the other one sent, by the other one's LSN; null without it.
CREATE OR REPLACE FUNCTION bluegreen.applied_up_to(its_way text, OUT applied pg_lsn, OUT heard_of pg_lsn)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT pg_replication_origin_progress('pg_' || s.oid, false),
         greatest(max(w.latest_end_lsn), max(w.received_lsn))
    FROM pg_subscription AS s LEFT JOIN pg_stat_subscription AS w ON w.subid = s.oid
   WHERE s.subname = bluegreen.stream(its_way)
     AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
   GROUP BY s.oid
$$;

-- End the sessions that hold one of the cutover's locks here: what they still send has no effect.
CREATE OR REPLACE FUNCTION bluegreen.evict(lock_class bigint) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::integer FROM pg_locks
   WHERE locktype = 'advisory' AND classid = lock_class::oid AND pid <> pg_backend_pid()
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;

-- Drop the slot of one of our streams on this side. False while its reader still holds it: told to go.
CREATE OR REPLACE FUNCTION bluegreen.drop_stream_slot(its_way text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  reader integer;
BEGIN
  SELECT active_pid INTO reader FROM pg_replication_slots
   WHERE slot_name = bluegreen.stream(its_way);
  IF NOT FOUND THEN
    RETURN true;
  ELSIF reader IS NOT NULL THEN
    PERFORM pg_terminate_backend(reader);
    RETURN false;
  END IF;
  PERFORM pg_drop_replication_slot(bluegreen.stream(its_way));
  RETURN true;
END $$;

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

-- Read what a new session reads first, so that it finds catalogs and tables in memory. What only a
-- superuser may read stays cold for an owner that is none.
CREATE OR REPLACE FUNCTION bluegreen.warm() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  relation regclass;
  touched integer := 0;
BEGIN
  FOREACH relation IN ARRAY ARRAY['pg_class', 'pg_attribute', 'pg_index', 'pg_proc', 'pg_type',
      'pg_operator', 'pg_statistic', 'pg_trigger', 'pg_constraint', 'pg_attrdef', 'pg_rewrite',
      'pg_authid', 'pg_depend']::regclass[] LOOP
    BEGIN
      EXECUTE format('SELECT count(*) FROM %s', relation);
    EXCEPTION WHEN insufficient_privilege THEN
      NULL;
    END;
  END LOOP;
  FOR relation IN SELECT oid FROM pg_class WHERE relkind IN ('r', 'p')
                  AND relnamespace NOT IN ('pg_catalog'::regnamespace,
                                           'information_schema'::regnamespace) LOOP
    IF has_table_privilege(relation, 'SELECT') THEN
      EXECUTE format('SELECT FROM %s LIMIT 1', relation);
      touched := touched + 1;
    END IF;
  END LOOP;
  RETURN touched;
END $$;

RESET ROLE;

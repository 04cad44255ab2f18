-- Attempts at a cutover: their record, what every act of one begins with, and the ways back. Each act
-- checks, in its own transaction and under a lock on the attempt's row, that the attempt is open and
-- the newest. So an order that arrives late, from a process that was frozen, changes nothing.
-- docs/cutover.md tells the whole; the acts of a pause are in standing_pause.sql.
--
-- `old` is the side that serves before the attempt, `new` the one that is to serve after it. The way
-- `forward` leads to the file's names (final), the way `back` to the names before it (sync).
-- Error BG001: the attempt is no longer open, or not the newest.

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

-- The attempt, locked until the transaction ends, if it is in that state on this side and no newer one
-- is known; else BG001.
CREATE OR REPLACE FUNCTION bluegreen.hold_in(number bigint, its_side text, its_state text)
RETURNS bluegreen.attempt
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  held bluegreen.attempt;
BEGIN
  SELECT * INTO held FROM bluegreen.attempt WHERE attempt = number FOR UPDATE;
  IF held.attempt IS NULL OR held.side <> its_side OR held.state <> its_state
     OR EXISTS (SELECT FROM bluegreen.attempt WHERE attempt > number) THEN
    RAISE EXCEPTION 'attempt % may not act here as the % side: it is %', number, its_side,
      coalesce(held.state, 'unknown') USING ERRCODE = 'BG001';
  END IF;
  RETURN held;
END $$;

-- One that may still act.
CREATE OR REPLACE FUNCTION bluegreen.hold(number bigint, its_side text) RETURNS bluegreen.attempt
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN bluegreen.hold_in(number, its_side, 'open');
END $$;

-- One to which this side committed.
CREATE OR REPLACE FUNCTION bluegreen.hold_committed(number bigint, its_side text)
RETURNS bluegreen.attempt
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN bluegreen.hold_in(number, its_side, 'committed');
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

-- End the sessions that hold one of the cutover's locks here: what they still send has no effect.
CREATE OR REPLACE FUNCTION bluegreen.evict(lock_class bigint) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT count(*) FILTER (WHERE pg_terminate_backend(pid))::integer FROM pg_locks
   WHERE locktype = 'advisory' AND classid = lock_class::oid AND pid <> pg_backend_pid()
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
$$;

RESET ROLE;

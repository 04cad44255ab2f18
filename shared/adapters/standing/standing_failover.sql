-- A standby takes over from an active server that is dead, and what is kept of it.

SET ROLE bg_owner;

CREATE TABLE IF NOT EXISTS bluegreen.failover (
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  dead text NOT NULL,
  missing integer,
  promoted_at pg_lsn NOT NULL,
  healed_at timestamptz
);
COMMENT ON TABLE bluegreen.failover IS
  'one row for each server that was taken over from; healed when it is a standby again';
COMMENT ON COLUMN bluegreen.failover.missing IS
  'acknowledged commits that an operator accepted to lose; NULL: nobody could tell';

-- Promote this standby. True once it is out of recovery.
CREATE OR REPLACE FUNCTION bluegreen.promote(limit_s integer) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN pg_is_in_recovery() THEN pg_promote(true, limit_s) ELSE true END
$$;

-- Of a server that was promoted: from here on WAL is kept for the dead one, and it is noted.
CREATE OR REPLACE FUNCTION bluegreen.note_failover(
  its_dead text, its_slot name, own_slot name, its_missing integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = its_slot) THEN
    PERFORM pg_create_physical_replication_slot(its_slot, true);
  END IF;
  PERFORM pg_drop_replication_slot(slot_name) FROM pg_replication_slots
   WHERE slot_name = own_slot AND NOT active;
  IF NOT EXISTS (SELECT FROM bluegreen.failover WHERE dead = its_dead AND healed_at IS NULL) THEN
    INSERT INTO bluegreen.failover (dead, missing, promoted_at)
    VALUES (its_dead, its_missing, pg_current_wal_lsn());
  END IF;
END $$;

RESET ROLE;

-- Only superusers make event triggers, and on a managed service its administrators. Where `bg_owner`
-- may not, DDL by others is found by the fingerprint alone.
CREATE EVENT TRIGGER bluegreen_freeze
    ON ddl_command_end EXECUTE FUNCTION bluegreen_job.freeze();
CREATE EVENT TRIGGER bluegreen_freeze_drop
    ON sql_drop EXECUTE FUNCTION bluegreen_job.freeze();
CREATE EVENT TRIGGER bluegreen_freeze_start
    ON ddl_command_start WHEN TAG IN ('CREATE INDEX', 'DROP INDEX', 'ALTER TABLE', 'DROP SCHEMA')
    EXECUTE FUNCTION bluegreen_job.freeze();

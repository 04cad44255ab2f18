-- work: the live job of the database, what it froze (until its cutover), and when the last job ended.
SELECT (SELECT id FROM bluegreen_control.job
        WHERE database = %(database)s AND ended_at IS NULL ORDER BY requested_at LIMIT 1),
       (SELECT frozen.body ->> 'fingerprint' FROM bluegreen_control.fact AS frozen
        JOIN bluegreen_control.job ON job.id = frozen.job
        WHERE job.database = %(database)s AND job.ended_at IS NULL
          AND job.phase = 'forward' AND frozen.step = 'freeze_schema'
          AND NOT EXISTS (SELECT FROM bluegreen_control.outbox
                          WHERE outbox.job = job.id AND outbox.step = 'cutover')
          AND NOT EXISTS (SELECT FROM bluegreen_control.fact AS switched
                          WHERE switched.job = job.id AND switched.step = 'cutover')),
       (SELECT max(ended_at) FROM bluegreen_control.job WHERE database = %(database)s)

-- keep: make this fingerprint the mark where there is none, or none since that moment.
INSERT INTO bluegreen_control.schema_mark (database, fingerprint)
VALUES (%(database)s, %(fingerprint)s)
ON CONFLICT (database) DO UPDATE SET fingerprint = excluded.fingerprint, at = clock_timestamp()
WHERE schema_mark.at < %(since)s

-- mark: what the schema was when it was left.
SELECT fingerprint, at FROM bluegreen_control.schema_mark WHERE database = %(database)s

-- accept: the schema is right as it is now.
INSERT INTO bluegreen_control.schema_mark (database, fingerprint)
VALUES (%(database)s, %(fingerprint)s)
ON CONFLICT (database) DO UPDATE SET fingerprint = excluded.fingerprint, at = clock_timestamp()

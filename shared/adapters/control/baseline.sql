-- current: the baseline that was measured last.
SELECT body FROM bluegreen_control.baseline WHERE database = %s ORDER BY at DESC LIMIT 1

-- keep: one more; older ones stay for comparison.
INSERT INTO bluegreen_control.baseline (database, at, body) VALUES (%s, %s, %s)

-- note: what passed through the pooler since the look before.
INSERT INTO bluegreen_control.traffic
    (database, at, side, seconds, transactions, mean_ms, waiting_ms, door_ms)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING

-- forget_old: the running record goes back two days.
DELETE FROM bluegreen_control.traffic
WHERE database = %s AND at < clock_timestamp() - interval '2 days'

-- between: the running record of that time, oldest first.
SELECT at, side, seconds, transactions, mean_ms, waiting_ms, door_ms FROM bluegreen_control.traffic
WHERE database = %s AND at > %s AND at <= %s ORDER BY at

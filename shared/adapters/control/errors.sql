-- note: an error class was seen now; its first sight is kept.
INSERT INTO bluegreen_control.error_class
    (database, code, side, severity, user_name, message, occurrences, first_at, last_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp(), clock_timestamp())
ON CONFLICT (database, code) DO UPDATE SET
    occurrences = error_class.occurrences + excluded.occurrences, last_at = excluded.last_at,
    side = excluded.side, severity = excluded.severity, user_name = excluded.user_name,
    message = excluded.message

-- new: classes whose first sight is younger than so many seconds, and whose last is too.
SELECT side, code, severity, user_name, message, occurrences FROM bluegreen_control.error_class
WHERE database = %s AND first_at > clock_timestamp() - make_interval(secs => %s)
  AND last_at > clock_timestamp() - make_interval(secs => %s)
ORDER BY first_at

"""Whether a job's target has served and was left again: asked of the side that serves now.

Its record of the attempt stands there (shared/adapters/standing/standing_attempt.sql), so no flag
of ours is needed, and a fork of a later job, which carries older records along, is told apart by
the job.
"""

WENT_BACK = """
SELECT max(attempt) FROM bluegreen.attempt
WHERE job = %s AND way = 'back' AND side = 'new' AND state = 'committed'
"""
"""Number of the newest rollback of that job; NULL where there was none."""

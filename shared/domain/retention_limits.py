"""For how many days things may be kept, from and to. Pure, and read by every command."""

LEAST_JOB_DAYS, LEAST_POINT_DAYS, MOST_DAYS = 2.0, 0.01, 36_500.0
"""Details of jobs: as far back as the running record of the traffic goes, which a report compares
(shared/adapters/control/schema/60_retention.sql)."""

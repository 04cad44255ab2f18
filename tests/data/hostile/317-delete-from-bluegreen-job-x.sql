DELETE FROM bluegreen_job.x

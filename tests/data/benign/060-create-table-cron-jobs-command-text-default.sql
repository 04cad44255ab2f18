CREATE TABLE cron_jobs (command text DEFAULT 'COPY t FROM PROGRAM x')

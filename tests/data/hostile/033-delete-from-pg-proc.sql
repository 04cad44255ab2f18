DELETE FROM pg_proc

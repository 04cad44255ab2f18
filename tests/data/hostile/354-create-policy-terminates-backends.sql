CREATE POLICY p ON t FOR SELECT USING (pg_terminate_backend(pid))

CREATE POLICY p ON t USING (pg_read_file('/x') = a)

CREATE POLICY own ON t USING (owner = current_setting('app.user', true))

ALTER TYPE app.plan_tier ADD VALUE 'trial'; ALTER TABLE app.accounts ALTER COLUMN tier SET DEFAULT 'trial';

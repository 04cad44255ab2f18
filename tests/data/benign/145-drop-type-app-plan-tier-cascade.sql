DROP TYPE app.plan_tier CASCADE;

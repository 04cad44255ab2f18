DROP DOMAIN cms.short_text CASCADE;

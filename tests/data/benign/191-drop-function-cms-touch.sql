DROP FUNCTION cms.touch();

ALTER TABLE cms.comments DROP COLUMN flagged;

ALTER TABLE cms.posts ALTER COLUMN author_id TYPE bigint;

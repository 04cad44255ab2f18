BEGIN; DROP VIEW cms.published; ALTER TABLE cms.posts ALTER COLUMN title TYPE text; CREATE VIEW cms.published AS SELECT id, title, author_id FROM cms.posts WHERE published_at IS NOT NULL; COMMIT;

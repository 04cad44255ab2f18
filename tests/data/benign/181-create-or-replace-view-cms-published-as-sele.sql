CREATE OR REPLACE VIEW cms.published AS SELECT id, title, author_id, slug, views FROM cms.posts;

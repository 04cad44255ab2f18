DROP VIEW cms.published; CREATE VIEW cms.published AS SELECT title FROM cms.posts;

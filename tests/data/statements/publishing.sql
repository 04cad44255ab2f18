-- One migration file per line, each over the same schema; nothing of it is kept.
ALTER TABLE cms.posts ALTER body TYPE varchar(9000)
ALTER TABLE cms.posts ALTER id TYPE int
ALTER TABLE cms.posts ALTER slug TYPE varchar
ALTER TABLE cms.posts ALTER views TYPE bigint
ALTER TABLE cms.posts ALTER published_at TYPE timestamp
ALTER TABLE cms.posts ALTER updated_at TYPE timestamp
ALTER TABLE cms.posts ALTER author_id TYPE bigint
ALTER TABLE cms.posts DROP COLUMN author_id
ALTER TABLE cms.posts DROP COLUMN author_id CASCADE
ALTER TABLE cms.posts DROP COLUMN slug
ALTER TABLE cms.posts RENAME COLUMN title TO headline
ALTER TABLE cms.posts RENAME TO articles
ALTER TABLE cms.posts DISABLE TRIGGER posts_touch
ALTER TABLE cms.posts ENABLE REPLICA TRIGGER posts_touch
ALTER TABLE cms.posts ENABLE ALWAYS TRIGGER posts_touch
ALTER TABLE cms.comments ENABLE ROW LEVEL SECURITY
ALTER TABLE cms.comments DROP COLUMN flagged
ALTER TABLE cms.comments DROP COLUMN flagged CASCADE
ALTER TABLE cms.comments ALTER flagged TYPE int USING flagged::int
ALTER TABLE cms.comments ALTER author TYPE varchar(100)
DROP POLICY comments_visible ON cms.comments; ALTER TABLE cms.comments DROP COLUMN flagged
ALTER POLICY comments_visible ON cms.comments RENAME TO c2
ALTER POLICY nope ON cms.comments USING (true)
CREATE POLICY comments_visible ON cms.comments USING (true)
DROP TRIGGER posts_touch ON cms.posts
DROP TRIGGER nope ON cms.posts
CREATE TRIGGER posts_touch AFTER UPDATE ON cms.posts FOR EACH ROW EXECUTE FUNCTION cms.touch()
CREATE OR REPLACE TRIGGER posts_touch AFTER UPDATE ON cms.posts FOR EACH ROW EXECUTE FUNCTION cms.touch()
CREATE TRIGGER t BEFORE UPDATE OF nope ON cms.posts FOR EACH ROW EXECUTE FUNCTION cms.touch()
CREATE TRIGGER t BEFORE UPDATE OF slug ON cms.posts FOR EACH ROW EXECUTE FUNCTION cms.touch(); ALTER TABLE cms.posts ALTER slug TYPE varchar(100)
CREATE TRIGGER t BEFORE UPDATE OF slug ON cms.posts FOR EACH ROW EXECUTE FUNCTION cms.touch(); ALTER TABLE cms.posts DROP COLUMN slug
CREATE TRIGGER t AFTER INSERT ON cms.posts FOR EACH ROW WHEN (NEW.views > 0) EXECUTE FUNCTION cms.touch(); ALTER TABLE cms.posts DROP COLUMN views
DROP FUNCTION cms.touch()
DROP FUNCTION cms.touch
DROP FUNCTION cms.touch() CASCADE
CREATE OR REPLACE FUNCTION cms.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$
CREATE FUNCTION cms.touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$
ALTER FUNCTION cms.touch() RENAME TO touched
ALTER FUNCTION cms.touch() STABLE
ALTER FUNCTION cms.nope() STABLE
ALTER FUNCTION cms.touch() OWNER TO app_rw
ALTER FUNCTION cms.touch() SET search_path = cms
DROP VIEW cms.published CASCADE
DROP VIEW cms.post_stats
DROP TABLE cms.published
DROP MATERIALIZED VIEW cms.published
DROP TABLE cms.posts
DROP TABLE cms.posts CASCADE
DROP TABLE cms.authors CASCADE
DROP TABLE cms.comments
DROP DOMAIN cms.short_text
DROP DOMAIN cms.short_text CASCADE
DROP TYPE cms.short_text
DROP SEQUENCE cms.ref_seq
DROP SCHEMA cms CASCADE
ALTER DOMAIN cms.short_text ADD CONSTRAINT l CHECK (length(VALUE) < 400) NOT VALID
ALTER DOMAIN cms.short_text ADD CONSTRAINT l CHECK (length(VALUE) < 400) NOT VALID; ALTER DOMAIN cms.short_text VALIDATE CONSTRAINT l
ALTER DOMAIN cms.short_text SET DEFAULT 'x'
ALTER DOMAIN cms.short_text DROP NOT NULL
ALTER DOMAIN cms.short_text DROP CONSTRAINT nope
ALTER DOMAIN cms.short_text RENAME TO st
ALTER DOMAIN cms.nope SET NOT NULL
ALTER TABLE cms.pages ALTER heading TYPE text
ALTER TABLE cms.pages ALTER heading TYPE varchar(100)
ALTER TABLE cms.pages ALTER heading SET NOT NULL
ALTER TABLE cms.pages ADD COLUMN x cms.short_text DEFAULT 'a'
CREATE OR REPLACE VIEW cms.published AS SELECT id, title FROM cms.posts
CREATE OR REPLACE VIEW cms.published AS SELECT id, title, author_id, body FROM cms.posts
CREATE VIEW cms.published AS SELECT 1
CREATE VIEW cms.v2 AS SELECT * FROM cms.published; DROP VIEW cms.published
CREATE VIEW cms.v2 AS SELECT * FROM cms.published; DROP VIEW cms.published CASCADE
ALTER VIEW cms.published SET (security_barrier = true)
ALTER VIEW cms.published SET SCHEMA public
ALTER VIEW cms.published OWNER TO app_rw
ALTER VIEW cms.published ALTER COLUMN title SET DEFAULT 'x'
ALTER MATERIALIZED VIEW cms.post_stats RENAME TO ps
ALTER MATERIALIZED VIEW cms.post_stats RENAME COLUMN n TO cnt
ALTER MATERIALIZED VIEW cms.post_stats SET (fillfactor = 80)
REFRESH MATERIALIZED VIEW cms.post_stats
REFRESH MATERIALIZED VIEW cms.published
DROP INDEX cms.post_stats_author; REFRESH MATERIALIZED VIEW CONCURRENTLY cms.post_stats
SELECT * FROM cms.published
UPDATE cms.published SET title = 'x' WHERE id = 1
INSERT INTO cms.published (id, title) VALUES (99999, 'x')
DELETE FROM cms.posts WHERE id = 5
UPDATE cms.posts SET views = 0
ALTER SEQUENCE cms.ref_seq INCREMENT BY 10
ALTER SEQUENCE cms.nope RESTART
ALTER SEQUENCE cms.ref_seq OWNED BY cms.posts.id
ALTER TABLE cms.posts ALTER id SET DEFAULT nextval('cms.ref_seq'); DROP SEQUENCE cms.ref_seq
ALTER TABLE cms.posts ALTER id SET DEFAULT nextval('cms.nope')
SELECT nextval('cms.ref_seq')
CREATE RULE r AS ON INSERT TO cms.published DO INSTEAD NOTHING
CREATE TABLE cms.posts_archive (LIKE cms.posts INCLUDING ALL); INSERT INTO cms.posts_archive SELECT * FROM cms.posts WHERE views < 10; DELETE FROM cms.posts WHERE views < 10
CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION cms.touch()

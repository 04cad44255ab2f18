ALTER TABLE cms.posts ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('english', coalesce(body, ''))) STORED;

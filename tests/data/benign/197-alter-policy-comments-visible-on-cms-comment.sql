ALTER POLICY comments_visible ON cms.comments TO app_ro;

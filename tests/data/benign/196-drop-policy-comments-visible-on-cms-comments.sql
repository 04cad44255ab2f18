DROP POLICY comments_visible ON cms.comments;

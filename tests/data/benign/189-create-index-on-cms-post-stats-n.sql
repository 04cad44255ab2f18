CREATE INDEX ON cms.post_stats (n);

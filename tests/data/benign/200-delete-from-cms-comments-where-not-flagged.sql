DELETE FROM cms.comments WHERE NOT flagged;

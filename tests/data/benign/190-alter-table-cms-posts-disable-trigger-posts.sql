ALTER TABLE cms.posts DISABLE TRIGGER posts_touch; ALTER TABLE cms.posts ENABLE TRIGGER posts_touch;

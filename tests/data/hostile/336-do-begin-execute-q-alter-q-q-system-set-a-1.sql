DO $$ BEGIN EXECUTE $q$ALTER $q$ || $q$SYSTEM SET a = 1$q$; END $$

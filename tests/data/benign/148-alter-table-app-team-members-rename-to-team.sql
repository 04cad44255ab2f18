ALTER TABLE app."Team Members" RENAME TO team_members;

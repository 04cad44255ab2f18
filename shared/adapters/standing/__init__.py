"""What stands on a migrated database before any job: the standing schema and our roles."""

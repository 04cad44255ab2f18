"""The replicator: green made, kept in sync, and made the standby again."""

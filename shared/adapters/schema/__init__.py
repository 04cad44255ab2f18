"""A database's schema: read as catalog and as snapshot, and copied empty."""

"""What each kind of statement does: locks, rewrites, what it destroys; and the catalog after it."""

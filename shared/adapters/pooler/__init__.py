"""PgBouncer: one or several, held and led as one; the route file; what its console says."""

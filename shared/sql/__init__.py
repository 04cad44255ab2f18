"""Pure. Reads migration files: grammar, known schema, locks, rules, the report."""

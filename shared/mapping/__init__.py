"""Pure. Keeps two different schemas in step: what a rehearsal saw, the mapping, the SQL from it."""

"""Derived tables: what the file makes of a replicated table, row for row, and gives back to it."""

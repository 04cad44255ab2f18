"""A migration file on empty copies of the schema, statement by statement."""

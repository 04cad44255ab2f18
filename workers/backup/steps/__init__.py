"""Steps on a rollback point, one in each file."""

"""Steps that wait for a person or for a time."""

"""Steps that look and change nothing, one in each file."""

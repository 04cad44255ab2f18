"""Steps that hold or move traffic, one in each file."""

"""The validator: the file, the rows of both sides, the live statements."""

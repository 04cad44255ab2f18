"""Steps that change the servers, one in each file."""

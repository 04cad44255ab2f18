"""What needs the host of a server, one driver for each way to run servers (NodeDriver)."""

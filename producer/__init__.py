"""The command line: validate, enqueue, follow, steer, look. Decides nothing about a migration."""

"""The embedded stack: every server and agent as a child process, in one state directory."""

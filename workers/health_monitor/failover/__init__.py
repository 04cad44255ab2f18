"""The standby takes over from an active server that is dead."""

"""The health-monitor: preflight, confirm, the window, alerts, and failover of a dead server."""

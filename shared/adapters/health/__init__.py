"""Every health check: what it asks, what it answers, from where on it is unhealthy."""

from shared.adapters.health.checks import HealthChecks, check_all

__all__ = ["HealthChecks", "check_all"]

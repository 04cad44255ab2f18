"""The doors as clients see them: the direct door with its keeper, and probes of the pooled one."""

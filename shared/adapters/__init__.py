"""The one place that touches the world: servers, proxies, Redis, processes, files."""

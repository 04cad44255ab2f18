"""The one service that may speak to the container engine, and the few orders it knows."""

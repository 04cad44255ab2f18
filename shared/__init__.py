"""What producer and workers stand on: pure cores below, adapters above (docs/architecture.md)."""

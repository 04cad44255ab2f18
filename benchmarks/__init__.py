"""Measurements, each as a ratio within one run; the method is in benchmarks/README.md."""

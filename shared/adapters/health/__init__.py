"""What is watched: each check with its bound, figures for Prometheus, alerts and who is told."""

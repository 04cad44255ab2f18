"""The backup agent: rollback points taken, proved and pruned."""

"""Rollback points: taken, sealed, kept and proved by a restore; the long work as deeds."""

"""The demo: a shop under load, migrated while it works, every acknowledged write counted."""

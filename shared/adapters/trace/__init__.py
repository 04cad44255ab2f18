"""A migration file on a throw-away server: the locks really taken, what is copied, how long."""

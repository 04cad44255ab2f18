"""Steps that watch real traffic, and preflight before all of them."""

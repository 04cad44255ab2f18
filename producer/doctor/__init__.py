"""Whether everything that a stack needs is there, and what to do where it is not."""

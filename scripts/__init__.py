"""What developers run: the builtin lists, a new rule, the pages of the rules."""

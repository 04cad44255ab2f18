"""Pure. The one place where anything is decided: recipes, one transition table, the machine."""

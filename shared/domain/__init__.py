"""Pure. The words of the project, as types. Imports nothing that touches the world."""

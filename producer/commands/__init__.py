"""One file per group of commands.

A command module imports only Typer and words at its top; what a command needs to do its work is
imported where the command runs, so that `--help` and `validate` start in a third of a second.
"""

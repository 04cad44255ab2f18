"""One package per agent. They never import each other; `app.py` puts each of them together."""

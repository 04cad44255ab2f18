"""Files that people write, each carried forward, back and forward again beside a plain run."""

"""The way to `pooler/pgbouncer.py` for files that are being written elsewhere."""

from shared.adapters.pooler.pgbouncer import PgBouncer

__all__ = ["PgBouncer"]

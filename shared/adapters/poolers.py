"""The way to `pooler/poolers.py` for files that are being written elsewhere."""

from shared.adapters.pooler.poolers import poolers_of

__all__ = ["poolers_of"]

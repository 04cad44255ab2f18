"""The way to `drivers/remote_driver.py` for files that are being written elsewhere."""

from shared.adapters.drivers.remote_driver import addressed_nodes

__all__ = ["addressed_nodes"]

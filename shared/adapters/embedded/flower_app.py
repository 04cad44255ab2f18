"""What `celery -A` wants for Flower: the watching application of the stack that is named."""

from __future__ import annotations

import os

from shared.adapters.embedded.watcher import watching_app
from shared.settings import load

app = watching_app(load(os.environ))

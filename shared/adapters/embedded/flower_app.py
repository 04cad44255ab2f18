"""What `celery --app` wants for Flower: our application, for the stack that is named."""

from __future__ import annotations

import os

from shared.adapters.celery_app import celery_app
from shared.settings import load

app = celery_app(load(os.environ))

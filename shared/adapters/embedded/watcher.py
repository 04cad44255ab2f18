"""A Celery application that only looks: it knows the broker's address and has nothing to run."""

from __future__ import annotations

from celery import Celery

from shared.settings import Settings


def watching_app(settings: Settings) -> Celery:
    redis = settings.redis
    app = Celery("bluegreen")
    app.conf.update(
        broker_url=f"redis://:{settings.secret('redis')}@{redis.host}:{redis.port}/"
        f"{redis.database}",
        broker_transport_options={"global_keyprefix": redis.prefix},
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        accept_content=["json"],
        task_ignore_result=True,
    )
    return app

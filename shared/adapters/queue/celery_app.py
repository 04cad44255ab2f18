"""The Celery application of every process of ours: one set of settings, each with its reason."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import quote

from celery import Celery
from kombu.connection import Connection
from kombu.entity import Queue

from shared.adapters.queue.agents import AGENTS
from shared.adapters.queue.redis_bus import SECRET
from shared.settings import Settings

TRANSPORT = "shared.adapters.queue.celery_transport:Transport"
SENTINEL_TRANSPORT = "shared.adapters.queue.celery_transport:SentinelTransport"
VISIBILITY_S = 30
LONGEST_PAUSE_S = 3


class SoonAgain(Connection):
    """A connection that is tried again every three seconds: kombu's pause grows to thirty."""

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        pauses = {"interval_start": 1, "interval_step": 1, "interval_max": LONGEST_PAUSE_S}
        return super().ensure_connection(*args, **{**pauses, **options})  # type: ignore[no-untyped-call]


def celery_app(settings: Settings, name: str = "bluegreen") -> Celery:
    app = Celery(name, broker=broker_url(settings), set_as_current=False)
    app.amqp.Connection = SoonAgain
    app.conf.update(celery_config(settings))
    return app


def broker_url(settings: Settings) -> str:
    server = settings.redis
    password = quote(settings.secret(SECRET), safe="")
    account = f"{server.user or ''}:{password}@" if password else ""
    if server.sentinels:
        return ";".join(
            f"sentinel://{account}{address}/{server.database}" for address in server.sentinels
        )
    scheme = "redis" if server.ca_file is None else "rediss"
    return f"{scheme}://{account}{server.host}:{server.port}/{server.database}"


def _broker_tls(settings: Settings) -> dict[str, Any] | None:
    """redis-py also checks the server's name, which is its default."""
    authority = settings.redis.ca_file
    if authority is None:
        return None
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": str(authority)}


def celery_config(settings: Settings) -> dict[str, Any]:
    return {
        "broker_transport": SENTINEL_TRANSPORT if settings.redis.sentinels else TRANSPORT,
        "broker_use_ssl": _broker_tls(settings),
        "broker_transport_options": {
            # A command that a dead worker had fetched and not begun comes back; stale by then.
            "visibility_timeout": VISIBILITY_S,
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
            "unacked_mutex_expire": 5,  # 300 s by default blocks redelivery after a kill
            "global_keyprefix": settings.redis.prefix,
            "health_check_interval": 10,  # a half-open connection is found in about 20 s
            "socket_timeout": 10,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
            "master_name": settings.redis.master,  # heard by the transport over Sentinels only
            "sentinel_kwargs": {
                "socket_timeout": 3,
                "socket_connect_timeout": 3,
                **({"ssl": True, **tls} if (tls := _broker_tls(settings)) else {}),
            },
        },
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # gives up after 100 by default
        # Early acknowledgement: a lost command is sent again by the sweep, which knows the truth;
        # the broker's own redelivery would only repeat what is stale.
        "task_acks_late": False,
        # On Redis True loses tasks, and Celery 6 makes it the default.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_prefetch_multiplier": 1,
        "worker_enable_prefetch_count_reduction": False,
        "worker_soft_shutdown_timeout": 10,
        # Answers stand in the control database. Without a backend a publish to a Redis that is
        # down fails in under a second instead of 19.
        "result_backend": None,
        "task_ignore_result": True,
        "task_serializer": "json",
        "accept_content": ["json"],
        "enable_utc": True,
        "task_queues": [Queue(agent) for agent in AGENTS],  # type: ignore[no-untyped-call]
        "task_default_queue": "nobody",
        "task_create_missing_queues": False,  # a typing error must not vanish into a new queue
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "task_track_started": True,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "task_publish_retry": False,  # the sweep tries again
    }

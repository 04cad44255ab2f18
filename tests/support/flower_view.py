"""What Flower would show: Celery's own fold of the events that workers send."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.events.state import State

from shared.adapters.queue.celery_app import celery_app
from shared.settings import Settings


@contextmanager
def flower_view(settings: Settings) -> Iterator[State]:
    """A fold of all events from now on; `tasks` has a row per task id."""
    state, ready, stop = State(), threading.Event(), threading.Event()

    def listen() -> None:
        with celery_app(settings) as app, app.connection_for_read() as connection:
            receiver = app.events.Receiver(connection, handlers={"*": state.event})
            with receiver.consumer_context() as (own, _, _):  # a connection of its own
                _drain(own)
                ready.set()
                while not stop.is_set():
                    _drain(own)

    thread = threading.Thread(target=listen)
    thread.start()
    assert ready.wait(10)
    try:
        yield state
    finally:
        stop.set()
        thread.join(10)


def _drain(connection: Any) -> None:
    try:
        connection.drain_events(timeout=0.2)
    except TimeoutError:
        return

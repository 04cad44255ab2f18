"""What a worker takes from its queue: a command as we send them, and nothing else."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from shared.adapters.queue.celery_transport import flaw


def message(told: object = ([], {"job": "j"}, {}), **changed: Any) -> dict[str, Any]:
    fields = {
        "body": b64encode(json.dumps(told).encode()).decode(),
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "headers": {"task": "replicator.one", "id": "x", "timelimit": [None, None]},
        "properties": {"delivery_tag": "t", "delivery_info": {}, "body_encoding": "base64"},
    }
    return fields | changed


def with_header(**headers: object) -> dict[str, Any]:
    return message(headers={"task": "replicator.one", "id": "x", **headers})


def test_a_command_of_ours_has_no_flaw():
    assert flaw(message()) == ""
    assert flaw(with_header(eta=None, expires=None)) == ""


@pytest.mark.parametrize("item", [42, [], {}, None, "text", {"body": ""}, message(headers=None)])
def test_what_is_not_shaped_like_a_message_is_none(item):
    assert flaw(item) == "not a message"


@pytest.mark.parametrize(
    "item",
    [
        message(**{"content-type": "application/x-python-serialize"}),
        message(properties={"delivery_tag": "t", "delivery_info": {}}),
    ],
)
def test_only_json_is_taken(item):
    assert flaw(item) == "not JSON inside"


@pytest.mark.parametrize(
    "item",
    [with_header(eta="never"), with_header(expires=1), with_header(timelimit=[1, "x"])],
)
def test_what_asks_for_a_delay_or_a_limit_is_not_ours(item):
    assert "delay or a limit" in flaw(item)


@pytest.mark.parametrize("body", ["!", "AAAA", b64encode(b"\xff").decode()])
def test_a_body_that_cannot_be_decoded_is_refused(body):
    assert flaw(message(body=body)) in ("its body is not JSON", "not JSON inside")


@pytest.mark.parametrize("body", [{}, [], [[], {}], [{}, [], {}], [[], {}, None]])
def test_a_body_of_another_shape_is_refused(body):
    assert flaw(message(body)) == "its body is not that of a task"

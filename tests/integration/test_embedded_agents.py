"""The agents and Flower of an embedded stack: they answer, come back, and give nothing away."""

from __future__ import annotations

import base64
import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from shared.adapters.embedded.layout import Layout
from shared.adapters.embedded.ready import wait_for_agents
from shared.adapters.embedded.stack import up
from shared.adapters.embedded.stack_plan import agents_here
from shared.adapters.processes import processes_of
from shared.adapters.queue.celery_app import celery_app
from shared.domain.errors import Transient
from tests.support.stack import Stack, running_stack
from tests.support.wait import until


@pytest.fixture(scope="module")
def whole() -> Iterator[Stack]:
    with running_stack(agents=True) as running:
        yield running


def ask_flower(stack: Stack, path: str, *, with_password: bool = True, method: str = "GET") -> str:
    """The body. Raises HTTPError for anything but success."""
    url = urlsplit(stack.doors["flower"])
    request = urllib.request.Request(f"http://{url.hostname}:{url.port}/{path}", method=method)
    if with_password:
        known = f"{url.username}:{unquote(url.password or '')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(known.encode()).decode()}")
    with urllib.request.urlopen(request, timeout=5) as answer:
        return str(answer.read().decode())


def answering(stack: Stack) -> set[str]:
    with celery_app(stack.settings) as app:
        replies = app.control.ping(timeout=1, limit=len(agents_here())) or []
    return {name.partition("@")[0] for reply in replies for name in reply}


def flower_answers(stack: Stack) -> bool:
    try:
        return bool(ask_flower(stack, "workers"))
    except OSError:
        return False


def test_every_agent_answers_once_up_has_returned(whole: Stack) -> None:
    assert answering(whole) == set(agents_here())


def test_agents_give_way_but_for_the_one_that_clients_wait_for(whole: Stack) -> None:
    nice = {
        agent: os.getpriority(os.PRIO_PROCESS, whole.pid(agent) or 0) for agent in agents_here()
    }
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert [agent for agent, value in nice.items() if value <= ours] == ["proxy-agent"]


def test_flower_knows_the_agents(whole: Stack) -> None:
    expected = set(agents_here())

    def known() -> bool:
        names = json.loads(ask_flower(whole, "api/workers?refresh=1"))
        return {name.partition("@")[0] for name in names} == expected

    until(known, limit_s=30, what="Flower lists every agent")


@pytest.mark.parametrize("path", ["", "workers", "api/workers", "api/tasks"])
def test_flower_asks_for_its_password(whole: Stack, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        ask_flower(whole, path, with_password=False)


def test_flower_only_looks(whole: Stack) -> None:
    agent = agents_here()[0]
    with pytest.raises(urllib.error.HTTPError, match="403"):
        ask_flower(whole, f"api/worker/shutdown/{agent}@host", method="POST")


def test_no_secret_stands_on_a_command_line_or_in_a_log(whole: Stack) -> None:
    known = [path.read_bytes() for path in whole.settings.secrets_dir.iterdir() if path.is_file()]
    assert len(known) > 10
    shown = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid, _ in processes_of(whole.state_dir)]
    shown += [log.read_bytes() for log in (whole.state_dir / "logs").rglob("*") if log.is_file()]
    shown.append((whole.state_dir / "stack.json").read_bytes())
    assert not [secret for secret in known if any(secret in text for text in shown)]


@pytest.mark.parametrize("agent", agents_here())
def test_a_killed_agent_comes_back_and_answers(whole: Stack, agent: str) -> None:
    whole.until_back(agent, whole.kill(agent))
    until(lambda: agent in answering(whole), limit_s=60, what=f"{agent} answers")


def test_a_frozen_redis_is_named_and_its_remedy_helps(whole: Stack) -> None:
    layout, pid = Layout(whole.state_dir), whole.pid("redis")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(Transient, match="found Redis: ") as told:
            wait_for_agents(layout, whole.settings, agents_here(), limit_s=1)
    finally:
        os.kill(pid, signal.SIGKILL)
    assert f"`kill -9 {pid}`" in told.value.remedy
    whole.until_back("redis", pid)
    wait_for_agents(layout, whole.settings, agents_here())


def test_a_killed_flower_comes_back_behind_its_password(whole: Stack) -> None:
    whole.until_back("flower", whole.kill("flower"))
    until(lambda: flower_answers(whole), limit_s=60, what="Flower answers")


def test_up_adds_the_agents_to_a_stack_without_them() -> None:
    with running_stack() as stack:
        assert stack.pid("flower") is None
        assert up(stack.state_dir) == stack.description
        assert answering(stack) == set(agents_here())
    assert stack.left_over() == []

"""When a job may change anything: its own `--window`, else the one configured for its kind."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from shared.domain.kinds import Kind
from shared.domain.migration import RunOptions
from shared.domain.window import ALWAYS, opens_at


def with_window(options: RunOptions, kind: Kind, configured: Mapping[str, str]) -> RunOptions:
    """The options with the window that holds. Raises Refused for one that cannot be read."""
    window = options.window or configured.get(kind.value)
    if window is None or window == ALWAYS:
        return options.model_copy(update={"window": None})
    opens_at(None, window, datetime.now(UTC))
    return options.model_copy(update={"window": window})

"""The planted twin of `bench auction`: the product's door, but each bid holds the auction's lock for 20 ms. It must fail."""

from __future__ import annotations

import time
from typing import Any

from huangpu.channels.cli.web import application
from huangpu.markets.auction import acts, store

SLOW_S = 0.02

_write = store.write


def slow_write(*given: Any) -> None:
    """Writes as the product does, after a sleep under the lock."""
    time.sleep(SLOW_S)
    _write(*given)


setattr(acts, "write", slow_write)  # noqa: B010  a name that the acts import, and no part of their face

__all__ = ["application"]

"""Keeping what was read where it was read: a code that is read and written again is the same code, unknown parts and all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


def in_place(kept: Iterable[T], now: Iterable[T], key: Callable[[T], str]) -> list[T]:
    """What is `now`, in the order in which it was `kept`: each takes the place of the one of its key, the n-th of the n-th.
    What is new comes last, what is gone leaves no gap."""
    waiting: dict[str, list[T]] = {}
    found = list(now)
    for one in found:
        waiting.setdefault(key(one), []).append(one)
    placed = [waiting[key(one)].pop(0) for one in kept if waiting.get(key(one))]
    left = [id(one) for rest in waiting.values() for one in rest]
    return placed + [one for one in found if id(one) in left]

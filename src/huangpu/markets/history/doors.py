"""What a room above offers to do with an imported procedure: history shows the button and knows nothing of the act."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from huangpu.parties.actor import Actor


@dataclass(frozen=True, slots=True)
class Offer:
    """A button of the procedure's page: its word, the address it posts to, and to whom it is shown."""

    key: str
    word: Any
    address: Callable[[str, UUID], str]  # the marketplace's slug, the procedure's id
    shown: Callable[[Actor], bool]
    icon: str = "plus"


_offers: dict[str, Offer] = {}


def offer(item: Offer) -> None:
    """Adds a button, or replaces the one with the same key. From an AppConfig.ready."""
    _offers[item.key] = item


def offers(actor: Actor) -> list[Offer]:
    """The buttons that this reader is shown."""
    return [item for item in _offers.values() if item.shown(actor)]

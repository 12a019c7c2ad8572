"""What a transfer or a movement was for, as a link. Ledger and stock know only an id; a room above that knows more says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Origin:
    """The thing behind a reference: its short name and the address of its page."""

    label: str
    href: str


Resolver = Callable[[list[UUID]], Mapping[UUID, Origin]]
_resolvers: list[Resolver] = []


def register(resolver: Resolver) -> Resolver:
    """Adds a room's resolver: reference ids in, those it knows out, in one query. Once each, from AppConfig.ready."""
    if resolver not in _resolvers:
        _resolvers.append(resolver)
    return resolver


def addresses(references: Iterable[UUID]) -> dict[UUID, Origin]:
    """What is known of these references."""
    wanted = sorted(set(references))
    found: dict[UUID, Origin] = {}
    for resolver in _resolvers if wanted else []:
        found.update(resolver(wanted))
    return found

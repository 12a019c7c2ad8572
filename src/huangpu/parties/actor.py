"""Who is acting: one person, for one organisation at a time, on one marketplace, with the roles that follow."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """Passed to every act. Built at the doors by `parties.queries.actor_for`; `SYSTEM` is the house by itself.

    `roles` are those in the organisation (owner, buyer, approver, finance, warehouse, clerk, auditor),
    `market_roles` those in the marketplace (operator, arbiter), `city_roles` those in the city (regulator, statistician).
    """

    person_id: UUID | None
    organisation_id: UUID | None
    marketplace_id: UUID | None = None
    roles: frozenset[str] = frozenset()
    market_roles: frozenset[str] = frozenset()
    city_roles: frozenset[str] = frozenset()
    is_system: bool = False

    def has(self, *roles: str) -> bool:
        """Whether the actor has any of the organisation roles; the owner of an organisation has them all."""
        return self.is_system or "owner" in self.roles or not self.roles.isdisjoint(roles)


SYSTEM = Actor(person_id=None, organisation_id=None, is_system=True)
ANONYMOUS = Actor(person_id=None, organisation_id=None)

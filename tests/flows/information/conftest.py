"""A marketplace with two organisations and their people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from huangpu.core.ids import uuid7
from huangpu.core.names import named
from huangpu.core.partition import ensure_partitions
from huangpu.parties.actor import Actor
from huangpu.parties.models import ApiToken, Marketplace, Membership, Organisation, Person
from huangpu.parties.queries import secret_hash

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@dataclass
class Market:
    marketplace: Marketplace
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def actor(self, name: str, *roles: str) -> Actor:
        return Actor(
            person_id=self.people[name].pk,
            organisation_id=self.organisations[name].pk,
            marketplace_id=self.marketplace.pk,
            roles=frozenset(roles or ("owner",)),
        )

    def client(self, name: str) -> Client:
        """A client with a token of the organisation's owner."""
        secret = f"hp_{uuid7()}"
        ApiToken.objects.create(
            organisation=self.organisations[name],
            marketplace=self.marketplace,
            created_by=self.people[name],
            name="test",
            roles=["owner"],
            secret_hash=secret_hash(secret),
        )
        return Client(headers={"Authorization": f"Bearer {secret}"})


def make_market(slug: str = "harbour") -> Market:
    ensure_partitions(datetime.now(UTC))
    operator = Organisation.objects.create(name=named("港口", "Harbour"))
    made = Market(
        Marketplace.objects.create(
            slug=slug, name=named("港口市场", "Harbour market"), operator=operator, language="en"
        )
    )
    for name, language in (("buyer", "en"), ("seller", "zh-hans")):
        person = Person.objects.create(
            username=f"{slug}-{name}", email=f"{name}@example.com", language=language, password="!"
        )
        organisation = Organisation.objects.create(name=named(f"{name}公司", f"{name} Ltd"))
        Membership.objects.create(organisation=organisation, person=person, roles=["owner"])
        made.people[name], made.organisations[name] = person, organisation
    return made


@pytest.fixture
def market(db: None) -> Market:  # noqa: ARG001
    return make_market()


@pytest.fixture
def live_market(transactional_db: None) -> Market:  # noqa: ARG001
    """The same where transactions really commit."""
    return make_market()


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def private_webhooks(settings: Any) -> None:
    """Lets webhooks reach a server of the test."""
    from dataclasses import replace

    settings.HUANGPU = replace(settings.HUANGPU, webhook_allow_private=True)


Call = Callable[..., Any]

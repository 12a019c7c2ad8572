"""A marketplace with an organisation whose owner holds every role and a token: what a schema test may do most with."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from huangpu.core.ids import uuid7
from huangpu.core.names import named
from huangpu.core.partition import ensure_partitions
from huangpu.parties.models import ApiToken, Marketplace, MarketplaceRole, Membership, Organisation, Person
from huangpu.parties.queries import secret_hash
from huangpu.parties.rights import MARKETPLACE_ROLES, ORGANISATION_ROLES


@pytest.fixture
def token(db: None, settings: Any, tmp_path: Path) -> str:  # noqa: ARG001
    settings.MEDIA_ROOT = tmp_path
    ensure_partitions(datetime.now(UTC))
    organisation = Organisation.objects.create(name=named("港口", "Harbour"))
    market = Marketplace.objects.create(slug="harbour", name=named("港口市场", "Harbour market"), operator=organisation)
    person = Person.objects.create(username="owner", email="owner@example.com", password="!")
    Membership.objects.create(organisation=organisation, person=person, roles=["owner"])
    for role in MARKETPLACE_ROLES:
        MarketplaceRole.objects.create(marketplace=market, person=person, role=role)
    secret = f"hp_{uuid7()}"
    ApiToken.objects.create(
        organisation=organisation,
        marketplace=market,
        created_by=person,
        name="test",
        roles=[*ORGANISATION_ROLES, *MARKETPLACE_ROLES],
        secret_hash=secret_hash(secret),
    )
    return secret

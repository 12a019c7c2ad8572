"""A city whose history can be filled."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from huangpu.core.names import named
from huangpu.parties.models import Marketplace, Organisation

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.fixture
def city(db: None) -> Marketplace:  # noqa: ARG001
    house = Organisation.objects.create(name=named("上海", "Shanghai"))
    return Marketplace.objects.create(slug="city", name=named("城市", "City"), operator=house, is_city=True)

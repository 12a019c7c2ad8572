"""Every page of the site for every kind of reader: none fails, and a neighbour's private things stay private.

The addresses come from the URL resolver, so a new page is tried as soon as it has one. No browser is needed.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from tests.markets.tender.conftest import World, make_world

from huangpu.core import clock
from huangpu.core.names import named
from huangpu.flows.process.models import Task
from huangpu.markets.tender import acts
from huangpu.markets.tender.models import Lot, Tender
from huangpu.parties.models import MarketplaceRole, Membership, Organisation, Person
from huangpu.parties.rights import ORGANISATION_ROLES

pytestmark = pytest.mark.django_db


def reader(organisation: Organisation | None = None, *roles: str, city: tuple[str, ...] = ()) -> Client:
    """A browser signed in as a new person with these roles."""
    person = Person.objects.create_user(f"p-{uuid4().hex[:12]}", "", None, name="甲")
    if city:
        Person.objects.filter(pk=person.pk).update(city_roles=list(city))
    if organisation:
        Membership.objects.create(organisation=organisation, person=person, roles=list(roles))
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    client.person = person  # type: ignore[attr-defined]
    return client


@pytest.fixture
def world() -> World:
    made = make_world()
    made.marketplace.sectors = ["manufacturing"]
    made.marketplace.save()
    made.at = clock.now() - timedelta(hours=1)
    return made


@pytest.fixture
def readers(world: World) -> dict[str, Client]:
    """One of each kind."""
    buyer = Organisation.objects.get(pk=world.buyer.organisation_id)
    supplier = Organisation.objects.get(pk=world.suppliers[0].organisation_id)
    found = {"visitor": Client(), "nobody's member": reader()}
    found |= {f"buyer's {role}": reader(buyer, role) for role in ORGANISATION_ROLES}
    found["supplier"] = reader(supplier, "clerk", "finance")
    found["stranger"] = reader(Organisation.objects.create(name=named("外人有限公司", "Stranger")), "owner")
    for role in ("operator", "arbiter"):
        found[role] = reader()
        person = found[role].person  # type: ignore[attr-defined]
        MarketplaceRole.objects.create(marketplace=world.marketplace, person=person, role=role)
    found["regulator"] = reader(city=("regulator",))
    return found


def statuses(readers: dict[str, Client], address: str) -> dict[str, int]:
    return {who: client.get(address).status_code for who, client in readers.items()}


def test_a_draft_is_its_organisations_alone(world: World, readers: dict[str, Client]) -> None:
    source = world.published(bids_until=clock.now() + timedelta(days=2), questions_until=None)
    draft = acts.draft_from(
        actor=world.buyer, source_id=source.id, marketplace_id=world.marketplace.id, now=clock.now()
    )  # fmt: skip
    found = statuses(readers, f"/m/{world.marketplace.slug}/tenders/{draft.number}/")
    for who, status in found.items():
        assert status == (200 if who.startswith("buyer's") else 404), (who, status)


def test_a_sealed_bid_is_read_by_nobody(world: World, readers: dict[str, Client]) -> None:
    tender = world.published(bids_until=clock.now() + timedelta(days=2), questions_until=None)
    world.bid(tender, 0, "38257.13", at=clock.now())
    assert Tender.objects.filter(pk=tender.pk, opened_at=None).exists()
    lot = Lot.objects.filter(tender=tender).first()
    assert lot is not None
    base = f"/m/{world.marketplace.slug}/tenders/"
    for who, client in readers.items():
        for address in (f"{base}{tender.number}/", f"{base}{tender.number}/evaluation/", base):
            text = client.get(address).content.decode()
            assert "38257.13" not in text, (who, address)
            assert "38,257.13" not in text, (who, address)


def test_wallets_webhooks_and_tasks_are_the_organisations_own(world: World, readers: dict[str, Client]) -> None:
    market = world.marketplace
    wallet = statuses(readers, f"/m/{market.slug}/wallet/")
    assert wallet["visitor"] == 401
    may = {f"buyer's {role}" for role in ("owner", "finance", "buyer", "auditor", "approver", "clerk")} | {
        "supplier",
        "stranger",
    }
    assert {who for who, status in wallet.items() if status == 200} == may
    task = Task.objects.create(
        marketplace_id=market.pk, organisation_id=world.buyer.organisation_id, act="tender.award", subject_id=UUID(int=1),
        amount=5, currency="CNY", role="approver", persons=1,
    )  # fmt: skip
    for who in ("visitor", "stranger", "supplier", "operator", "regulator"):
        readers[who].post(f"/desk/tasks/{task.pk}/", {"approves": "yes"})
        task.refresh_from_db()
        assert task.state == "open", who
    assert "¥0.05" in readers["buyer's approver"].get("/desk/").content.decode()
    assert "¥0.05" not in readers["stranger"].get("/desk/").content.decode()

"""The open data of a tender: from the public part of the log, valid, and readable by our own importer."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from huangpu.core.names import named
from huangpu.markets.history.standards.ocds.read import read
from huangpu.markets.history.standards.ocds.schema import failures
from huangpu.markets.history.standards.ocds.values import Procedure
from huangpu.markets.tender import acts
from huangpu.markets.tender.models import Award, Tender
from huangpu.markets.tender.standards.ocds.packages import Kind, package
from huangpu.markets.tender.standards.ocds.write import dumps
from huangpu.parties.models import Identifier

from .conftest import DEADLINE, START, World, lot_terms

URI = "https://huangpu.example/ocds.json"


def exported(world: World, *tenders: Tender, kind: Kind = "record") -> dict[str, Any]:
    """The package as anybody gets it, checked against the schema."""
    made = package(world.marketplace, list(tenders), kind=kind, uri=URI, site="https://huangpu.example/")
    found: dict[str, Any] = json.loads(dumps(made))
    assert list(failures(found, f"{kind}_package")) == []
    return found


def read_back(content: dict[str, Any]) -> Procedure:
    imported = read(json.dumps(content).encode())
    assert {note.reason for note in imported.report.notes} <= {"section.superseded", "language.mapped"}
    (procedure,) = imported.procedures
    return procedure


def tags(content: dict[str, Any]) -> list[str]:
    return [tag for release in content["releases"] for tag in release["tag"]]


def test_a_tender_from_publication_to_award(world: World) -> None:
    Identifier.objects.create(organisation_id=world.buyer.organisation_id, scheme="CN-USCC", value="91310000132203321D")
    tender = world.awarded("100.5", "99.25", "120")
    content = exported(world, tender, kind="release")
    assert tags(content) == ["tender", "tenderUpdate", "award"]
    procedure = read_back(exported(world, tender))
    assert procedure.buyer == "CN-USCC-91310000132203321D"
    assert procedure.tender.title == {"zh-hans": "齿轮箱采购", "en": "Gearboxes"}
    assert procedure.tender.number_of_tenderers == 3
    assert [(item.quantity, item.unit) for item in procedure.tender.items] == [
        (Decimal(12), "C62"),
        (Decimal("2.5"), "TNE"),
    ]
    assert len(procedure.bids) == 3
    award = Award.objects.get(tender=tender)
    (told,) = procedure.awards
    assert told.value is not None
    assert (told.id, told.status, told.value.minor) == (str(award.id), "active", award.amount_minor)
    assert told.suppliers == (str(award.supplier_id),)
    assert told.bid == str(award.bid_id)


def test_nothing_of_a_draft_or_of_sealed_bids_is_told(world: World) -> None:
    draft = world.plan()
    assert package(world.marketplace, [draft], kind="release", uri=URI, site="")["releases"] == []
    tender = world.published()
    world.bid(tender, 0, "100.5")
    content = exported(world, tender)
    assert tags(content["records"][0]) == ["tender"]
    assert "bids" not in content["records"][0]["compiledRelease"]
    assert "供应商1" not in json.dumps(content, ensure_ascii=False)


def test_a_closed_opening_stays_closed(world: World) -> None:
    tender = world.opened("100", "90", procedure="rfq")
    assert tags(exported(world, tender, kind="release")) == ["tender"]


def test_with_an_auction_to_come_the_opening_names_nobody(world: World) -> None:
    rules = {"step_minor": 1000, "duration_s": 600}
    tender = world.opened("100", "90", procedure="open_auction", auction=rules)
    content = exported(world, tender)
    assert "供应商1" not in json.dumps(content, ensure_ascii=False)
    procedure = read_back(content)
    assert procedure.tender.submission_methods == ("electronicSubmission", "electronicAuction")
    assert [bid.tenderers for bid in procedure.bids] == [(), ()]


def test_an_amendment_a_cancellation_and_no_bids(world: World) -> None:
    tender = world.published()
    acts.amend(actor=world.buyer, tender_id=tender.id, now=START, description=named("改", "Changed"))
    acts.cancel(actor=world.buyer, tender_id=tender.id, reason="no more need", now=START + timedelta(hours=1))
    content = exported(world, tender)
    assert tags(content["records"][0]) == ["tender", "tenderUpdate", "tenderCancellation"]
    procedure = read_back(content)
    assert (procedure.tender.status, procedure.tender.lots[0].status) == ("cancelled", "cancelled")
    assert procedure.tender.description == {"zh-hans": "改", "en": "Changed"}
    assert read_back(exported(world, world.opened())).tender.status == "unsuccessful"


def test_a_default_cancels_the_award_and_the_next_follows(world: World) -> None:
    tender = world.awarded("100", "90", "95", lots=[lot_terms(("轴承", "3", "C62"))])
    first = Award.objects.get(tender=tender)
    acts.pass_on(actor=world.approver, award_id=first.id, reason="did not sign", now=DEADLINE + timedelta(days=1))
    content = exported(world, tender)
    assert tags(content["records"][0])[-2:] == ["awardCancellation", "award"]
    statuses = {award.id: award.status for award in read_back(content).awards}
    assert statuses[str(first.id)] == "cancelled"
    assert sorted(statuses.values()) == ["active", "cancelled"]


def test_several_tenders_make_one_package(world: World) -> None:
    content = exported(world, world.published(), world.published())
    assert len(content["records"]) == 2
    assert len(read(json.dumps(content).encode()).procedures) == 2


@pytest.mark.parametrize("kind", ["record", "release"])
def test_anybody_gets_it_by_the_link_on_the_tenders_page(world: World, kind: Kind) -> None:
    tender = world.awarded("100", "90")
    page = Client().get(f"/m/{world.marketplace.slug}/tenders/{tender.number}/").content.decode()
    link = re.findall(r'href="(/api/v1/[^"]*ocds\.json[^"]*)"', page)[kind == "release"]
    answer = Client().get(link)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].startswith("application/json")
    content = json.loads(answer.content)
    assert list(failures(content, f"{kind}_package")) == []
    assert content["uri"].endswith(f"/tenders/{tender.number}/ocds.json?kind={kind}")
    draft = f"/api/v1/m/{world.marketplace.slug}/tenders/{world.plan().number}/ocds.json"
    assert Client().get(draft).status_code == 404

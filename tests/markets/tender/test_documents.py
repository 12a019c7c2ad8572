"""Documents of a tender: the buyer's own in the draft, everybody's from the publication on; open data names them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from huangpu.core.errors import Conflict, Invalid, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event, Payload
from huangpu.flows.information import acts as information
from huangpu.flows.information import queries as library
from huangpu.flows.information.models import Document, Notice
from huangpu.markets.tender import acts
from huangpu.markets.tender.models import Attachment, Tender
from huangpu.parties.actor import ANONYMOUS, Actor

from .conftest import DEADLINE, World, refused
from .test_api import DRAFT, Caller, at  # noqa: F401  # the fixture
from .test_ocds_export import exported
from .test_pages import browser

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
KIND = "technicalSpecifications"


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def stored(world: World, actor: Actor, filename: str = "spec.pdf") -> UUID:
    assert actor.organisation_id
    return information.store_document(
        actor=actor, marketplace_id=world.marketplace.id, content=PDF, filename=filename, audience=[actor.organisation_id],
        now=world.at,
    ).pk  # fmt: skip


def attached(world: World, tender: Tender, actor: Actor | None = None, **more: Any) -> Attachment:
    by = actor or world.buyer
    document = more.pop("document", None) or stored(world, by)
    return acts.attach(
        actor=by,
        tender_id=tender.id,
        document_id=document,
        kind=more.pop("kind", KIND),
        now=more.pop("now", world.at),
        **more,
    )


def readers(world: World, document_id: UUID) -> list[str]:
    who = {"buyer": world.buyer, "supplier": world.suppliers[0], "neighbour": world.neighbour, "nobody": ANONYMOUS}
    found = []
    for name, actor in who.items():
        try:
            library.document_of(actor=actor, document_id=document_id)
        except NotFound:
            continue
        found.append(name)
    return found


def test_a_drafts_document_becomes_everybodys_with_the_publication(world: World) -> None:
    tender = world.plan()
    made = attached(world, tender, title="Specification")
    assert made.document_id
    assert readers(world, made.document_id) == ["buyer"]
    acts.publish(actor=world.buyer, tender_id=tender.id, now=world.at)
    assert readers(world, made.document_id) == ["buyer", "supplier", "neighbour", "nobody"]
    published = Payload.objects.get(pk=Event.objects.get(kind="tender.published").pk).body["documents"]
    assert [(one["title"], one["kind"], one["sha256"]) for one in published] == [
        ("Specification", KIND, Document.objects.get().sha256)
    ]


def test_a_document_of_a_draft_can_be_taken_out_again_and_one_that_is_published_cannot(world: World) -> None:
    tender = world.plan()
    made = attached(world, tender)
    with refused(NotFound) as wrong:
        acts.detach(actor=world.buyer, tender_id=tender.id, attachment_id=uuid7(), now=world.at)
    assert wrong.value.code == "tender.no_attachment"
    acts.detach(actor=world.buyer, tender_id=tender.id, attachment_id=made.id, now=world.at)
    kept = attached(world, tender)
    acts.publish(actor=world.buyer, tender_id=tender.id, now=world.at)
    assert made.document_id
    assert readers(world, made.document_id) == ["buyer"]
    with refused(Conflict) as late:
        acts.detach(actor=world.buyer, tender_id=tender.id, attachment_id=kept.id, now=world.at)
    assert late.value.code == "tender.wrong_stage"


def test_a_document_added_to_an_open_tender_is_an_amendment_and_bidders_are_told(world: World) -> None:
    tender = world.published()
    world.bid(tender, 0, "100")
    made = attached(world, tender, title="Drawing")
    assert made.document_id
    assert "nobody" in readers(world, made.document_id)
    amended = Event.objects.get(kind="tender.amended")
    assert amended.audience == []
    assert Payload.objects.get(pk=amended.pk).body["note"] == "Drawing"
    assert set(Notice.objects.filter(kind="tender.amended").values_list("person_id", flat=True)) == {
        world.suppliers[0].person_id
    }
    with refused(Conflict) as late:
        attached(world, tender, now=DEADLINE)
    assert late.value.code == "tender.bids_closed"


def test_only_the_buyer_adds_documents_and_only_its_own(world: World) -> None:
    tender = world.published()
    for actor in (world.auditor, world.suppliers[0], world.operator):
        with refused(Refused):
            attached(world, tender, actor, document=uuid7())
    with refused(NotFound) as theirs:
        attached(world, tender, document=stored(world, world.suppliers[0]))
    assert theirs.value.code == "information.no_document"
    with refused(Invalid) as kind:
        attached(world, tender, kind="virus")
    assert kind.value.code == "tender.document_kind"
    with refused(NotFound):  # a draft that is another's
        attached(world, world.plan(), world.neighbour)


def test_the_open_data_names_the_documents(world: World) -> None:
    tender = world.plan()
    made = attached(world, tender, title="Specification")
    acts.publish(actor=world.buyer, tender_id=tender.id, now=world.at)
    later = attached(world, tender, title="Drawing", kind="illustration", now=world.at + timedelta(hours=5))
    tender.refresh_from_db()
    documents = exported(world, tender)["records"][0]["compiledRelease"]["tender"]["documents"]
    assert documents == [
        {
            "id": str(made.id), "documentType": KIND, "title": "Specification", "format": "application/pdf",
            "url": f"https://huangpu.example/documents/{made.document_id}/", "datePublished": "2026-11-23T02:00:00.000000Z",
        },
        {
            "id": str(later.id), "documentType": "illustration", "title": "Drawing", "format": "application/pdf",
            "url": f"https://huangpu.example/documents/{later.document_id}/", "datePublished": "2026-11-23T07:00:00.000000Z",
        },
    ]  # fmt: skip


def test_by_api(world: World, at: Any) -> None:  # noqa: ARG001, F811
    buyer, supplier = Caller(world, world.buyer), Caller(world, world.suppliers[0])
    draft = buyer.send("/tenders", DRAFT, status=201)
    address, document = f"/tenders/{draft['id']}", str(stored(world, world.buyer))
    shown = buyer.send(f"{address}/documents", {"document": document, "kind": KIND}, status=201)
    assert [(one["document"], one["title"], one["size"]) for one in shown["documents"]] == [
        (document, "spec.pdf", len(PDF))
    ]
    assert (
        supplier.send(f"{address}/documents", {"document": document, "kind": KIND}, status=404)["code"]
        == "tender.not_found"
    )
    gone = buyer.send(f"{address}/documents/{shown['documents'][0]['id']}", method="delete")
    assert gone["documents"] == []
    buyer.send(f"{address}/documents", {"document": document, "kind": KIND}, status=201)
    buyer.send(f"{address}/publish")
    assert [one["document"] for one in supplier.get(address).json()["documents"]] == [document]


def upload(client: Client, address: str, content: bytes, name: str, **data: str) -> Any:
    fields = {"kind": KIND, "title": "", "idempotency_key": uuid7().hex, **data}
    return client.post(address, {**fields, "document": SimpleUploadedFile(name, content)})


def test_by_page(world: World, at: Any) -> None:  # noqa: ARG001, F811
    buyer, tender = browser(world.buyer), world.plan()
    page = f"/m/{world.marketplace.slug}/tenders/{tender.number}/"
    answer = upload(buyer, f"{page}do/attach/", PDF, "技术规格.pdf")
    assert answer.status_code == 302, answer.content
    shown = buyer.get(page).content.decode()
    assert "技术规格.pdf" in shown
    assert Document.objects.get().sha256 in shown
    for content, name, words in (
        (b"", "a.pdf", "The file is empty"),
        (b"MZ\x90\x00\xff\xff", "a.pdf", "not of a kind"),
    ):
        refusal = upload(buyer, f"{page}do/attach/", content, name)
        assert refusal.status_code == 422
        assert words in refusal.content.decode()
    nothing = buyer.post(f"{page}do/attach/", {"kind": KIND, "idempotency_key": uuid7().hex})
    assert "Choose a file." in nothing.content.decode()
    wrong = upload(buyer, f"{page}do/attach/", PDF, "b.pdf", kind="virus")
    assert wrong.status_code == 422
    assert Document.objects.count() == 1  # what was refused was not kept
    attachment = Attachment.objects.get()
    buyer.post(f"{page}do/detach/", {"document": str(attachment.id), "idempotency_key": uuid7().hex})
    assert not Attachment.objects.exists()
    upload(buyer, f"{page}do/attach/", PDF, "again.pdf", title="Second try")
    buyer.post(f"{page}do/publish/", {"idempotency_key": uuid7().hex})
    stranger = Client().get(page).content.decode()
    assert "Second try" in stranger
    assert "do/attach/" not in stranger
    assert Client().get(f"/documents/{Attachment.objects.get().document_id}/").content == PDF

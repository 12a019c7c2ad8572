"""Documents of a trade: with an act, behind what happened, for its parties and for nobody else; by act, by API and by page."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huangpu.core.errors import HuangpuError, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event, Payload
from huangpu.core.names import named
from huangpu.flows.commerce.models import Commitment, Invoice
from huangpu.flows.funds import acts as funds
from huangpu.flows.information import acts as information
from huangpu.flows.information import queries as library
from huangpu.flows.information.models import Document
from huangpu.flows.process import acts, documents, queries
from huangpu.flows.process.acts import Part
from huangpu.flows.process.documents import Given
from huangpu.flows.process.rules import Trade
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import ApiToken, Marketplace, Membership, Organisation, Person
from huangpu.parties.queries import actor_for, secret_hash

from .test_trades import NOW, lines

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
NAMES = ("buyer", "seller", "neighbour")


@dataclass
class Street:
    """A buyer and a seller with a trade, and a neighbour whom it does not concern."""

    market: Marketplace
    organisations: dict[str, Organisation]
    people: dict[str, Person]
    trade: Trade

    def actor(self, name: str) -> Actor:
        return actor_for(
            person_id=self.people[name].pk, organisation_id=self.organisations[name].pk, marketplace_id=self.market.pk
        )

    def browser(self, name: str) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(self.people[name])
        return client

    def machine(self, name: str) -> Client:
        secret = f"hp_{uuid7()}"
        ApiToken.objects.create(
            organisation=self.organisations[name], marketplace=self.market, created_by=self.people[name], name="test",
            roles=["owner"], secret_hash=secret_hash(secret),
        )  # fmt: skip
        return Client(headers={"Authorization": f"Bearer {secret}"})

    def stored(self, name: str = "seller", content: bytes = PDF, filename: str = "note.pdf") -> Document:
        """A document that only its owner may read as yet."""
        return information.store_document(
            actor=self.actor(name), marketplace_id=self.market.pk, content=content, filename=filename,
            audience=[self.organisations[name].pk], now=NOW,
        )  # fmt: skip

    def perform(self, name: str, action: str, *given: Given, **details: Any) -> Trade:
        due = Commitment.objects.filter(agreement_id=self.trade.id, action=action, state="due")
        return acts.perform(
            actor=self.actor(name), agreement_id=self.trade.id, parts=[Part(one.ordinal) for one in due], now=NOW,
            details=details, documents=given,
        )  # fmt: skip

    def papers(self, name: str) -> documents.Papers:
        actor = self.actor(name)
        agreement = queries.agreement(actor, self.market.pk, self.trade.number)
        return documents.papers_of(actor, queries.story_for(actor, agreement))

    @property
    def page(self) -> str:
        return f"/m/{self.market.slug}/trades/{self.trade.number}/"

    @property
    def api(self) -> str:
        return f"/api/v1{self.page}".rstrip("/")


def build(slug: str = "street", count: int = 1) -> Street:
    operator = Organisation.objects.create(name=named("市场运营商", "Operator"))
    market = Marketplace.objects.create(slug=slug, name=named("街市", "Street"), operator=operator)
    organisations, people = {}, {}
    for name in NAMES:
        organisation = organisations[name] = Organisation.objects.create(name=named(f"{name}公司", f"{name} Ltd"))
        person = people[name] = Person.objects.create_user(
            f"{slug}-{name}", f"{name}@example.com", None, name=f"P. {name}"
        )
        Membership.objects.create(organisation=organisation, person=person, roles=["owner"])
    funds.top_up(
        actor=SYSTEM, marketplace_id=market.pk, organisation_id=organisations["buyer"].pk, amount=10_000_000, currency="CNY",
        now=NOW,
    )  # fmt: skip
    trade = acts.conclude(
        actor=SYSTEM, marketplace_id=market.pk, template="manufacturing.purchase",
        parameters={
            "lines": lines(None, count, stocked=False), "fee": 500, "pay_within": 3, "deliver_within": 10,
            "inspect_within": 2,
        },
        parties={"buyer": organisations["buyer"].pk, "seller": organisations["seller"].pk},
        title=named("钢板", "Steel plate"), currency="CNY", now=NOW,
    )  # fmt: skip
    made = Street(market, organisations, people, trade)
    made.perform("buyer", "hold")
    return made


@pytest.fixture(autouse=True)
def files(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def street(db: None) -> Street:  # noqa: ARG001
    return build()


def body_of(kind: str) -> dict[str, Any]:
    event = Event.objects.filter(kind=kind).latest("id")
    return dict(Payload.objects.get(pk=event.pk).body)


def refused(code: str, call: Any) -> HuangpuError:
    with pytest.raises(HuangpuError) as wrong:
        call()
    assert wrong.value.code == code
    return wrong.value


# -- acts


def test_a_delivery_brings_its_note_and_the_buyer_reads_it(street: Street) -> None:
    note = street.stored()
    assert refused(
        "information.no_document", lambda: library.document_of(actor=street.actor("buyer"), document_id=note.pk)
    )
    street.perform("seller", "deliver", Given(note.pk, "delivery_note"))
    assert body_of("goods.delivered")["documents"] == [
        {
            "id": str(note.pk), "kind": "delivery_note", "filename": "note.pdf", "media_type": "application/pdf",
            "size": len(PDF), "sha256": hashlib.sha256(PDF).hexdigest(),
        }
    ]  # fmt: skip
    assert library.document_of(actor=street.actor("buyer"), document_id=note.pk) == note
    for reader in ("buyer", "seller"):
        papers = street.papers(reader)
        assert [paper.document for paper in papers.listed] == [note]
        event = Event.objects.get(kind="goods.delivered")
        assert papers.of_event(event.pk) == papers.listed
    assert street.papers("seller").listed[0].person == "P. seller"
    assert street.papers("buyer").listed[0].person == ""  # who it was is the seller's own business


def test_a_neighbours_document_is_not_found_and_nothing_is_changed(street: Street) -> None:
    theirs = street.stored("neighbour")
    missing = Given(uuid7())
    for given_ in (Given(theirs.pk), missing):
        wrong = refused("information.no_document", lambda given_=given_: street.perform("seller", "deliver", given_))
        assert (wrong.field, wrong.value) == ("documents", str(given_.document_id))
    theirs.refresh_from_db()
    assert theirs.audience == [street.organisations["neighbour"].pk]
    assert not Event.objects.filter(kind="goods.delivered").exists()
    with pytest.raises(NotFound):
        documents.attach(
            actor=street.actor("neighbour"), agreement_id=street.trade.id, documents=[Given(theirs.pk)], now=NOW
        )


def test_an_act_that_is_refused_shares_nothing(street: Street) -> None:
    note = street.stored()
    due = Commitment.objects.get(agreement_id=street.trade.id, action="deliver")
    with pytest.raises(HuangpuError):
        acts.perform(
            actor=street.actor("seller"), agreement_id=street.trade.id, documents=[Given(note.pk)], now=NOW,
            parts=[Part(due.ordinal, due.quantity * 2)],
        )  # fmt: skip
    note.refresh_from_db()
    assert note.audience == [street.organisations["seller"].pk]


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_and_the_document_stays_ones_own() -> None:
    """Alone, outside of any transaction: the invoice's number is taken, which only the database knows."""
    street = build("alone")
    note = street.stored()
    street.perform("seller", "deliver")
    street.perform("buyer", "accept")
    Invoice.objects.create(
        marketplace_id=street.market.pk, agreement_id=street.trade.id, seller_id=street.organisations["seller"].pk,
        number="RE-1", currency="CNY", amount=1, issued_at=NOW,
    )  # fmt: skip
    wrong = refused(
        "invoice.number_taken",
        lambda: street.perform("seller", "invoice", Given(note.pk, "invoice"), number="RE-1"),
    )
    assert wrong.field == "number"
    note.refresh_from_db()
    assert note.audience == [street.organisations["seller"].pk]


def test_without_documents_an_act_costs_no_statement_more(street: Street) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        street_perform = Commitment.objects.filter(agreement_id=street.trade.id, action="deliver").values_list(
            "ordinal", flat=True
        )
        parts = [Part(ordinal) for ordinal in street_perform]
        before = len(asked)
        acts.perform(actor=street.actor("seller"), agreement_id=street.trade.id, parts=parts, now=NOW)
    assert not [one for one in asked.captured_queries[before:] if "information_document" in one["sql"]]
    assert "documents" not in body_of("goods.delivered")


def test_what_is_no_kind_and_what_is_too_many_is_refused(street: Street) -> None:
    note = street.stored()
    assert "delivery_note" in str(
        refused("trade.document_kind", lambda: street.perform("seller", "deliver", Given(note.pk, "x")))
    )
    many = [Given(uuid7()) for _ in range(documents.GIVEN_MAX + 1)]
    assert refused("trade.documents_too_many", lambda: street.perform("seller", "deliver", *many)).value == 11


def test_a_document_is_added_to_what_happened_and_to_what_is_to_happen(street: Street) -> None:
    deliver = Commitment.objects.get(agreement_id=street.trade.id, action="deliver")
    plan, late_note = street.stored(filename="plan.pdf"), street.stored(filename="late.pdf")

    def attach(document: Document, **to: Any) -> None:
        documents.attach(
            actor=street.actor("seller"), agreement_id=street.trade.id, documents=[Given(document.pk)], now=NOW, **to
        )

    attach(plan, ordinal=deliver.ordinal)
    assert [paper.document for paper in street.papers("buyer").of_commitment(deliver.ordinal)] == [plan]
    street.perform("seller", "deliver")
    delivered = Event.objects.get(kind="goods.delivered").pk
    assert [paper.document for paper in street.papers("buyer").of_event(delivered)] == [plan]  # it lay with the promise
    attach(late_note, event_id=delivered)
    assert {paper.document for paper in street.papers("buyer").of_event(delivered)} == {plan, late_note}
    for to in ({"event_id": uuid7()}, {"ordinal": 99}, {"ordinal": 0}, {"ordinal": 1, "event_id": delivered}):
        refused("trade.document_place", lambda to=to: attach(plan, **to))
    refused(
        "trade.documents_missing",
        lambda: documents.attach(actor=street.actor("seller"), agreement_id=street.trade.id, documents=[], now=NOW),
    )


def test_the_event_of_another_trade_is_no_place(street: Street) -> None:
    other = build("elsewhere")
    elsewhere = Event.objects.get(kind="agreement.concluded", subject_id=other.trade.id)
    note = street.stored()
    refused(
        "trade.document_place",
        lambda: documents.attach(
            actor=street.actor("seller"),
            agreement_id=street.trade.id,
            documents=[Given(note.pk)],
            now=NOW,
            event_id=elsewhere.pk,
        ),
    )


@pytest.mark.parametrize("role", ["auditor", "approver"])
def test_only_who_may_adds_documents(street: Street, role: str) -> None:
    note = street.stored()
    watcher = replace(street.actor("seller"), roles=frozenset({role}))
    with pytest.raises(Refused):
        documents.attach(actor=watcher, agreement_id=street.trade.id, documents=[Given(note.pk)], now=NOW)
    overseer = Actor(uuid7(), None, street.market.pk, market_roles=frozenset({"operator"}))
    with pytest.raises(Refused):
        documents.attach(actor=overseer, agreement_id=street.trade.id, documents=[Given(note.pk)], now=NOW)


def test_a_rejection_brings_the_inspectors_report(street: Street) -> None:
    street.perform("seller", "deliver")
    report = street.stored("buyer", filename="report.pdf")
    acts.resolve(
        actor=street.actor("buyer"), agreement_id=street.trade.id, option="reject/1", now=NOW, reason="Rust",
        documents=[Given(report.pk, "test_report")],
    )  # fmt: skip
    assert [said["filename"] for said in body_of("process.resolved")["documents"]] == ["report.pdf"]
    assert [paper.kind for paper in street.papers("seller").listed] == ["test_report"]


# -- the API


def call(client: Client, path: str, data: Any) -> Any:
    return client.post(path, data, "application/json", headers={"Idempotency-Key": str(uuid7())})


def test_by_api_a_delivery_brings_its_note(street: Street) -> None:
    seller, buyer, neighbour = (street.machine(name) for name in ("seller", "buyer", "neighbour"))
    stored = seller.post(
        f"/api/v1/m/{street.market.slug}/documents",
        {"file": SimpleUploadedFile("note.pdf", PDF), "audience": [str(street.organisations["seller"].pk)]},
        headers={"Idempotency-Key": "up"},
    ).json()
    assert buyer.get(f"/api/v1/documents/{stored['id']}").status_code == 404
    deliver = Commitment.objects.get(agreement_id=street.trade.id, action="deliver")
    done = call(
        seller, f"{street.api}/perform",
        {"parts": [{"ordinal": deliver.ordinal}], "documents": [{"id": stored["id"], "kind": "delivery_note"}]},
    )  # fmt: skip
    assert done.status_code == 200, done.content
    listed = buyer.get(f"{street.api}/documents").json()["items"]
    event = str(Event.objects.get(kind="goods.delivered").pk)
    assert [(one["id"], one["kind"], one["event"], one["to"]) for one in listed] == [
        (stored["id"], "delivery_note", event, f"event-{event}")
    ]
    assert listed[0]["sha256"] == hashlib.sha256(PDF).hexdigest()
    assert buyer.get(f"/api/v1/documents/{stored['id']}/content").content == PDF
    for path in (f"{street.api}/documents", f"/api/v1/documents/{stored['id']}/content"):
        assert neighbour.get(path).status_code == 404
    report = street.stored("buyer", filename="report.pdf")
    added = call(
        buyer, f"{street.api}/documents", {"documents": [{"id": str(report.pk), "kind": "test_report"}], "event": event}
    )
    assert [one["filename"] for one in added.json()["items"]] == ["note.pdf", "report.pdf"]
    assert added.json()["items"][1]["to"] == f"event-{event}"
    assert call(neighbour, f"{street.api}/documents", {"documents": [{"id": str(report.pk)}]}).status_code == 404
    stolen = call(seller, f"{street.api}/documents", {"documents": [{"id": str(street.stored("neighbour").pk)}]})
    assert (stolen.status_code, stolen.json()["code"]) == (404, "information.no_document")


# -- the pages


def send(client: Client, path: str, *sent: tuple[str, bytes], **data: Any) -> Any:
    content = [SimpleUploadedFile(name, content) for name, content in sent]
    return client.post(path, {**data, "documents": content, "idempotency_key": str(uuid7())})


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_by_page_a_note_comes_with_the_delivery_and_lies_behind_its_mark(street: Street) -> None:
    seller, buyer = street.browser("seller"), street.browser("buyer")
    deliver = Commitment.objects.get(agreement_id=street.trade.id, action="deliver")
    answer = send(
        seller, f"{street.page}perform/", ("送货单.pdf", PDF), action="deliver", kind="delivery_note",
        **{f"quantity-{deliver.ordinal}": "4"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.content
    event = Event.objects.get(kind="goods.delivered").pk
    shown = text_of(buyer.get(street.page))
    listed = shown.split(f'id="event-{event}"')[1].split("</li></ol>")[0]
    assert "送货单.pdf" in listed
    assert "Delivery note" in listed
    mark = next(part for part in shown.split("<a class=") if f'href="#event-{event}"' in part)
    assert ", 1 document" in mark.split('aria-label="')[1].split('"')[0]
    assert "hp-paper-sheet" in mark
    assert hashlib.sha256(PDF).hexdigest() in shown  # the whole as title
    assert hashlib.sha256(PDF).hexdigest()[:12] + "</code>" in shown
    document = Document.objects.get()
    assert buyer.get(f"/documents/{document.pk}/").content == PDF
    assert street.browser("neighbour").get(f"/documents/{document.pk}/").status_code == 404
    assert Client().get(f"/documents/{document.pk}/").status_code == 404
    chinese = text_of(buyer.get(street.page, headers={"Accept-Language": "zh-hans"}))
    assert "1 份文件" in chinese
    assert "送货单" in chinese
    # the money released with an acceptance is not what the inspector's report is about
    send(
        buyer,
        f"{street.page}perform/",
        ("r.pdf", PDF),
        action="accept",
        kind="test_report",
        **{f"quantity-{deliver.ordinal + 1}": "4"},
    )


def test_by_page_documents_are_added_to_a_trade(street: Street) -> None:
    buyer = street.browser("buyer")
    concluded = Event.objects.get(kind="agreement.concluded").pk
    answer = send(
        buyer,
        f"{street.page}documents/",
        ("contract.pdf", PDF),
        ("plan.csv", b"a,b\n"),
        kind="contract",
        to=f"event-{concluded}",
    )
    assert answer["Location"] == f"{street.page}#documents"
    papers = street.papers("seller")
    assert [paper.document.filename for paper in papers.of_event(concluded)] == ["contract.pdf", "plan.csv"]
    again = {"documents": SimpleUploadedFile("b.pdf", PDF), "kind": "other", "to": "", "idempotency_key": "one"}
    buyer.post(f"{street.page}documents/", again)
    again["documents"] = SimpleUploadedFile("b.pdf", PDF)
    buyer.post(f"{street.page}documents/", again)  # a second click
    assert len(street.papers("seller").listed) == 3
    assert street.browser("neighbour").post(f"{street.page}documents/", {"to": ""}).status_code == 404


KIND_EN, KIND_ZH = "is not of a kind", "不属于可接受的"
EXE = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"
HOSTILE = [
    (("empty.pdf", b""), {}, "information.empty", "The file is empty", "文件为空"),
    (("price.pdf", EXE), {}, "information.media_type", KIND_EN, KIND_ZH),
    (("price.csv", PDF), {}, "information.extension", "its name should end with .pdf", ".pdf"),
    (("page.txt", b"<!DOCTYPE html><script>alert(1)</script>"), {}, "information.media_type", KIND_EN, KIND_ZH),
    (("noextension", PDF), {}, "information.filename", "is no file name", "不是文件名"),
    (("a.pdf", PDF), {"kind": "<b>"}, "trade.document_kind", "is no kind of document", "不是文件种类"),
    (("a.pdf", PDF), {"to": "event-nobody"}, "trade.document_place", "is neither an event", "既不是"),
    (("a.pdf", PDF), {"to": "commitment-99"}, "trade.document_place", "is neither an event", "既不是"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "fields", "code", "english", "chinese"), HOSTILE)
def test_what_is_wrong_with_a_file_is_said_in_the_readers_language(
    street: Street, file: tuple[str, bytes], fields: dict[str, str], code: str, english: str, chinese: str
) -> None:
    del code
    for language, words in (("en", english), ("zh-hans", chinese)):
        client = street.browser("seller")
        client.cookies["django_language"] = language
        answer = send(client, f"{street.page}documents/", file, **{"kind": "other", "to": "", **fields})
        assert answer.status_code == 422
        alert = answer.content.decode().split('role="alert"')[1].split("</div>")[0]
        assert words in alert
        assert "<b>" not in alert
    assert not Document.objects.exists()
    assert not Event.objects.filter(kind__in=("information.attached", "document.stored")).exists()


@pytest.mark.parametrize("size", [1_001, 5_000_000])
def test_a_file_that_is_too_large_is_refused_with_a_page(street: Street, settings: Any, size: int) -> None:
    settings.HUANGPU = replace(settings.HUANGPU, document_bytes_max=1_000)
    for language, words in (("en", "A file may have at most"), ("zh-hans", "每个文件最多")):
        client = street.browser("seller")
        client.cookies["django_language"] = language
        answer = send(client, f"{street.page}documents/", ("large.pdf", PDF.ljust(size)), kind="other", to="")
        assert answer.status_code == 413
        assert words in answer.content.decode()
    assert not Document.objects.exists()


def test_a_refused_act_leaves_no_document_behind(street: Street) -> None:
    seller = street.browser("seller")
    deliver = Commitment.objects.get(agreement_id=street.trade.id, action="deliver")
    answer = send(
        seller, f"{street.page}perform/", ("note.pdf", PDF), action="deliver", kind="delivery_note",
        **{f"quantity-{deliver.ordinal}": "4000"},
    )  # fmt: skip
    assert answer.status_code >= 400
    assert not Document.objects.exists()


NAMES_OF_EVIL = (
    "../../etc/passwd.pdf", "..\\..\\x.pdf", ".pdf", "a\r\nSet-Cookie: x.pdf", "<img src=x>.pdf", "\u202efdp.exe.pdf",
    "a" * 400 + ".pdf", "con.pdf", "'; DROP TABLE x; --.pdf", 'a"; name="to', "\0.pdf",
)  # fmt: skip


def raw(name: str, content: bytes) -> bytes:
    """A form as anybody may send it, whatever stands in the name."""
    fields = {"kind": "other", "to": "", "idempotency_key": str(uuid7())}
    parts = [
        f'--X\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n' for field, value in fields.items()
    ]
    head = f'--X\r\nContent-Disposition: form-data; name="documents"; filename="{name}"\r\n\r\n'
    return "".join(parts).encode() + head.encode("utf-8", "surrogatepass") + content + b"\r\n--X--\r\n"


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
@given(
    name=st.one_of(st.text(max_size=60), st.sampled_from(NAMES_OF_EVIL)),
    content=st.one_of(st.binary(max_size=200), st.just(PDF)),
)
def test_whatever_is_sent_is_stored_safely_or_refused(street: Street, name: str, content: bytes) -> None:
    client, before = street.browser("seller"), set(Document.objects.values_list("pk", flat=True))
    answer = client.post(f"{street.page}documents/", raw(name, content), "multipart/form-data; boundary=X")
    assert answer.status_code in (302, 400, 422), (name, content)
    new = Document.objects.exclude(pk__in=before)
    assert len(new) == (answer.status_code == 302)
    for document in new:
        shown = client.get(street.page)
        assert shown.status_code == 200
        assert "<img src=x>" not in shown.content.decode()
        given_back = client.get(f"/documents/{document.pk}/")
        assert given_back.content == content
        assert given_back.headers["X-Content-Type-Options"] == "nosniff"
        assert given_back.headers["Content-Disposition"].startswith("attachment")
        assert not set(document.filename) & set("/\\\0\r\n")


def test_a_story_without_documents_reads_nothing_more(street: Street) -> None:
    actor = street.actor("buyer")
    story = queries.story_for(actor, queries.agreement(actor, street.market.pk, street.trade.number))
    with CaptureQueriesContext(connection) as asked:
        assert documents.papers_of(actor, story).listed == []
    assert len(asked) == 0

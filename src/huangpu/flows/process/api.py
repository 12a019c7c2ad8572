"""The endpoints of trades: read one, perform, resolve; the desk; approvals."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from ninja import Field, Router, Schema, Status

from huangpu.core import clock
from huangpu.core.quantity import parse_decimal, plain
from huangpu.core.web.paging import Page, page_of
from huangpu.flows.commerce.models import Agreement
from huangpu.parties.request import PartyRequest

from . import acts, amendments, approvals, queries, rules
from .amending import Change
from .documents import GIVEN_MAX, KINDS, Given, attach, papers_of
from .epcis_api import router as epcis_router
from .models import Amendment
from .rules import Promise, Trade

router = Router(tags=["trades"])
router.add_router("", epcis_router)


class CommitmentOut(Schema):
    """One promise of a trade. Amounts are minor units of the trade's currency, quantities decimal texts."""

    ordinal: int
    key: str
    flow: str = Field(description="commerce, goods, funds, information or process")
    action: str
    provider: UUID
    receiver: UUID
    name: dict[str, str]
    after: list[int] = Field(description="the ordinals it waits for")
    quantity: str | None
    unit: str
    amount: int | None
    done_quantity: str
    done_amount: int
    possible_now: str | int | None = Field(description="how much can be performed now: a quantity or an amount")
    state: str = Field(description="waiting, due, done or ended")
    due_at: datetime | None


class OptionOut(Schema):
    """A right to leave the path that the caller has."""

    key: str
    usable: bool
    reason: str = Field("", description="why it cannot be used now")


class TradeOut(Schema):
    """A trade: an agreement with its commitments."""

    id: UUID
    number: str
    title: dict[str, str]
    state: str
    currency: str
    amount: int
    concluded_at: datetime
    origin: UUID | None
    parties: dict[str, UUID]
    commitments: list[CommitmentOut]
    options: list[OptionOut]


class TradeLine(Schema):
    """A trade in a list."""

    number: str
    title: dict[str, str]
    state: str
    currency: str
    amount: int
    concluded_at: datetime


class PartIn(Schema):
    """What is performed of one commitment; left out, as much as is possible now."""

    ordinal: int
    quantity: str | None = Field(None, examples=["12.5"])
    amount: int | None = None


class LotIn(Schema):
    """What of a delivered commitment is of which lot, or which pieces they are. `from_place`: where it is taken from, if that
    is not where the terms say."""

    commitment: int
    lot: str = Field("", max_length=64)
    quantity: str | None = Field(None, max_length=40, examples=["12.5"], description="of the lot; not with serials")
    serials: list[str] = Field(default_factory=list, max_length=1000)
    from_place: UUID | None = None

    def data(self) -> dict[str, Any]:
        told = {"commitment": self.commitment, "lot": self.lot, "serials": list(self.serials)}
        return (
            told
            | ({"quantity": self.quantity} if self.quantity else {})
            | ({"from_place": str(self.from_place)} if self.from_place else {})
        )


class GivenIn(Schema):
    """A document of one's own organisation, stored before, that comes with an act. The parties of the trade can read it
    from then on."""

    id: UUID
    kind: str = Field("other", description=", ".join(KINDS), max_length=40)


class PerformIn(Schema):
    """One verb on one or many commitments of it."""

    parts: list[PartIn] = Field(max_length=1000)
    lots: list[LotIn] = Field(
        default_factory=list,
        max_length=1000,
        description="of a delivery: the lots and serials, where they are not the promised ones",
    )
    details: dict[str, str] = Field(
        default_factory=dict, description="carrier and tracking of a delivery, number of an invoice, remark"
    )
    documents: list[GivenIn] = Field(default_factory=list, max_length=GIVEN_MAX)


class ResolveIn(Schema):
    """The use of an option."""

    option: str
    quantity: str | None = None
    amount: int | None = Field(None, description="what an arbiter gives, in minor units")
    reason: str = Field("", max_length=1000)
    documents: list[GivenIn] = Field(default_factory=list, max_length=GIVEN_MAX)


class AttachIn(Schema):
    """Documents for a trade: for one of its events, for one of its commitments, or for the trade as a whole."""

    documents: list[GivenIn] = Field(min_length=1, max_length=GIVEN_MAX)
    event: UUID | None = None
    commitment: int | None = Field(None, description="its ordinal")


class PaperOut(Schema):
    """A document of a trade. `GET /documents/{id}/content` gives its bytes. `to`: the event or the commitment (by its
    ordinal) that it belongs to."""

    id: UUID
    kind: str
    filename: str
    media_type: str
    size: int
    sha256: str
    organisation: UUID | None
    at: datetime
    event: UUID = Field(description="the event that brought it")
    to: str = Field(description="“event-<id>” or “commitment-<ordinal>”")


class PapersOut(Schema):
    """In the order in which they came."""

    items: list[PaperOut]


class ChangeIn(Schema):
    """What is agreed anew for the rest of a delivery, or, without an ordinal, for a line more."""

    ordinal: int | None = Field(None, description="of the delivery; left out: a new line, with name and unit")
    quantity: str | None = Field(None, description="of the rest; 0: none of it; left out: as it is", examples=["30"])
    amount: int | None = Field(None, description="value of that rest in minor units; left out: by the old price")
    due_at: datetime | None = Field(None, description="left out: as it is")
    name: dict[Literal["zh-hans", "en"], str] = Field(default_factory=dict)
    unit: str = Field("", max_length=3, description="UN/CEFACT Rec 20")


class AmendIn(Schema):
    """A proposal, signed by who makes it."""

    changes: list[ChangeIn] = Field(min_length=1, max_length=500)
    note: str = Field("", max_length=1000)


class DeclineIn(Schema):
    """Why it is not wanted."""

    reason: str = Field("", max_length=1000)


class SignatureOut(Schema):
    """A party's signature."""

    organisation: UUID = Field(alias="organisation_id")
    signed_at: datetime


class AmendmentOut(Schema):
    """An amendment: changes that every party signs. It applies when the last has."""

    number: int
    state: str = Field(description="open, signed, declined or withdrawn")
    changes: list[dict[str, Any]]
    note: str
    reason: str
    terms_hash: str = Field(alias="hash_text", description="SHA-256 of what is signed, hexadecimal")
    proposed_by: UUID = Field(alias="proposed_by_id")
    proposed_at: datetime
    closed_at: datetime | None
    signatures: list[SignatureOut]

    @staticmethod
    def resolve_signatures(amendment: Amendment) -> Any:
        return list(amendment.signatures.order_by("id"))


class DeskEntry(Schema):
    """Something that the organisation owes or is owed."""

    trade: str
    marketplace: str
    ordinal: int
    action: str
    owed_by_us: bool
    due_at: datetime | None
    name: dict[str, str]


class RuleIn(Schema):
    """From this amount on an act needs so many approvals. 0 persons removes the rule."""

    act: str = Field(examples=["tender.award"], max_length=40)
    currency: str = Field("CNY", max_length=3)
    amount_from: int = Field(ge=0, le=2**53 - 1)
    persons: int
    role: str = "approver"


class DecisionIn(Schema):
    """One person's word."""

    approves: bool
    reason: str = Field("", max_length=500)


class TaskOut(Schema):
    """An approval that was asked for."""

    id: UUID
    act: str
    subject_id: UUID
    amount: int
    currency: str
    persons: int
    state: str


def _commitment(trade: Trade, item: Promise) -> dict[str, Any]:
    quantity, amount = rules.performable(trade, item) if item.state == "due" else (None, None)
    return {
        "ordinal": item.ordinal, "key": item.key, "flow": item.flow, "action": item.action, "provider": item.provider_id,
        "receiver": item.receiver_id, "name": dict(item.name), "after": list(item.after),
        "quantity": None if item.quantity is None else plain(item.quantity), "unit": item.unit, "amount": item.amount,
        "done_quantity": plain(item.done_quantity), "done_amount": item.done_amount,
        "possible_now": amount if quantity is None else plain(quantity), "state": item.state, "due_at": item.due_at,
    }  # fmt: skip


def trade_out(request: PartyRequest, agreement: Agreement) -> dict[str, Any]:
    """A trade as the API shows it to who asks."""
    trade = queries.trade_of(agreement)
    views = queries.options_for(request.actor, trade, clock.now())
    return {
        "id": agreement.id, "number": agreement.number, "title": agreement.title, "state": trade.state,
        "currency": agreement.currency, "amount": agreement.amount, "concluded_at": agreement.concluded_at,
        "origin": agreement.origin_id, "parties": dict(trade.roles),
        "commitments": [_commitment(trade, item) for item in trade.promises],
        "options": [
            {"key": view.key, "usable": view.refusal is None, "reason": str(view.refusal or "")} for view in views
        ],
    }  # fmt: skip


def _given(documents: list[GivenIn]) -> list[Given]:
    return [Given(one.id, one.kind) for one in documents]


def _papers(request: PartyRequest, agreement: Agreement) -> dict[str, Any]:
    papers = papers_of(request.actor, queries.story_for(request.actor, agreement))
    return {
        "items": [
            {
                "id": paper.document.pk, "kind": paper.kind, "filename": paper.document.filename,
                "media_type": paper.document.media_type, "size": paper.document.size, "sha256": paper.document.sha256,
                "organisation": paper.by, "at": paper.at, "event": paper.event_id, "to": paper.to,
            }
            for paper in papers.listed
        ]
    }  # fmt: skip


@router.get("/m/{marketplace}/trades", response=Page[TradeLine], summary="Trades that the caller may see")
def list_trades(
    request: PartyRequest, marketplace: str, state: str | None = None, cursor: str | None = None, limit: int = 50
) -> Any:
    return page_of(queries.trades(request.actor, request.marketplace.id, state), cursor, limit)


@router.get("/m/{marketplace}/trades/{number}", response=TradeOut, summary="One trade with its commitments")
def get_trade(request: PartyRequest, marketplace: str, number: str) -> Any:
    return trade_out(request, queries.agreement(request.actor, request.marketplace.id, number))


@router.post(
    "/m/{marketplace}/trades/{number}/perform", response=TradeOut, summary="Keep promises: pay, deliver, accept …"
)
def perform_trade(request: PartyRequest, marketplace: str, number: str, data: PerformIn) -> Any:
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    parts = [acts.Part(part.ordinal, _quantity(part.quantity), part.amount) for part in data.parts]
    details: dict[str, Any] = {**data.details}
    details.pop("lots", None)
    if data.lots:
        details["lots"] = [lot.data() for lot in data.lots]
    acts.perform(
        actor=request.actor, agreement_id=agreement.id, parts=parts, details=details, now=clock.now(),
        documents=_given(data.documents),
    )  # fmt: skip
    return trade_out(request, agreement)


@router.post("/m/{marketplace}/trades/{number}/resolve", response=TradeOut, summary="Use an option of the terms")
def resolve_trade(request: PartyRequest, marketplace: str, number: str, data: ResolveIn) -> Any:
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    acts.resolve(
        actor=request.actor, agreement_id=agreement.id, option=data.option, quantity=_quantity(data.quantity),
        amount=data.amount, reason=data.reason, now=clock.now(), documents=_given(data.documents),
    )  # fmt: skip
    return trade_out(request, agreement)


@router.get("/m/{marketplace}/trades/{number}/amendments", response=list[AmendmentOut], summary="Amendments of a trade")
def list_amendments(request: PartyRequest, marketplace: str, number: str) -> Any:
    """Newest first."""
    return queries.amendments(queries.agreement(request.actor, request.marketplace.id, number).id)


@router.post(
    "/m/{marketplace}/trades/{number}/amendments", response={201: AmendmentOut}, summary="Propose and sign an amendment"
)
def propose_amendment(request: PartyRequest, marketplace: str, number: str, data: AmendIn) -> Any:
    """Changes of what is still to be delivered. It applies when every party has signed."""
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    changes = [
        Change(one.ordinal, _exact(one.quantity, place), one.amount, one.due_at,
               {str(code): text for code, text in one.name.items()}, one.unit)
        for place, one in enumerate(data.changes)
    ]  # fmt: skip
    made = amendments.propose_amendment(
        actor=request.actor, agreement_id=agreement.id, changes=changes, note=data.note, now=clock.now()
    )
    return Status(201, made)


@router.post(
    "/m/{marketplace}/trades/{number}/amendments/{amendment}/sign", response=AmendmentOut, summary="Sign an amendment"
)
def sign_amendment(request: PartyRequest, marketplace: str, number: str, amendment: int) -> Any:
    """The last signature applies it: commitments are cut and added, money is held or goes back, in the same act."""
    found = queries.amendment(queries.agreement(request.actor, request.marketplace.id, number).id, amendment)
    return amendments.sign_amendment(actor=request.actor, amendment_id=found.id, now=clock.now())


@router.post(
    "/m/{marketplace}/trades/{number}/amendments/{amendment}/decline",
    response=AmendmentOut,
    summary="Decline an amendment, or take it back",
)
def decline_amendment(request: PartyRequest, marketplace: str, number: str, amendment: int, data: DeclineIn) -> Any:
    found = queries.amendment(queries.agreement(request.actor, request.marketplace.id, number).id, amendment)
    return amendments.decline_amendment(actor=request.actor, amendment_id=found.id, reason=data.reason, now=clock.now())


@router.get("/m/{marketplace}/trades/{number}/documents", response=PapersOut, summary="The documents of a trade")
def list_trade_documents(request: PartyRequest, marketplace: str, number: str) -> Any:
    """Those that the caller may read, each with what it belongs to."""
    return _papers(request, queries.agreement(request.actor, request.marketplace.id, number))


@router.post("/m/{marketplace}/trades/{number}/documents", response=PapersOut, summary="Add documents to a trade")
def attach_to_trade(request: PartyRequest, marketplace: str, number: str, data: AttachIn) -> Any:
    """Store them before (`POST /m/{marketplace}/documents`, with one's own organisation as audience)."""
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    attach(
        actor=request.actor, agreement_id=agreement.id, documents=_given(data.documents), event_id=data.event,
        ordinal=data.commitment, now=clock.now(),
    )  # fmt: skip
    return _papers(request, agreement)


@router.get("/desk", response=list[DeskEntry], summary="What the organisation owes and is owed, soonest first")
def get_desk(request: PartyRequest) -> Any:
    organisation_id = request.actor.organisation_id
    if organisation_id is None:
        return []
    return [
        {
            "trade": item.agreement.number, "marketplace": item.agreement.marketplace.slug, "ordinal": item.ordinal,
            "action": item.action, "owed_by_us": item.provider_id == organisation_id, "due_at": item.due_at, "name": item.name,
        }
        for item in queries.desk(organisation_id)[:500]
    ]  # fmt: skip


@router.get("/desk/tasks", response=list[TaskOut], summary="Approvals that wait for a decision")
def list_tasks(request: PartyRequest) -> Any:
    organisation_id = request.actor.organisation_id
    return [] if organisation_id is None else list(queries.tasks(organisation_id))


@router.post("/desk/tasks/{task}", response=TaskOut, summary="Approve or refuse")
def decide_task(request: PartyRequest, task: UUID, data: DecisionIn) -> Any:
    return approvals.decide(
        actor=request.actor, task_id=task, approves=data.approves, reason=data.reason, now=clock.now()
    )


@router.post("/approval-rules", response=RuleIn, summary="Say from which amount an act needs approval")
def set_approval_rule(request: PartyRequest, data: RuleIn) -> Any:
    rule = approvals.set_rule(
        actor=request.actor, act_name=data.act, currency=data.currency, amount_from=data.amount_from, persons=data.persons,
        role=data.role, now=clock.now(),
    )  # fmt: skip
    return {
        "act": rule.act,
        "currency": rule.currency,
        "amount_from": rule.amount_from,
        "persons": rule.persons,
        "role": rule.role,
    }


def _exact(text: str | None, place: int) -> Decimal | None:
    """A quantity that may be 0: none of it."""
    return None if text is None else parse_decimal(text, field=f"changes.{place}.quantity", zero=True)


def _quantity(text: str | None) -> Decimal | None:
    return parse_decimal(text) if text is not None else None

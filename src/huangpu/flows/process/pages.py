"""The trade page, the desk, the list of trades, and the acts beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from huangpu.core import clock
from huangpu.core.db import one_act
from huangpu.core.errors import HuangpuError, Invalid
from huangpu.core.money import parse_money
from huangpu.core.names import in_language
from huangpu.core.quantity import parse_decimal, plain
from huangpu.core.web.paging import page_of
from huangpu.core.words import locale, spell
from huangpu.flows.commerce.models import Agreement, Commitment
from huangpu.flows.funds import queries as funds
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may

from . import acts, amendment_pages, approvals, queries, rules
from .documents import (
    GIVEN_MAX,
    KIND_OF,
    KINDS,
    PLACE_UNKNOWN,
    TOO_MANY,
    Events,
    Given,
    Papers,
    may_attach_to,
    papers_of,
    take_in,
)
from .documents import attach as attach_to_trade
from .marks import marks_of
from .performers import wallet
from .rules import Promise, Trade
from .words import ACTIONS, EVENTS, FLOWS, ROLES, TASK_STATES, TASKS, late_words, option_words


@dataclass(frozen=True, slots=True)
class Doing:
    """One verb that the reader can do now, with the commitments that it is for."""

    action: str
    words: Any
    promises: list[tuple[Promise, Decimal | None, str, int | None]]  # and how much is possible now: exact, plain, minor
    fields: tuple[tuple[str, Any, bool], ...]  # name, label, required
    available: int | None = None  # in the wallet, where the verb takes from it and the reader may see it
    kind: str = "other"  # of the documents that most likely come with it


FIELDS: Mapping[str, tuple[tuple[str, Any, bool], ...]] = {
    "deliver": (("carrier", gettext_lazy("Carrier"), False), ("tracking", gettext_lazy("Tracking number"), False)),
    "invoice": (("number", gettext_lazy("Invoice number"), True),),
    "accept": (("remark", gettext_lazy("Remark"), False),),
}


@require_GET
def trade_list(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The trades of a marketplace that the reader may see."""
    state = request.GET.get("state") or None
    market = request.marketplace
    found = page_of(queries.trades(request.actor, market.id, state), request.GET.get("cursor"), 30)
    return render(request, "process/list.html", {"page": found, "state": state or "", "marketplace": marketplace})


@require_GET
def trade_page(request: PartyRequest, marketplace: str, number: str) -> HttpResponse:
    """One trade: its five lanes, what the reader can do now, every commitment and every event."""
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    return render(request, "process/trade.html", _trade_context(request, agreement, clock.now()))


def _trade_context(request: PartyRequest, agreement: Agreement, now: datetime) -> dict[str, Any]:
    trade = queries.trade_of(agreement)
    order = list(ROLES)
    parties = sorted(
        agreement.parties.all(), key=lambda party: order.index(party.role) if party.role in order else len(order)
    )
    names = {party.organisation_id: party.organisation.name for party in parties}
    story = queries.story_for(request.actor, agreement)
    papers = papers_of(request.actor, story)
    marks = marks_of(trade, queries.fulfilments(agreement.id), story, names, now, locale(), papers)
    return {
        "agreement": agreement,
        "trade": trade,
        "parties": [(ROLES.get(party.role, party.role), party.organisation) for party in parties],
        "marks": marks,
        "doings": _doings(trade, request),
        "options": [
            (
                view,
                option_words(view.key),
                plain(view.line.done_quantity) if view.line else "",
                KIND_OF.get(view.key.split("/")[0], "other"),
            )
            for view in queries.options_for(request.actor, trade, now)
            if view.refusal is None
        ],
        "rows": [_row(trade, item, names, now, papers) for item in trade.promises],
        "events": [
            (event, EVENTS.get(event.kind, ("", event.kind))[1], body, papers.of_event(event.pk))
            for event, body in reversed(story)
        ],
        "papers": [
            (paper, names.get(paper.by, {}) if paper.by else {}, _place_words(paper.to, trade, story))
            for paper in papers.listed
        ],
        "may_attach": may_attach_to(request.actor, trade.roles.values()) and may(request.actor, "process.attach"),
        "document_kinds": list(KINDS.items()),
        "document_places": _places(trade, story),
        "invoices": list(agreement.invoices.all()),
        **amendment_pages.context_of(request, agreement, trade),
        "template_hash": bytes(agreement.terms_hash).hex(),
    }


def _doings(trade: Trade, request: PartyRequest) -> list[Doing]:
    mine = [
        item for item in trade.promises if item.state == "due" and item.provider_id == request.actor.organisation_id
    ]
    doings = []
    for action in dict.fromkeys(item.action for item in mine):
        if trade.state == "disputed" or not may(request.actor, f"process.{action}"):
            continue
        promises = [_possible(trade, item) for item in mine if item.action == action]
        spends = action in ("hold", "pay") and may(request.actor, "funds.see")
        left = funds.available(wallet(trade, mine[0].provider_id)) if spends else None
        kind = KIND_OF.get(action, "other")
        doings.append(Doing(action, ACTIONS[action][1], promises, FIELDS.get(action, ()), left, kind))
    return doings


def _possible(trade: Trade, item: Promise) -> tuple[Promise, Decimal | None, str, int | None]:
    quantity, amount = rules.performable(trade, item)
    return item, quantity, "" if quantity is None else plain(quantity), amount


def _places(trade: Trade, story: Events) -> list[tuple[str, str]]:
    """What a document can be added to: an event that has happened, newest first, or a promise that is still open."""
    happened = [
        (f"event-{event.pk}", f"{EVENTS[event.kind][1]}, {spell(event.occurred_at, 'short')}")
        for event, _body in story
        if event.subject_type == "agreement" and event.kind in EVENTS and event.kind != "information.attached"
    ]
    still_open = [
        (
            f"commitment-{item.ordinal}",
            f"{item.ordinal}. {ACTIONS[item.action][0]} {in_language(dict(item.name))}".strip(),
        )
        for item in trade.promises
        if not item.over
    ]
    return [("", _("the trade as a whole")), *reversed(happened), *still_open]


def _place_words(place: str, trade: Trade, story: Events) -> Any:
    """What a document belongs to, as it is called."""
    what, _dash, which = place.partition("-")
    if what == "commitment":
        item = trade.promise(int(which))
        return f"{item.ordinal}. {ACTIONS[item.action][0]}"
    kind = next((event.kind for event, _body in story if str(event.pk) == which), "")
    return EVENTS.get(kind, ("", kind))[1]


def _row(trade: Trade, item: Promise, names: Mapping[UUID, Any], now: datetime, papers: Papers) -> dict[str, Any]:
    late = item.state == "due" and item.due_at is not None and item.due_at <= now
    unused = item.state == "ended" and item.measure in rules.AS_IT_COMES
    return {
        "promise": item,
        "flow": FLOWS[item.flow],
        "words": ACTIONS[item.action][0],
        "state": "late" if late else "unused" if unused else {"ended": "cancelled"}.get(item.state, item.state),
        "agreed": item.agreed[0] if item.agreed and "agreed" in item.details else None,
        "provider": names.get(item.provider_id, {}),
        "receiver": names.get(item.receiver_id, {}),
        "waits_for": ", ".join(str(number) for number in item.after),
        "share": int(100 * item.progress),
        "note": late_words(item.details) if item.action == "penalty" else "",
        "papers": papers.of_commitment(item.ordinal),
    }


@login_required
@require_POST
def perform(request: PartyRequest, marketplace: str, number: str) -> HttpResponse:
    """Does one verb, with the quantities of the form; refusals are shown on the trade page."""
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    action = request.POST.get("action", "")
    try:
        parts = _parts(request, agreement, action)
        details = {name: request.POST[name] for name, _label, _must in FIELDS.get(action, ()) if request.POST.get(name)}
        with one_act():
            acts.perform(
                actor=request.actor, agreement_id=agreement.id, parts=parts, details=details, now=clock.now(),
                documents=_sent(request, agreement),
            )  # fmt: skip
    except HuangpuError as error:
        return refused(request, agreement, error)
    messages.success(request, ACTIONS[action][2])
    return redirect("process:trade", marketplace, number)


def _parts(request: PartyRequest, agreement: Agreement, action: str) -> list[acts.Part]:
    trade = queries.trade_of(agreement)
    parts = []
    for item in trade.promises:
        if item.action != action or item.state != "due":
            continue
        text = request.POST.get(f"quantity-{item.ordinal}", "").strip()
        if item.quantity is None:
            parts.append(acts.Part(item.ordinal))
        elif text and text.strip("0."):
            quantity = parse_decimal(text, field=f"quantity-{item.ordinal}")
            parts.append(acts.Part(item.ordinal, quantity))
    if not parts:
        raise Invalid(
            "parts.empty", _("Nothing was chosen; write a quantity above 0 in one line at least."), field="parts"
        )
    return parts


@login_required
@require_POST
def resolve(request: PartyRequest, marketplace: str, number: str) -> HttpResponse:
    """Uses an option of the terms."""
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    quantity, amount = request.POST.get("quantity", "").strip(), request.POST.get("amount", "").strip()
    try:
        with one_act():
            acts.resolve(
                actor=request.actor,
                agreement_id=agreement.id,
                option=request.POST.get("option", ""),
                quantity=parse_decimal(quantity) if quantity else None,
                amount=parse_money(amount, agreement.currency).minor if amount else None,
                reason=request.POST.get("reason", ""),
                now=clock.now(),
                documents=_sent(request, agreement),
            )
    except HuangpuError as error:
        return refused(request, agreement, error)
    messages.success(request, option_words(request.POST["option"]))
    return redirect("process:trade", marketplace, number)


@login_required
@require_POST
def attach(request: PartyRequest, marketplace: str, number: str) -> HttpResponse:
    """Adds documents to a trade, beside what has happened or is to happen."""
    agreement = queries.agreement(request.actor, request.marketplace.id, number)
    try:
        event_id, ordinal = _place(request.POST.get("to", ""))
        with one_act():
            attach_to_trade(
                actor=request.actor, agreement_id=agreement.id, documents=_sent(request, agreement), event_id=event_id,
                ordinal=ordinal, now=clock.now(),
            )  # fmt: skip
    except HuangpuError as error:
        return refused(request, agreement, error)
    messages.success(request, _("The document is added; all parties of the trade can read it."))
    return redirect(reverse("process:trade", args=[marketplace, number]) + "#documents")


def _place(text: str) -> tuple[UUID | None, int | None]:
    what, _dash, which = text.partition("-")
    try:
        if what == "event":
            return UUID(which), None
        if what == "commitment" and len(which) < 6:
            return None, int(which)
    except ValueError:
        pass
    if text:
        raise Invalid("trade.document_place", PLACE_UNKNOWN, field="to", value=text[:100])
    return None, None


def _sent(request: PartyRequest, agreement: Agreement) -> list[Given]:
    """The files that came with a form, stored for the parties of the trade. Called within the act they belong to."""
    files = request.FILES.getlist("documents")
    if len(files) > GIVEN_MAX:
        raise Invalid("trade.documents_too_many", TOO_MANY, field="documents", value=len(files), most=GIVEN_MAX)
    return take_in(
        actor=request.actor, marketplace_id=agreement.marketplace_id,
        party_ids={party.organisation_id for party in agreement.parties.all()},
        files=((file.name or "", file.read()) for file in files), kind=request.POST.get("kind", "other"), now=clock.now(),
    )  # fmt: skip


def refused(request: PartyRequest, agreement: Agreement, error: HuangpuError) -> HttpResponse:
    """The trade page once more, with what was refused."""
    context = _trade_context(request, agreement, clock.now())
    return render(request, "process/trade.html", {**context, "refusal": error}, status=error.status)


@login_required
@require_GET
def desk(request: PartyRequest) -> HttpResponse:
    """Everything that my organisation owes or is owed, soonest first, with the act beside it."""
    organisation_id, now = request.actor.organisation_id, clock.now()
    side = request.GET.get("side", "")
    entries: list[dict[str, Any]] = []
    tasks: list[tuple[Any, Any, bool]] = []
    if organisation_id:
        found = queries.desk(organisation_id, owed_by=side != "in", owed_to=side != "out")[:300]
        entries = [_entry(item, organisation_id, now) for item in found]
        decides = may(request.actor, "process.approve")
        tasks = [
            (task, TASKS.get(task.act, task.act), decides and task.asked_by_id != request.actor.person_id)
            for task in queries.tasks(organisation_id)
        ]
    late = sum(entry["late"] for entry in entries)
    return render(request, "process/desk.html", {"entries": entries, "tasks": tasks, "side": side, "late": late})


def _entry(item: Commitment, organisation_id: UUID, now: datetime) -> dict[str, Any]:
    market, agreement = item.agreement.marketplace, item.agreement
    mine = item.provider_id == organisation_id
    return {
        "item": item,
        "mine": mine,
        "late": item.due_at is not None and item.due_at <= now,
        "words": ACTIONS[item.action][1 if mine else 0],
        "other": item.receiver if mine else item.provider,
        "flow": FLOWS[item.flow],
        "href": reverse("process:trade", args=[market.slug, agreement.number])
        + ("#act-" + item.action if mine else ""),
    }


@login_required
@require_POST
def decide_task(request: PartyRequest, task: UUID) -> HttpResponse:
    """One person's yes or no to an approval."""
    try:
        decided = approvals.decide(
            actor=request.actor, task_id=task, approves=request.POST.get("approves") == "yes",
            reason=request.POST.get("reason", ""), now=clock.now(),
        )  # fmt: skip
    except HuangpuError as error:
        messages.error(request, str(error))
    else:
        messages.success(
            request, _("Your decision is recorded; the task is %(state)s.") % {"state": TASK_STATES[decided.state]}
        )
    return redirect("process:desk")


app_name = "process"
urlpatterns = [
    path("desk/", desk, name="desk"),
    path("desk/tasks/<uuid:task>/", decide_task, name="decide"),
    path("m/<slug:marketplace>/trades/", trade_list, name="list"),
    path("m/<slug:marketplace>/trades/<str:number>/", trade_page, name="trade"),
    path("m/<slug:marketplace>/trades/<str:number>/perform/", perform, name="perform"),
    path("m/<slug:marketplace>/trades/<str:number>/resolve/", resolve, name="resolve"),
    path("m/<slug:marketplace>/trades/<str:number>/amend/", amendment_pages.propose, name="amend"),
    path("m/<slug:marketplace>/trades/<str:number>/amend/<int:amendment>/", amendment_pages.decide, name="amendment"),
    path("m/<slug:marketplace>/trades/<str:number>/documents/", attach, name="attach"),
]

"""The pages of tenders: list, one tender, the draft's form, the bid's form, evaluation and award."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huangpu.core import clock
from huangpu.core.db import one_act
from huangpu.core.errors import HuangpuError, Invalid, NotFound
from huangpu.core.money import exponent, parse_money
from huangpu.core.quantity import UNITS, plain, unit_name
from huangpu.flows.funds import queries as funds
from huangpu.flows.funds.rules import account_id
from huangpu.flows.information.acts import store_document
from huangpu.flows.process.words import late_words
from huangpu.parties.profile import figure
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may as may_in_house

from . import acts, approval, forms, pictures, queries
from .acts.drafting import terms_of
from .models import Tender
from .procedures import PROCEDURES, STAGE_NAMES, procedure_of
from .rights import allowed, may
from .words import BOND_REASONS, DOCUMENT_KINDS

ROWS = 20
SORT_NAMES = {
    "newest": gettext_lazy("Newest first"),
    "deadline": gettext_lazy("Deadline soonest"),
    "budget": gettext_lazy("Largest budget"),
}
INDUSTRIES = {  # the document's manufacturing industries; another code is shown as it is
    "automobiles": gettext_lazy("Automobiles"),
    "electronics": gettext_lazy("Electronics and information"),
    "petrochemicals": gettext_lazy("Petrochemicals and fine chemicals"),
    "steel": gettext_lazy("Fine steel"),
    "equipment": gettext_lazy("Complete equipment"),
    "biomedicine": gettext_lazy("Biomedicine"),
}
REASONS = {  # why a lot is unsuccessful
    "no_bids": gettext_lazy("Nobody bid."),
    "no_valid_bid": gettext_lazy("No valid bid is left."),
    "single_bid": gettext_lazy("There was a single bid, which this tender does not allow."),
    "defaulted": gettext_lazy("The awarded suppliers defaulted and nobody is left."),
}


@require_GET
def tender_list(request: PartyRequest, marketplace: str) -> HttpResponse:
    """The tenders of a marketplace, searched, filtered and sorted."""
    asked = request.GET
    filters = queries.Filters(
        text=asked.get("q", "")[:200],
        stage=asked.get("stage", ""),
        industry=asked.get("industry", ""),
        procedure=asked.get("procedure", ""),
        budget_from=_minor(asked.get("from", ""), request),
        budget_to=_minor(asked.get("to", ""), request),
        mine=asked.get("mine", ""),
        sort=asked.get("sort", "newest"),
    )
    found = queries.listing(request.actor, request.marketplace.id, filters)
    page = Paginator(found, ROWS).get_page(asked.get("page"))
    tabs = [("", _("All")), ("buying", _("We buy")), ("bidding", _("We bid"))]
    context = {
        "page": page,
        "filters": filters,
        "asked": asked,
        "is_filtered": any(asked.get(name) for name in ("q", "stage", "industry", "procedure", "from", "to")),
        "stages": [("", _("Every stage")), *STAGE_NAMES.items()],
        "procedures": [("", _("Every procedure")), *((code, one.name) for code, one in PROCEDURES.items())],
        "industries": _industries(request),
        "sorts": list(SORT_NAMES.items()),
        "tabs": [{"label": word, "href": f"?mine={code}", "here": filters.mine == code} for code, word in tabs],
        "may_plan": allowed(request.actor, "plan"),
    }
    return render(request, "tender/list.html", context)


@require_GET
def tender_page(request: PartyRequest, marketplace: str, number: str) -> HttpResponse:
    """One tender, as its reader may see it."""
    return _show(request, _tender(request, number))


@require_http_methods(["GET", "POST"])
def draft_form(request: PartyRequest, marketplace: str, number: str = "") -> HttpResponseBase:
    """A new draft, or a draft of one's own to change. Buttons that add and remove rows show the form again."""
    tender = _tender(request, number) if number else None
    may(request.actor, "edit" if tender else "plan", tender)
    zone = ZoneInfo(request.marketplace.zone)
    if request.method == "GET":
        draft = forms.of_terms(terms_of(tender), zone) if tender else forms.empty(request.marketplace.currency)
        return _draft_page(request, draft, tender)
    draft = forms.typed(request.POST)
    if "rows" in request.POST:
        return _draft_page(request, draft, tender)
    terms = forms.terms_of(draft, zone)
    if terms is not None:
        try:
            if tender is None:
                tender = acts.plan(
                    actor=request.actor, marketplace_id=request.marketplace.id, terms=terms, now=clock.now()
                )
            else:
                version = request.POST.get("version", "")
                acts.edit(
                    actor=request.actor,
                    tender_id=tender.id,
                    terms=terms,
                    now=clock.now(),
                    version=int(version) if version.isdecimal() else None,
                )
            messages.success(request, _("The draft is saved."))
            return redirect(_address(request, tender))
        except HuangpuError as error:
            draft.show(error)
    return _draft_page(request, draft, tender, status=422)


def _draft_page(request: PartyRequest, draft: forms.Draft, tender: Tender | None, status: int = 200) -> HttpResponse:
    units = [(code, f"{code} · {unit_name(code)}") for code in UNITS]
    ceiling = figure(request.marketplace.profile, "bid_bond_ppm_max")
    context = {
        "draft": draft,
        "tender": tender,
        "procedures": [(code, one.name) for code, one in PROCEDURES.items()],
        "industries": [("", "–"), *_industries(request)[1:]],
        "units": units,
        "periods": [("week", _("week")), ("day", _("day"))],
        "ceiling": ceiling and (plain(Decimal(ceiling.value) / 10_000), ceiling.source),
        "crumbs": [(_("Tenders"), reverse("tender:list", args=[request.marketplace.slug]))],
    }
    return render(request, "tender/form.html", context, status=status)


@require_http_methods(["GET", "POST"])
def bid_form(request: PartyRequest, marketplace: str, number: str, lot: int) -> HttpResponseBase:
    """Prices for a lot, sealed when they are sent. What was typed is never stored before it is sealed."""
    tender = _tender(request, number)
    may(request.actor, "submit_bid", tender)
    view = queries.see(request.actor, tender, clock.now())
    found = next((one for one in view.lots if one.lot.number == lot), None)
    if found is None:
        raise NotFound("tender.lot_not_found", _("This tender has no such lot."), value=str(lot))
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        status = 422
        prices, errors = forms.prices_of(request.POST, found.lines)
        days = request.POST.get("deliver_within_days", "").strip()
        if days and not days.isdecimal():
            errors["deliver_within_days"] = _("Write a whole number of days.")
        if not errors:
            try:
                bid = acts.submit_bid(
                    actor=request.actor,
                    tender_id=tender.id,
                    lot_id=found.lot.id,
                    prices=prices,
                    deliver_within_days=int(days) if days else None,
                    note=request.POST.get("note", "").strip(),
                    now=clock.now(),
                )
                messages.success(
                    request,
                    _("Your bid is sealed and in. Its receipt: %(receipt)s")
                    % {"receipt": bytes(bid.receipt or b"").hex()},
                )
                return redirect(_address(request, tender) + "#my-bids")
            except HuangpuError as error:
                for one in error.each:
                    errors[one.field or "form"] = str(one)
    rows = [
        {
            "line": line,
            "field": f"price.{line.id}",
            "value": request.POST.get(f"price.{line.id}", ""),
            "error": errors.get(f"price.{line.id}"),
        }
        for line in found.lines
    ]
    named = {row["field"] for row in rows} | {"deliver_within_days", "note"}
    context = {
        "tender": tender,
        "view": found,
        "rows": rows,
        "errors": errors,
        "general": [text for name, text in errors.items() if name not in named],
        "typed": request.POST,
        "exponent": exponent(tender.currency),
        "late_words": late_words(tender.late_penalty) if tender.late_penalty else "",
        "available": _available(request, tender) if found.bond_minor else None,
        "crumbs": _crumbs(request, tender),
    }
    return render(request, "tender/bid.html", context, status=status)


def _available(request: PartyRequest, tender: Tender) -> int | None:
    """What the bidder's wallet has free, where the reader may see it; 0 when there is no wallet yet."""
    if request.actor.organisation_id is None or not may_in_house(request.actor, "funds.see"):
        return None
    wallet = account_id(tender.marketplace_id, "wallet", request.actor.organisation_id, tender.currency)
    return funds.available(wallet) or 0


@require_GET
def evaluation_page(request: PartyRequest, marketplace: str, number: str) -> HttpResponse:
    """For the buyer: points, ranking with its formula, disqualification, the award by a second person."""
    tender = _tender(request, number)
    may(request.actor, "read_evaluation", tender)
    view = queries.see(request.actor, tender, clock.now())
    context = {
        "view": view,
        "tender": tender,
        "formula": queries.formula_parts(tender),
        "lots": [_points_of(request, lot) for lot in view.lots],
        "evaluator": queries.person_name(tender.evaluated_by),
        "i_evaluated": tender.evaluated_by is not None and tender.evaluated_by == request.actor.person_id,
        "crumbs": _crumbs(request, tender),
        "reasons": REASONS,
    }
    return render(request, "tender/evaluation.html", context)


def _points_of(request: PartyRequest, lot: queries.LotView) -> dict[str, Any]:
    """A lot with, for each bid and criterion, my points and how many others have given theirs."""
    me = request.actor.person_id
    table = {}
    for bid in lot.bids:
        for code, scores in bid.points.items():
            own = next((score for score in scores if score.evaluator == me), None)
            table[f"{bid.id}.{code}"] = {"own": own, "count": len(scores), "scores": scores}
    return {"view": lot, "points": table, "approval": approval.of_award(lot.lot)}


@require_POST
def give_points(request: PartyRequest, marketplace: str, number: str) -> HttpResponseBase:
    """My points for every bid and criterion of the form."""
    tender = _tender(request, number)

    def give() -> None:
        for name in request.POST:
            text = request.POST.get(name, "")
            parts = name.split(".")
            if parts[0] != "points" or len(parts) != 3 or not text.strip():
                continue
            try:
                points = Decimal(text.strip())
            except InvalidOperation as wrong:
                raise Invalid("tender.points_number", _("“%(value)s” is not a number."), value=text) from wrong
            acts.score(actor=request.actor, bid_id=UUID(parts[1]), criterion=parts[2], points=points, now=clock.now())

    return _do(request, tender, give, _("Your points are kept."), "tender:evaluation")


@require_POST
def act(request: PartyRequest, marketplace: str, number: str, name: str) -> HttpResponseBase:
    """One of the acts that need no form of their own: what `ACTS` names, with what it says it needs."""
    tender = _tender(request, number)
    if name not in SIMPLE:
        raise NotFound("tender.not_found", _("There is no such act."), value=name)
    call, words, target = SIMPLE[name]
    return _do(request, tender, lambda: call(request, tender), str(words), target)


@require_POST
def copy(request: PartyRequest, marketplace: str, number: str) -> HttpResponseBase:
    """A new draft from this tender, opened in its form."""
    source = _tender(request, number)
    try:
        made = acts.draft_from(
            actor=request.actor, source_id=source.id, marketplace_id=request.marketplace.id, now=clock.now()
        )
    except HuangpuError as error:
        messages.error(request, str(error))
        return redirect(_address(request, source))
    messages.success(request, _("A new draft is made from %(number)s.") % {"number": source.number})
    return redirect(reverse("tender:edit", args=[request.marketplace.slug, made.number]))


def _text(request: PartyRequest, name: str = "text") -> str:
    return request.POST.get(name, "").strip()


def _id(request: PartyRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise NotFound("tender.not_found", _("There is no such thing."), value=request.POST.get(name, "")) from None


def _instant(request: PartyRequest, name: str) -> Any:
    reader = forms.typed(request.POST)
    found = forms.instant_of(reader, name, ZoneInfo(request.marketplace.zone))
    if found is None:
        raise Invalid("tender.instant_invalid", _("Write a day and a time."), field=name, value=_text(request, name))
    return found


def _attach(request: PartyRequest, tender: Tender) -> None:
    """Stores the file of a form and adds it to a tender: both or neither."""
    file = request.FILES.get("document")
    if file is None:
        raise Invalid("tender.document_missing", _("Choose a file."), field="document")
    with one_act():
        stored = store_document(
            actor=request.actor, marketplace_id=tender.marketplace_id, content=file.read(), filename=file.name or "",
            audience=[tender.buyer_id], now=clock.now(),
        )  # fmt: skip
        acts.attach(
            actor=request.actor, tender_id=tender.id, document_id=stored.pk, kind=_text(request, "kind"),
            title=_text(request, "title"), now=clock.now(),
        )  # fmt: skip


Call = Callable[[PartyRequest, Tender], Any]
SIMPLE: dict[str, tuple[Call, Any, str]] = {
    "publish": (
        lambda r, t: acts.publish(actor=r.actor, tender_id=t.id, now=clock.now()),
        gettext_lazy("The tender is published."),
        "tender:page",
    ),
    "cancel": (
        lambda r, t: acts.cancel(actor=r.actor, tender_id=t.id, reason=_text(r, "reason"), now=clock.now()),
        gettext_lazy("The tender is cancelled."),
        "tender:page",
    ),
    "extend": (
        lambda r, t: acts.amend(
            actor=r.actor, tender_id=t.id, now=clock.now(), bids_until=_instant(r, "bids_until"), note=_text(r, "note")
        ),
        gettext_lazy("The tender is amended."),
        "tender:page",
    ),
    "attach": (
        lambda r, t: _attach(r, t),
        gettext_lazy("The document is added."),
        "tender:page",
    ),
    "detach": (
        lambda r, t: acts.detach(actor=r.actor, tender_id=t.id, attachment_id=_id(r, "document"), now=clock.now()),
        gettext_lazy("The document is taken out of the draft."),
        "tender:page",
    ),
    "ask": (
        lambda r, t: acts.ask(actor=r.actor, tender_id=t.id, text=_text(r), now=clock.now()),
        gettext_lazy("Your question is asked; your name is not shown."),
        "tender:page",
    ),
    "answer": (
        lambda r, _t: acts.answer(actor=r.actor, question_id=_id(r, "question"), text=_text(r), now=clock.now()),
        gettext_lazy("The answer is published."),
        "tender:page",
    ),
    "withdraw": (
        lambda r, _t: acts.withdraw_bid(actor=r.actor, bid_id=_id(r, "bid"), now=clock.now()),
        gettext_lazy("Your bid is withdrawn; nobody can read it any more."),
        "tender:page",
    ),
    "open": (
        lambda r, t: acts.open_bids(actor=r.actor, tender_id=t.id, now=clock.now()),
        gettext_lazy("The bids are opened."),
        "tender:page",
    ),
    "disqualify": (
        lambda r, _t: acts.disqualify(actor=r.actor, bid_id=_id(r, "bid"), reason=_text(r, "reason"), now=clock.now()),
        gettext_lazy("The bid is left out."),
        "tender:evaluation",
    ),
    "auction": (
        lambda r, t: acts.start_auction(actor=r.actor, tender_id=t.id, now=clock.now()),
        gettext_lazy("The auction opens in a few minutes; every bidder was told."),
        "tender:page",
    ),
    "take": (
        lambda r, t: acts.take_auction_result(actor=r.actor, tender_id=t.id, now=clock.now()),
        gettext_lazy("The final prices are taken over; rank the bids."),
        "tender:evaluation",
    ),
    "evaluate": (
        lambda r, t: acts.evaluate(actor=r.actor, tender_id=t.id, now=clock.now()),
        gettext_lazy("The bids are ranked."),
        "tender:evaluation",
    ),
    "award": (
        lambda r, t: acts.award(actor=r.actor, tender_id=t.id, lot_id=_id(r, "lot"), now=clock.now()),
        gettext_lazy("The lot is awarded; the standstill runs."),
        "tender:evaluation",
    ),
    "ask-award-approval": (
        lambda r, t: approval.ask_for_award(r.actor, t, _id(r, "lot"), _reach(r, t, "evaluation"), clock.now()),
        gettext_lazy("Your colleagues are asked; they decide on their desk."),
        "tender:evaluation",
    ),
    "ask-approval": (
        lambda r, t: approval.ask_for_publication(r.actor, t, _address(r, t), clock.now()),
        gettext_lazy("Your colleagues are asked; they decide on their desk."),
        "tender:page",
    ),
    "pass-on": (
        lambda r, _t: acts.pass_on(actor=r.actor, award_id=_id(r, "award"), reason=_text(r, "reason"), now=clock.now()),
        gettext_lazy("The award is passed on."),
        "tender:page",
    ),
    "complain": (
        lambda r, t: acts.complain(actor=r.actor, tender_id=t.id, lot_id=_id(r, "lot"), text=_text(r), now=clock.now()),
        gettext_lazy("Your complaint is with the arbiter; nothing is concluded before the decision."),
        "tender:page",
    ),
    "decide": (
        lambda r, _t: acts.decide_complaint(
            actor=r.actor,
            complaint_id=_id(r, "complaint"),
            upheld=r.POST.get("upheld") == "yes",
            decision=_text(r, "decision"),
            now=clock.now(),
        ),
        gettext_lazy("The complaint is decided."),
        "tender:page",
    ),
    "conclude": (
        lambda r, t: acts.conclude(actor=r.actor, tender_id=t.id, now=clock.now()),
        gettext_lazy("The agreement is concluded."),
        "tender:page",
    ),
}


def _do(request: PartyRequest, tender: Tender, call: Callable[[], Any], words: str, target: str) -> HttpResponseBase:
    """Does an act and goes to where its result shows; a refusal is shown there in its own words."""
    try:
        call()
        messages.success(request, words)
    except HuangpuError as error:
        for one in error.each:
            messages.error(request, str(one))
        if target == "tender:page":
            tender.refresh_from_db()
            return _show(request, tender, status=422)
    return redirect(reverse(target, args=[request.marketplace.slug, tender.number]))


def _show(request: PartyRequest, tender: Tender, status: int = 200) -> HttpResponse:
    now = clock.now()
    view = queries.see(request.actor, tender, now)
    local = tender.bids_until.astimezone(ZoneInfo(request.marketplace.zone)) if tender.bids_until else None
    context = {
        "view": view,
        "tender": tender,
        "steps": pictures.steps(tender),
        "bars": pictures.saving_bars(view.saving),
        "saved_share": pictures.share(view.saving.saved_ppm),
        "procedure": procedure_of(tender.procedure),
        "formula": queries.formula_parts(tender),
        "reasons": REASONS,
        "late_words": late_words(tender.late_penalty) if tender.late_penalty else "",
        "bond_reasons": BOND_REASONS,
        "until_local": local.strftime("%Y-%m-%dT%H:%M") if local else "",
        "reads_evaluation": allowed(request.actor, "read_evaluation", tender) and tender.opened_at is not None,
        "may_plan": allowed(request.actor, "plan"),
        "typed": request.POST,
        "approval": approval.of_publication(tender) if "publish" in view.acts else "free",
        "document_kinds": list(DOCUMENT_KINDS.items()),
        "crumbs": [(_("Tenders"), reverse("tender:list", args=[request.marketplace.slug]))],
    }
    return render(request, "tender/tender.html", context, status=status)


def _tender(request: PartyRequest, number: str) -> Tender:
    return queries.find_by_number(request.actor, request.marketplace.id, number)


def _reach(request: PartyRequest, tender: Tender, page: str) -> str:
    return reverse(f"tender:{page}", args=[request.marketplace.slug, tender.number])


def _address(request: PartyRequest, tender: Tender) -> str:
    return reverse("tender:page", args=[request.marketplace.slug, tender.number])


def _crumbs(request: PartyRequest, tender: Tender) -> list[tuple[str, str]]:
    return [
        (_("Tenders"), reverse("tender:list", args=[request.marketplace.slug])),
        (tender.number, _address(request, tender)),
    ]


def _industries(request: PartyRequest) -> list[tuple[str, Any]]:
    """The document's industries, and every other one that there is a tender of here."""
    codes = [*INDUSTRIES, *(code for code in queries.industries(request.marketplace.id) if code not in INDUSTRIES)]
    return [("", _("Every industry")), *((code, INDUSTRIES.get(code, code)) for code in codes)]


def _minor(text: str, request: PartyRequest) -> int | None:
    """An amount of a filter; what is no amount filters nothing."""
    try:
        return parse_money(text, request.marketplace.currency).minor if text.strip() else None
    except Invalid:
        return None


app_name = "tender"
_AT = "m/<slug:marketplace>/tenders/"
urlpatterns = [
    path(_AT, tender_list, name="list"),
    path(f"{_AT}new/", draft_form, name="new"),
    path(f"{_AT}<str:number>/", tender_page, name="page"),
    path(f"{_AT}<str:number>/edit/", draft_form, name="edit"),
    path(f"{_AT}<str:number>/copy/", copy, name="copy"),
    path(f"{_AT}<str:number>/lots/<int:lot>/bid/", bid_form, name="bid"),
    path(f"{_AT}<str:number>/evaluation/", evaluation_page, name="evaluation"),
    path(f"{_AT}<str:number>/points/", give_points, name="points"),
    path(f"{_AT}<str:number>/do/<slug:name>/", act, name="act"),
]

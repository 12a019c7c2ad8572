"""A new tender from an imported procedure: what can be taken over is, the buyer decides the rest in the draft."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from huangpu.core.db import act
from huangpu.markets.history import queries as history
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace

from ..models import Tender
from ..terms import LINES_MAX, LOTS_MAX, LineTerms, LotTerms, TenderTerms
from .drafting import plan

TITLE_MAX = 300
ONE_SERVICE = (Decimal(1), "E48")  # for a procedure that tells no items
UNKNOWN_UNIT = "C62"  # «one»: a line whose unit the publisher did not say, or said in a word nobody knows


@act
def open_from_history(*, actor: Actor, procedure_id: UUID, marketplace: Marketplace, now: datetime) -> Tender:
    """A draft of the actor's organisation with the titles, lots and lines of the procedure, in the marketplace's currency.

    The budget is taken over only where the currency is the same: it is never converted. A line without a quantity or a unit
    begins with 1 and C62; a procedure without items becomes one line, a service, by its title. Refuses with
    history.not_found and the codes of `plan`.
    """
    procedure = history.find(marketplace.pk, procedure_id)
    terms = terms_of_history(history.draft_of(procedure), marketplace.currency)
    return plan(actor=actor, marketplace_id=marketplace.pk, terms=terms, now=now, origin_id=procedure.pk)


def terms_of_history(draft: Mapping[str, Any], currency: str) -> TenderTerms:
    """The terms of a draft that `history.queries.draft_of` gave. Pure."""
    title = _short(draft["title"]) or {"und": draft["ocid"]}
    lots, left = [], LINES_MAX
    for lot in draft["lots"][:LOTS_MAX]:
        lines = [_line(item, title) for item in lot["items"][:left]]
        left -= len(lines)
        if lines:
            lots.append(LotTerms(lines, _short(lot["title"]), _budget(lot, currency)))
    if not lots:
        lots = [LotTerms([LineTerms(title, *ONE_SERVICE)])]
    return TenderTerms(
        title=title,
        description=draft["description"],
        currency=currency,
        procedure="open",
        lots=lots,
        budget_minor=_budget(draft, currency),
        standstill_days=1,
    )


def _line(item: Mapping[str, Any], title: Mapping[str, str]) -> LineTerms:
    name = _short(item["description"]) or (_short({"und": item["code_says"]}) if item["code_says"] else dict(title))
    code = item["code"][:32]
    quantity = Decimal(item["quantity"] or 1)
    return LineTerms(
        name, quantity, item["unit"] or UNKNOWN_UNIT, scheme=item["scheme"][:32] if code else "", code=code
    )


def _budget(money: Mapping[str, Any], currency: str) -> int | None:
    return money["amount_minor"] or None if money["currency"] == currency else None


def _short(names: Mapping[str, str]) -> dict[str, str]:
    return {
        language: text if len(text) <= TITLE_MAX else f"{text[: TITLE_MAX - 1]}…" for language, text in names.items()
    }

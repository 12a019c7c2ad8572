"""What may be asked of imported history: lists with search, one procedure with its parts, a draft to begin from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from huangpu.core import search
from huangpu.core.errors import NotFound
from huangpu.core.quantity import plain
from huangpu.parties.models import Marketplace

from .models import Award, Bid, Contract, Document, Item, Lot, Party, Procedure


def visible(marketplace_id: UUID) -> QuerySet[Procedure]:
    """The history a marketplace shows: its own, and the city's."""
    city = Marketplace.objects.filter(is_city=True).values("id")
    return Procedure.objects.filter(Q(marketplace_id=marketplace_id) | Q(marketplace_id__in=city))


def listing(marketplace_id: UUID, *, text: str = "", status: str = "", country: str = "") -> QuerySet[Procedure]:
    """The procedures that match. `text`: words of titles, items, parties, ocids; Chinese is searched by pairs."""
    found = visible(marketplace_id).defer("words", "more", "digest")
    if text.strip():
        asked = search.query(text)
        found = found.filter(words=SearchQuery(asked, config="simple", search_type="raw")) if asked else found.none()
    if status:
        found = found.filter(status=status)
    if country:
        found = found.filter(country=country)
    return found


def countries(marketplace_id: UUID) -> list[str]:
    """The countries that occur, by code."""
    found = visible(marketplace_id).exclude(country="").values_list("country", flat=True).distinct()
    return sorted(found)


def find(marketplace_id: UUID, procedure_id: UUID) -> Procedure:
    """One procedure, else NotFound history.not_found."""
    found = visible(marketplace_id).filter(pk=procedure_id).first()
    if found is None:
        raise NotFound("history.not_found", _("There is no such procedure."), value=str(procedure_id))
    return found


@dataclass(frozen=True, slots=True)
class Parts:
    """A procedure's parts, in the order of its file. `party` finds a party by the publisher's id."""

    parties: Sequence[Party]
    lots: Sequence[Lot]
    items: Sequence[Item]  # the tender's
    bids: Sequence[Bid]
    awards: Sequence[Award]
    contracts: Sequence[Contract]
    documents: Sequence[Document]

    def names(self, ids: Sequence[str]) -> list[dict[str, str] | str]:
        """What parties are called; one without a name by its id."""
        by_id = {party.local_id: party.name or party.local_id for party in self.parties}
        return [by_id.get(id, id) for id in ids]


def parts_of(procedure: Procedure) -> Parts:
    """Seven statements, whatever the size."""
    return Parts(
        parties=list(procedure.parties.select_related("organisation").order_by("id")),
        lots=list(Lot.objects.filter(procedure=procedure).order_by("id")),
        items=list(Item.objects.filter(procedure=procedure, within="tender").order_by("place")),
        bids=list(Bid.objects.filter(procedure=procedure).order_by("id")),
        awards=list(Award.objects.filter(procedure=procedure).order_by("id")),
        contracts=list(Contract.objects.filter(procedure=procedure).order_by("id")),
        documents=list(Document.objects.filter(procedure=procedure).order_by("within", "place")),
    )


def draft_of(procedure: Procedure) -> dict[str, Any]:
    """What a new tender can begin from: titles, lots, items, budget; plain values, quantities as decimal texts.

    What was left out of the file (a quantity, a unit) is None or empty here: the next buyer decides, not the importer.
    """
    parts = parts_of(procedure)
    lots: dict[str, dict[str, Any]] = {
        lot.local_id: {"title": lot.title, "amount_minor": lot.amount_minor, "currency": lot.currency, "items": []}
        for lot in parts.lots
    }
    loose: dict[str, Any] = {"title": {}, "amount_minor": None, "currency": "", "items": []}
    for item in parts.items:
        lots.get(item.lot, loose)["items"].append(
            {
                "description": item.description,
                "quantity": plain(item.quantity) if item.quantity is not None else None,
                "unit": item.unit,
                "unit_said": item.unit_said,
                "scheme": item.scheme,
                "code": item.code,
                "code_says": item.code_says,
            }
        )
    return {
        "procedure": procedure.pk,
        "ocid": procedure.ocid,
        "language": procedure.language,
        "title": procedure.title,
        "description": procedure.description,
        "amount_minor": procedure.amount_minor,
        "currency": procedure.currency,
        "lots": [lot for lot in (*lots.values(), loose) if lot["items"]],
    }

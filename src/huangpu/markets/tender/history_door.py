"""The way from an imported procedure into a new tender: a button on its page, and an endpoint."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from ninja import Router, Schema, Status

from huangpu.core import clock
from huangpu.markets.history.doors import Offer, offer
from huangpu.parties.actor import Actor
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import may

from .acts.from_history import open_from_history
from .models import Tender

router = Router(tags=["tenders"])


class DraftOut(Schema):
    """The draft that was made."""

    id: UUID
    number: str


@router.post(
    "/m/{marketplace}/history/{procedure}/tender", response={201: DraftOut}, summary="Open a new tender from it"
)
def open_by_api(request: HttpRequest, marketplace: str, procedure: UUID) -> Status[Tender]:  # noqa: ARG001
    """A draft with the titles, lots and lines of an imported procedure; only the own organisation sees it."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    market = request.marketplace  # type: ignore[attr-defined]
    made = open_from_history(actor=actor, procedure_id=procedure, marketplace=market, now=clock.now())
    return Status(201, made)


@require_POST
def open_by_page(request: PartyRequest, marketplace: str, procedure: UUID) -> HttpResponseRedirect:
    """Makes the draft and leads to it."""
    made = open_from_history(
        actor=request.actor, procedure_id=procedure, marketplace=request.marketplace, now=clock.now()
    )
    return HttpResponseRedirect(f"/m/{marketplace}/tenders/{made.number}/")


# The button stands where its address does: whoever serves the address shows it to those who may plan a tender.
offer(
    Offer(
        "tender",
        _("Open a new tender from this"),
        lambda slug, id: reverse("tender-from-history", args=[slug, id]),
        lambda actor: may(actor, "tender.plan"),
        icon="gavel",
    )
)

urlpatterns = [
    path("m/<slug:marketplace>/history/<uuid:procedure>/tender/", open_by_page, name="tender-from-history"),
]

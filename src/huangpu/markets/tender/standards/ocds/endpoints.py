"""The open data of a tender at its address, for machines and for people who want the file."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from huangpu.parties.actor import ANONYMOUS
from huangpu.parties.models import Marketplace

from ... import queries
from .packages import Kind, package
from .write import dumps

router = Router(tags=["open data"])


@router.get("/m/{marketplace}/tenders/{number}/ocds.json", summary="A tender as Open Contracting data")
def read_package(request: HttpRequest, marketplace: str, number: str, kind: Kind = "record") -> HttpResponse:  # noqa: ARG001
    """A record package (or, with `kind=release`, a release package) of OCDS 1.1 with the bids and lots extensions, made
    from the public part of the event log. The same for everybody, whoever asks."""
    market: Marketplace = request.marketplace  # type: ignore[attr-defined]
    return answer(request, market, number, kind)


def answer(request: HttpRequest, market: Marketplace, number: str, kind: Kind) -> HttpResponse:
    """The package as a response. Refuses with tender.not_found what is not published."""
    tender = queries.find_by_number(ANONYMOUS, market.id, number)
    uri = request.build_absolute_uri(f"{request.path}?kind={kind}")
    content = package(market, [tender], kind=kind, uri=uri, site=request.build_absolute_uri("/"))
    return HttpResponse(dumps(content), content_type="application/json; charset=utf-8")

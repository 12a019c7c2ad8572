"""Packages of a marketplace's tenders, read from the log: what everybody may read, in the order in which it was said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from huangpu.core.clock import now
from huangpu.core.log.models import Event, Payload
from huangpu.core.names import in_language
from huangpu.markets.history.standards.ocds.values import Identifier, Party, Procedure
from huangpu.parties.models import Identifier as Registered
from huangpu.parties.models import Marketplace, Organisation

from ...models import Tender
from .releases import LANGUAGE, Said, releases
from .write import Package, record_package, release, release_package

PREFIX = "ocds-huangpu"  # an installation that publishes registers its own and sets `ocid_prefix` in the marketplace's profile
TENDERS_MAX = 100  # of one package
Kind = Literal["record", "release"]


def package(marketplace: Marketplace, tenders: list[Tender], *, kind: Kind, uri: str, site: str) -> dict[str, Any]:
    """A record or release package of published tenders (at most 100). `uri`: where this package can be fetched again.

    With Decimals for numbers: write it by `write.dumps`. The published date is that of the last thing said.
    """
    said: list[Procedure] = []
    for procedures in _releases(marketplace, tenders[:TENDERS_MAX], site):
        said += procedures
    latest: datetime = max((each.released_at for each in said if each.released_at), default=now())
    head = Package(uri, in_language(marketplace.name, LANGUAGE), latest, site)
    written = [release(each) for each in sorted(said, key=lambda each: (each.released_at or latest, each.release_id))]
    return record_package(head, written) if kind == "record" else release_package(head, written)


def ocid_of(marketplace: Marketplace, tender: Tender) -> str:
    """The prefix, the marketplace and the tender's number: `ocds-huangpu-auto-T-2026-000123`."""
    return f"{marketplace.profile.get('ocid_prefix', PREFIX)}-{marketplace.slug}-{tender.number}"


def _releases(marketplace: Marketplace, tenders: list[Tender], site: str) -> Iterable[list[Procedure]]:
    events = list(
        Event.objects.filter(thread_id__in=[each.pk for each in tenders], subject_type="tender", audience=[]).order_by(
            "id"
        )
    )
    bodies = {each.pk: each.body for each in Payload.objects.filter(pk__in=[event.pk for event in events])}
    by_tender: dict[UUID, list[Said]] = defaultdict(list)
    for event in events:
        if event.pk in bodies:  # an erased payload says nothing any more
            by_tender[event.thread_id].append(Said(str(event.pk), event.kind, event.occurred_at, bodies[event.pk]))
    parties = _parties(_named(bodies.values()))
    for tender in tenders:
        yield releases(ocid_of(marketplace, tender), by_tender[tender.pk], parties, site)


def _named(bodies: Iterable[dict[str, Any]]) -> set[str]:
    """The organisations that events name."""
    found: set[str] = set()
    for body in bodies:
        found |= {body[key] for key in ("buyer", "supplier") if body.get(key)}
        bids = body.get("bids")  # a list where an event names them, a number where it only counts them
        found |= {bid["bidder"] for bid in bids if bid.get("bidder")} if isinstance(bids, list) else set()
    return found


def _parties(ids: set[str]) -> dict[str, Party]:
    """Organisations as parties: known by their first register's identifier, as OCDS asks, else by their id here."""
    registered: dict[UUID, list[Identifier]] = defaultdict(list)
    for each in Registered.objects.filter(organisation_id__in=ids).order_by("id"):
        registered[each.organisation_id].append(Identifier(each.scheme, each.value))
    found = {}
    for organisation in Organisation.objects.filter(pk__in=ids):
        identifiers = tuple(registered[organisation.pk])
        local = f"{identifiers[0].scheme}-{identifiers[0].value}" if identifiers else str(organisation.pk)
        found[str(organisation.pk)] = Party(
            id=local,
            name=organisation.name,
            identifiers=identifiers,
            country=organisation.country,
            street=organisation.address,
        )
    return found

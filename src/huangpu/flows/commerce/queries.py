"""What may be asked of commerce: the open intents of all markets, the items of an organisation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import NotFound
from huangpu.flows.goods.catalogue import Known
from huangpu.parties.actor import Actor

from .models import Intent, Item

FOUND_MAX = 500


def open_intents(
    now: datetime, *, marketplace_id: UUID | None = None, kind: str = "", market: str = ""
) -> QuerySet[Intent]:
    """The offers and requests that look for their counterparty now, of one marketplace or of the city, in one statement."""
    found = Intent.objects.select_related("marketplace", "organisation").filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=now), closed_at__isnull=True
    )
    if marketplace_id:
        found = found.filter(marketplace_id=marketplace_id)
    if kind:
        found = found.filter(kind=kind)
    return found.filter(market=market) if market else found


def closing_first(found: QuerySet[Intent]) -> QuerySet[Intent]:
    """The one whose time ends first, first."""
    return found.order_by(F("valid_until").asc(nulls_last=True), "id")


def items(owner_id: UUID, text: str = "") -> QuerySet[Item]:
    """The catalogue of an organisation, narrowed by a piece of a code, a name or a GTIN."""
    found = Item.objects.filter(owner_id=owner_id)
    return found.filter(_named(text)) if text else found


def item_by_id(actor: Actor, item_id: UUID) -> Item:
    """An item of the actor's own organisation. Refused with `item.unknown`."""
    found = Item.objects.filter(pk=item_id).first()
    if found is None or found.owner_id != actor.organisation_id:
        raise NotFound("item.unknown", _("You have no item “%(value)s”."), field="item", value=str(item_id))
    return found


def known_items(ids: Iterable[UUID]) -> dict[UUID, Known]:
    """What the goods room shows of items, which it knows by their ids only."""
    return {one.pk: _known(one) for one in Item.objects.filter(pk__in=set(ids))}


def matching_items(text: str) -> list[UUID]:
    """The newest items, whoever's, whose code, name or GTIN contains the text."""
    return list(Item.objects.filter(_named(text)).order_by("-pk").values_list("pk", flat=True)[:FOUND_MAX])


def owned_items(owner_id: UUID, code: str = "") -> list[Known]:
    """The items of an organisation, all or those with a code, in the order of their codes."""
    found = Item.objects.filter(owner_id=owner_id)
    found = found.filter(code=code) if code else found
    return [_known(one) for one in found.order_by("code")[:FOUND_MAX]]


def _known(item: Item) -> Known:
    return Known(item.pk, item.code, item.name, item.unit, item.owner_id, item.gtin)


def _named(text: str) -> Q:
    return (
        Q(code__icontains=text) | Q(gtin__startswith=text)
        | Q(**{"name__zh-hans__icontains": text}) | Q(name__en__icontains=text)
    )  # fmt: skip

"""What may be asked of money from wallet to wallet."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.core.web.paging import Page, page_of
from huangpu.parties.models import Identifier

from .models import Sending


def sendings(marketplace_id: UUID, organisation_id: UUID, cursor: str | None, limit: int) -> Page[Any]:
    """What an organisation sent and was sent, newest first."""
    own = Q(sender_id=organisation_id) | Q(receiver_id=organisation_id)
    return page_of(Sending.objects.filter(own, marketplace_id=marketplace_id), cursor, limit)


def incoming(marketplace_id: UUID, organisation_id: UUID) -> list[Sending]:
    """What waits for an organisation to accept it, the oldest first."""
    return list(
        Sending.objects.filter(marketplace_id=marketplace_id, receiver_id=organisation_id, state="waiting").order_by(
            "pk"
        )
    )


def receiver(code: str) -> UUID:
    """The organisation with an identifier such as its unified social credit code. Refused: `sending.receiver`."""
    found = Identifier.objects.filter(value=code.strip().upper()).values_list("organisation_id", flat=True)[:2]
    if len(found) != 1:
        raise Invalid(
            "sending.receiver", _("“%(value)s” is nobody else's wallet."), field="receiver", value=code.strip()[:64]
        )
    return found[0]

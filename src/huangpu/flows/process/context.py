"""What the frame of every page shows of trades: how much waits on one's own desk."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from huangpu.parties.middleware import acting

from . import queries


def desk_count(request: HttpRequest) -> dict[str, Any]:
    """`desk_count`: how many commitments the organisation owes that can be performed now; counted only where shown."""
    organisation_id = acting(request).actor.organisation_id
    if organisation_id is None:
        return {"desk_count": 0}
    return {"desk_count": SimpleLazyObject(lambda: queries.desk(organisation_id, owed_to=False).count())}

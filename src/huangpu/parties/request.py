"""What a view may count on: the request as the actor middleware leaves it."""

from __future__ import annotations

from django.http import HttpRequest

from .actor import Actor
from .models import Marketplace


class PartyRequest(HttpRequest):
    """A request with its actor, and the marketplace its address names. Views at /m/<slug>/ always have one; elsewhere
    `marketplace` is None and not asked for."""

    actor: Actor
    marketplace: Marketplace

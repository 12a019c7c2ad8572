"""The pass to a live stream: short-lived, signed, in the stream's address, because the streams have a port of their own.

A pass says which auction, for which bidder if for one, and whether the full view is allowed. It is looked at when a
stream is opened; a stream ends with its pass, and the page fetches a new one.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core import signing

from huangpu.parties.actor import Actor

from .models import Auction
from .queries import own_bidder, sees_standings

SALT = "huangpu.auction.stream"
LIFE_S = 600


@dataclass(frozen=True, slots=True)
class Pass:
    """Who watches: `number` of the bidder it is for, or None."""

    auction_id: UUID
    number: int | None
    full: bool


def pass_for(actor: Actor, auction: Auction) -> Pass:
    """The pass of an actor who may watch this auction (the caller has found it by `queries.auction_for`)."""
    bidder = own_bidder(actor, auction)
    return Pass(auction.id, bidder.number if bidder else None, sees_standings(actor, auction))


def seal(given: Pass) -> str:
    """The pass as text."""
    return signing.dumps([given.auction_id.hex, given.number, given.full], salt=SALT)


def unseal(token: str) -> Pass | None:
    """The pass, or None: forged, changed, or older than LIFE_S."""
    try:
        auction, number, full = signing.loads(token, salt=SALT, max_age=LIFE_S)
    except signing.BadSignature:
        return None
    return Pass(UUID(auction), number, full)


def address(host: str, given: Pass) -> str:
    """The stream's address for a reader who reached the site as `host` (with or without its port)."""
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    env = settings.HUANGPU
    scheme = "https" if env.https else "http"
    return f"{scheme}://{name}:{env.live_port}/auctions/{given.auction_id}?pass={seal(given)}"

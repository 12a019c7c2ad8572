"""What must hold for auctions: every log is dense, and the auction is what the rules make of it."""

from __future__ import annotations

from collections.abc import Iterator

from huangpu.core.verify import Check

from .models import Auction, Entry
from .queries import entry_of, start_of, state_of
from .rules import AuctionRules, replay

SHOWN_MAX = 5


def checks() -> Iterator[Check]:
    """Replays every auction's log by the rules that answered it."""
    auctions = lines = 0
    wrong: list[str] = []
    for auction in Auction.objects.order_by("id").prefetch_related("bidders").iterator(chunk_size=200):
        log = Entry.objects.filter(auction=auction).order_by("sequence").iterator(chunk_size=2000)
        entries = [entry_of(line) for line in log]
        auctions, lines = auctions + 1, lines + len(entries)
        state, flaws = replay(AuctionRules.of(auction.rules), start_of(auction, auction.bidders.all()), entries)
        wrong += [f"auction {auction.id}: {flaw}" for flaw in flaws]
        if not flaws and state != state_of(auction):
            wrong.append(f"auction {auction.id}: its row says {state_of(auction)}, its log {state}")
        if auction.lead_minor != state.lead.amount:
            wrong.append(f"auction {auction.id}: leading price {auction.lead_minor}, by its log {state.lead.amount}")
    detail = "; ".join(wrong[:SHOWN_MAX]) or f"{auctions} auctions, {lines} entries"
    yield Check("auction: logs are dense, and auctions are what their logs say", not wrong, detail)

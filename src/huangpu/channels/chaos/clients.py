"""What the clients do at the same time, over HTTP only: keep agreements, run whole tenders, bid in a live auction, bring
money in and out, ask for payments and pay them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event, Thread
from typing import Any

from .journal import ACKNOWLEDGED, Call, Client
from .market import START_PRICE, Firm, Market
from .payers import pay

PARTS = (20, 70)  # pieces of one delivery
REJECTED = 0.1  # share of the deliveries
BIDS_OPEN_S = 5


def threads(market: Market, client_of: Any) -> list[Thread]:
    """The clients, not started: two keep agreements, two tender, two bid in the auction, one goes to the bank, two
    are paid."""
    waiting = [iter(market.agreements[half::2]) for half in (0, 1)]
    return [
        *(Thread(target=keep_agreements, args=(client_of(), half), daemon=True) for half in waiting),
        *(Thread(target=tender, args=(client_of(), market, buyer), daemon=True) for buyer in market.buyers),
        *(Thread(target=bid, args=(client_of(), market, place), daemon=True) for place in (0, 1)),
        Thread(target=bank, args=(client_of(), market), daemon=True),
        *(Thread(target=pay, args=(client_of(), market, place), daemon=True) for place in (0, 1)),
    ]


# ── agreements ───────────────────────────────────────────────────────────────────────────────────────────────────────


def keep_agreements(client: Client, waiting: Any) -> None:
    """One prepared agreement after another: paid, delivered in parts, accepted or rejected, invoiced."""
    for number, buyer, seller in waiting:
        if client.stop.is_set():
            return
        keep(client, number, buyer, seller)


def keep(client: Client, number: str, buyer: Firm, seller: Firm) -> None:
    """One agreement to its end. Every call carries its key as the remark, by which the log is asked for it later."""
    trade = _perform(client, number, buyer, "hold", None, client.read(buyer, f"/trades/{number}"))
    while trade is not None and not client.stop.is_set():
        due = {item["action"]: item for item in trade["commitments"] if item["state"] == "due"}
        if "accept" in due and client.random.random() < REJECTED:
            trade = _reject(client, number, buyer, due["accept"], trade)
        elif "accept" in due:
            trade = _perform(client, number, buyer, "accept", None, trade)
        elif "deliver" in due:
            trade = _perform(client, number, seller, "deliver", client.random.randint(*PARTS), trade)
        elif "invoice" in due:
            trade = _perform(client, number, seller, "invoice", None, trade)
        else:
            return


def _perform(client: Client, number: str, by: Firm, action: str, portion: int | None, trade: Any) -> Any:
    """All that is due of one verb, or a portion of it. Returns the trade as answered, None when it was refused."""
    due = [item for item in (trade or {"commitments": []})["commitments"] if item["state"] == "due"]
    parts = []
    for item in (one for one in due if one["action"] == action):
        part = {"ordinal": item["ordinal"]}
        if item["quantity"] is not None:
            possible = Decimal(item["possible_now"])
            part["quantity"] = str(min(possible, Decimal(portion)) if portion else possible)
        parts.append(part)
    if not parts:
        return None
    call = client.act(
        f"trade.{action}", by, f"/trades/{number}/perform", {"parts": parts, "details": {"remark": "{key}", "number": "{key}"}}
    )  # fmt: skip
    return _answered(client, call, by, number)


def _reject(client: Client, number: str, buyer: Firm, accept: dict[str, Any], trade: Any) -> Any:
    """The buyer rejects what it has not accepted yet: it is owed again."""
    line = next(item for item in trade["commitments"] if item["ordinal"] in accept["after"])
    option = "reject/" + line["key"].partition("/")[2]
    body = {"option": option, "quantity": accept["possible_now"], "reason": "{key}"}
    return _answered(client, client.act("trade.reject", buyer, f"/trades/{number}/resolve", body), buyer, number)


def _answered(client: Client, call: Call, by: Firm, number: str) -> Any:
    if call.outcome != ACKNOWLEDGED:
        return None
    return call.answer if "commitments" in call.answer else client.read(by, f"/trades/{number}")


# ── tenders ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def tender(client: Client, market: Market, buyer: Firm) -> None:
    """Whole trades: plan, publish, sealed bids, opening, evaluation, award, conclusion, and the agreement to its end."""
    while not client.stop.is_set():
        found = _concluded(client, market, buyer)
        if found is not None:
            number, seller = found
            keep(client, number, buyer, seller)


def _concluded(client: Client, market: Market, buyer: Firm) -> tuple[str, Firm] | None:
    """One tender as far as it goes. Returns the agreement's number and its seller."""
    planned = client.act("tender.plan", buyer, "/tenders", _terms())
    if planned.outcome != ACKNOWLEDGED or "id" not in planned.answer:
        return None
    path, lot = f"/tenders/{planned.answer['id']}", planned.answer["lots"][0]
    if client.act("tender.publish", buyer, f"{path}/publish", {}).outcome != ACKNOWLEDGED:
        return None
    for firm in client.random.sample(market.suppliers, 3):
        prices = [{"line": line["id"], "unit_price": str(client.random.randint(800, 1200))} for line in lot["lines"]]
        client.act("tender.bid", firm, f"{path}/bids", {"lot": lot["id"], "prices": prices})
    if not _opened(client, buyer, path, planned.answer["bids_until"]):
        return None
    client.act("tender.evaluate", buyer, f"{path}/evaluate", {})
    client.act("tender.award", buyer, f"{path}/awards", {"lot": lot["id"]})
    client.act("tender.conclude", buyer, f"{path}/conclude", {})  # or the house has done it
    tender = client.read(buyer, path)
    award = tender and tender["lots"][0]["award"]
    if not award or not award["agreement"]:
        return None
    trades = client.read(buyer, "/trades?limit=20") or {"items": []}
    number = next((one["number"] for one in trades["items"] if one["title"] == tender["title"]), None)
    seller = next(firm for firm in market.suppliers if str(firm.id) == award["supplier"])
    return (number, seller) if number else None


def _opened(client: Client, buyer: Firm, path: str, bids_until: str) -> bool:
    """Waits for the end of the bids, then opens them; half of the time the house has to do it by itself."""
    left = datetime.fromisoformat(bids_until) - datetime.now(UTC)
    if client.stop.wait(max(0.0, left.total_seconds()) + 0.05):
        return False
    if client.random.random() < 0.5:
        client.act("tender.open", buyer, f"{path}/open", {})
    while not client.stop.is_set():
        found = client.read(buyer, path)
        if found is None or found["stage"] != "open":
            return found is not None and found["stage"] == "evaluation"
        client.stop.wait(0.5)
    return False


def _terms() -> dict[str, Any]:
    lines = [{"name": {"en": f"Part {number}"}, "quantity": "100", "unit": "C62"} for number in (1, 2)]
    return {
        "title": {"en": "Chaos {key}"}, "currency": "CNY", "procedure": "rfq", "lots": [{"lines": lines}],
        "bids_until": (datetime.now(UTC) + timedelta(seconds=BIDS_OPEN_S)).isoformat(),
    }  # fmt: skip


# ── the auction ──────────────────────────────────────────────────────────────────────────────────────────────────────


def bid(client: Client, market: Market, place: int) -> None:
    """Bids of a supplier, lower and lower. Every amount is bid once only, so that a doubled bid would show."""
    firm, path = market.suppliers[place], f"/auctions/{market.auction}/bids"
    for count in itertools.count(1):
        if client.stop.is_set():
            return
        client.act("auction.bid", firm, path, {"amount_minor": START_PRICE - count * 1000 - place})
        pause(client.stop, client.random.uniform(0.01, 0.1))


def bank(client: Client, market: Market) -> None:
    """Money in and out of the buyers' wallets, while it is being spent. Every amount comes once only."""
    for count in itertools.count(1):
        if client.stop.is_set():
            return
        way = client.random.choice(("top-up", "withdraw"))
        client.act(
            f"money.{way}", client.random.choice(market.buyers), f"/wallets/CNY/{way}", {"amount": 10**6 + count}
        )
        pause(client.stop, client.random.uniform(0.05, 0.3))


def pause(stop: Event, seconds: float) -> None:
    """Lets others have the processors."""
    stop.wait(seconds)

"""The reckoning: what the clients know against what the house has. Every line returned is something that does not fit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any
from uuid import UUID

from .journal import ACKNOWLEDGED, UNANSWERED, Call, Journal
from .market import MONEY, Market

SHOWN = 3  # of the keys that do not fit
ONCE_A_TENDER = {
    "tender.plan": "tender.planned",
    "tender.publish": "tender.published",
    "tender.open": "tender.bids_opened",
    "tender.evaluate": "tender.evaluated",
    "tender.award": "tender.awarded",
    "tender.conclude": "tender.concluded",
}
BY_THE_HOUSE_TOO = ("tender.bids_opened", "tender.concluded")

MARKED = """
SELECT coalesce(p.body -> 'details' ->> 'remark', p.body ->> 'reason'), count(*)
FROM log_event e JOIN log_payload p ON p.id = e.id
WHERE e.marketplace_id = %s AND e.subject_type = 'agreement' AND e.kind <> 'agreement.concluded' AND e.actor_id IS NOT NULL
GROUP BY 1
"""
KEPT = "SELECT key, count(*) FROM core_idempotentanswer WHERE status < 400 GROUP BY 1"
DELIVERED = """
SELECT a.number, a.amount, coalesce(sum(c.done_quantity) FILTER (WHERE c.action = 'deliver'), 0)
FROM commerce_agreement a JOIN commerce_commitment c ON c.agreement_id = a.id WHERE a.marketplace_id = %s GROUP BY 1, 2
"""
BANK = {"money.top-up": "funds.topped_up", "money.withdraw": "funds.withdrawn"}
BANKED = """
SELECT e.kind, e.organisation_id, (p.body ->> 'amount')::bigint FROM log_event e JOIN log_payload p ON p.id = e.id
WHERE e.marketplace_id = %s AND e.kind IN ('funds.topped_up', 'funds.withdrawn') AND e.actor_id IS NOT NULL
"""
TOLD = """
SELECT thread_id::text, kind, count(*) FROM log_event WHERE marketplace_id = %s AND kind LIKE 'tender.%%' GROUP BY 1, 2
"""


def audit(market: Market, journal: Journal) -> list[str]:
    """Everything acknowledged is there exactly once, and nothing is there that nobody was told of."""
    from huangpu.core.log.sequencer import sequence

    sequence()
    wrong = [f"{len(open_)} calls were never answered"] if (open_ := _unanswered(journal)) else []
    for check in (_answers_kept, _trades, _deliveries_and_money, _bank, _invoices, _tenders, _bids, _auction, _leaves):
        wrong += check(market, journal)
    return wrong


def _unanswered(journal: Journal) -> list[Call]:
    return [call for call in journal.calls if call.outcome == UNANSWERED]


def exactly_once(what: str, calls: Iterable[Call], found: Counter[str]) -> Iterator[str]:
    """Each acknowledged call's key once, a refused one's never, and no key that no client has."""
    known = {call.key: call for call in calls}
    lost = [key for key, call in known.items() if call.outcome == ACKNOWLEDGED and not found[key]]
    doubled = [key for key in known if found[key] > 1]
    undone = [key for key, call in known.items() if call.outcome not in (ACKNOWLEDGED, UNANSWERED) and found[key]]
    strange = [key for key in found if key not in known]
    for verdict, keys in (
        ("acknowledged, but not there", lost),
        ("there more than once", doubled),
        ("refused, but there", undone),
        ("there, but nobody sent them", strange),
    ):
        if keys:
            yield f"{what}: {len(keys)} {verdict}: {', '.join(map(str, keys[:SHOWN]))}"


def _answers_kept(_market: Market, journal: Journal) -> Iterator[str]:
    from huangpu.core.db import rows

    yield from exactly_once("kept answers", journal.calls, Counter(dict(rows(KEPT))))


def _trades(market: Market, journal: Journal) -> Iterator[str]:
    from huangpu.core.db import rows

    calls = [call for call in journal.calls if call.kind.startswith("trade.")]
    yield from exactly_once("acts of trades in the log", calls, Counter(dict(rows(MARKED, [market.id]))))


def _deliveries_and_money(market: Market, journal: Journal) -> Iterator[str]:
    """Sums that the clients compute from their acknowledged calls alone: what was delivered, what the buyers have left."""
    from huangpu.core.db import rows
    from huangpu.flows.funds.models import Account
    from huangpu.flows.funds.rules import account_id

    delivered: dict[str, Decimal] = defaultdict(Decimal)
    paid: dict[UUID, int] = defaultdict(int)
    found = {number: (amount, quantity) for number, amount, quantity in rows(DELIVERED, [market.id])}
    for call in journal.acknowledged("trade.deliver"):
        delivered[_number(call)] += sum(Decimal(part["quantity"]) for part in call.body["parts"])
    for call in journal.acknowledged("trade.reject"):
        delivered[_number(call)] -= Decimal(call.body["quantity"])
    for call in journal.acknowledged("trade.hold"):
        paid[call.by.id] += found[_number(call)][0]
    for call in journal.acknowledged(*BANK):
        paid[call.by.id] += call.body["amount"] * (1 if call.kind == "money.withdraw" else -1)
    if not _unanswered(journal):
        for number, (_amount, quantity) in found.items():
            if quantity != delivered[number]:
                yield f"agreement {number}: {quantity} are delivered, the clients delivered {delivered[number]}"
        for buyer in market.buyers:
            wallet = Account.objects.get(pk=account_id(market.id, "wallet", buyer.id, "CNY"))
            left = wallet.posted_credit - wallet.posted_debit - wallet.pending_debit
            if left != MONEY - paid[buyer.id]:
                yield f"buyer {buyer.id}: has {left} left, by its acknowledged payments {MONEY - paid[buyer.id]}"


def _bank(market: Market, journal: Journal) -> Iterator[str]:
    """Each amount that went in or out is in the log as often as it was acknowledged: once."""
    from huangpu.core.db import rows

    ours: Counter[tuple[Any, ...]] = Counter(
        (BANK[call.kind], call.by.id, call.body["amount"]) for call in journal.acknowledged(*BANK)
    )
    theirs: Counter[tuple[Any, ...]] = Counter(rows(BANKED, [market.id]))
    if ours != theirs and not _unanswered(journal):
        yield f"bank: {(ours - theirs).total()} payments are lost, {(theirs - ours).total()} nobody was told of"


def _invoices(market: Market, journal: Journal) -> Iterator[str]:
    from huangpu.flows.commerce.models import Invoice

    found = Counter(Invoice.objects.filter(marketplace_id=market.id).values_list("number", flat=True))
    yield from exactly_once("invoices", journal.of("trade.invoice"), found)


def _tenders(market: Market, journal: Journal) -> Iterator[str]:
    from huangpu.core.db import rows
    from huangpu.markets.tender.models import Tender

    titles = Tender.objects.filter(marketplace_id=market.id).values_list("title__en", flat=True)
    yield from exactly_once("tenders", journal.of("tender.plan"), Counter(title.split()[-1] for title in titles))
    told = {(thread, kind): count for thread, kind, count in rows(TOLD, [market.id])}
    for (thread, kind), count in told.items():
        if kind in ONCE_A_TENDER.values() and count > 1:
            yield f"tender {thread}: {kind} {count} times in the log"
    done = {(_tender(call), ONCE_A_TENDER[call.kind]) for call in journal.acknowledged(*ONCE_A_TENDER)}
    for thread, kind in sorted(done - set(told)):
        yield f"tender {thread}: {kind} was acknowledged and is not in the log"
    for thread, kind in sorted(set(told) - done):
        if kind in ONCE_A_TENDER.values() and kind not in BY_THE_HOUSE_TOO and not _unanswered(journal):
            yield f"tender {thread}: {kind} is in the log and was acknowledged to nobody"


def _bids(market: Market, journal: Journal) -> Iterator[str]:
    """The receipts of sealed bids: the bidder keeps one, the house must have the same, and no other."""
    from huangpu.markets.tender.models import Bid

    ours = Counter(call.answer.get("receipt", "none") for call in journal.acknowledged("tender.bid"))
    theirs = Counter(
        bytes(one or b"").hex()
        for one in Bid.objects.filter(marketplace_id=market.id).values_list("receipt", flat=True)
    )
    if ours != theirs and not _unanswered(journal):
        yield f"sealed bids: {(ours - theirs).total()} receipts are lost, {(theirs - ours).total()} bids nobody knows of"


def _auction(market: Market, journal: Journal) -> Iterator[str]:
    """Every answer of the auction names its number: there is the very same bid, and none besides."""
    from huangpu.markets.auction.models import Bidder, Entry

    firms = dict(Bidder.objects.filter(auction_id=market.auction).values_list("number", "organisation_id"))
    ours: Counter[tuple[Any, ...]] = Counter(
        (call.answer.get("sequence"), call.by.id, call.body["amount_minor"], call.answer.get("accepted"))
        for call in journal.acknowledged("auction.bid")
    )
    entries = Entry.objects.filter(auction_id=market.auction, kind="bid")
    theirs: Counter[tuple[Any, ...]] = Counter(
        (sequence, firms[number], amount, accepted)
        for sequence, number, amount, accepted in entries.values_list("sequence", "number", "amount_minor", "accepted")
        if number is not None
    )
    if ours != theirs and not _unanswered(journal):
        yield f"auction: {(ours - theirs).total()} answers are lost, {(theirs - ours).total()} bids were answered to nobody"


def _leaves(_market: Market, _journal: Journal) -> Iterator[str]:
    from huangpu.core.log.verify import differing

    _computed, wrong = differing(None)
    if wrong:
        yield f"log: {len(wrong)} events differ from their leaf: {', '.join(map(str, wrong[:SHOWN]))}"


def _number(call: Call) -> str:
    return call.path.split("/")[2]


def _tender(call: Call) -> str:
    return str(call.answer.get("id", "?")) if call.kind == "tender.plan" else call.path.split("/")[2]

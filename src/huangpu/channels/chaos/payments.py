"""The reckoning of payments: what the banks have in their books, what the house has in its own, what the clients know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from huangpu.channels.simulators.banks import BANKS
from huangpu.channels.simulators.book import Book

from .audit import exactly_once
from .journal import Journal
from .market import MONEY, Market

DONE = "SELECT id::text, amount FROM operations_operation WHERE provider = %s AND state = 'succeeded'"
LEFT = "SELECT count(*) FROM operations_operation WHERE next_ask_at IS NOT NULL"
PAYER_PAID = """
SELECT coalesce(sum(CASE o.verb WHEN 'refund' THEN -o.amount ELSE o.amount END), 0)::bigint FROM operations_operation o
WHERE o.provider = 'wallet' AND o.state = 'succeeded'
"""


def ask_the_rest(data: Path) -> int:
    """Asks for what is without an end yet, as the worker would in its time; returns how many are left. Payers who have not
    decided at their bank when the killing is over do not pay."""
    from huangpu.core import clock
    from huangpu.core.db import rows
    from huangpu.payments.operations import asking
    from huangpu.payments.operations.models import Operation

    book = Book(data / "simulators.db")
    for id, bank in Operation.objects.filter(next_ask_at__isnull=False).values_list("pk", "provider"):
        asking.attempt(id, now=clock.now())  # it may not have been sent yet
        if bank in BANKS and book.find(bank, id) is not None:
            book.decide(bank, id, agreed=False, now=clock.now())
            asking.attempt(id, now=clock.now())
    return int(rows(LEFT)[0][0])


def payments(market: Market, journal: Journal, data: Path) -> Iterator[str]:
    """Every line is something that does not fit."""
    from huangpu.core.db import rows
    from huangpu.flows.funds.queries import balances, wallet
    from huangpu.flows.funds.rules import account_id
    from huangpu.payments.checkout.models import Checkout
    from huangpu.payments.gateway.provider import provider_id
    from huangpu.payments.operations.models import Operation

    titles = Checkout.objects.filter(marketplace_id=market.id).values_list("title", flat=True)
    yield from exactly_once("checkouts", journal.of("payment.open"), Counter(title.split()[-1] for title in titles))
    by_checkout = Operation.objects.filter(
        verb="refund", payment__checkout__isnull=False
    )  # terminals have their own reckoning
    asked = Counter(by_checkout.values_list("amount", "holder_id"))
    told = Counter((call.body["amount"], call.by.id) for call in journal.acknowledged("payment.refund"))
    if asked != told:
        yield f"refunds: {(told - asked).total()} are lost, {(asked - told).total()} nobody was told of"
    book = Book(data / "simulators.db")
    for bank in BANKS:
        account = account_id(market.id, "bank", provider_id(bank), "CNY")
        found = balances([account]).get(account)
        owed = -found.posted if found else 0
        if owed != book.balance(bank, "CNY"):
            yield f"{bank}: its book says {book.balance(bank, 'CNY')}, ours {owed}"
        theirs = {str(one.order.id): one.order.amount for one in book.entries(bank, 10**9) if one.state == "done"}
        ours = dict(rows(DONE, [bank]))
        if theirs != ours:
            there, here = theirs.keys() - ours.keys(), ours.keys() - theirs.keys()
            yield f"{bank}: {len(there)} orders are done there only, {len(here)} here only"
    paid = int(rows(PAYER_PAID)[0][0])
    if (left := wallet(market.id, market.payer.id, "CNY").posted) != MONEY - paid:
        yield f"the payer has {left} left, by its payments {MONEY - paid}"

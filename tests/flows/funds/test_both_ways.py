"""A small group goes the quick way, and whatever it leaves behind is what the long way leaves behind."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest

from huangpu.core.db import rows
from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds import acts, verify
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Item, Transfer, Void

pytestmark = pytest.mark.django_db

LONG = acts.GROUP_SQL.replace("ledger_group", "ledger_post")
BOOKS = """
SELECT a.book, a.posted_debit, a.posted_credit, a.pending_debit, a.pending_credit,
       (SELECT array_agg(ARRAY[s.posted_debit, s.posted_credit, s.pending_debit, s.pending_credit])
        FROM funds_subbalance s WHERE s.account_id = a.id)
FROM funds_account a WHERE a.marketplace_id = %s ORDER BY a.book, a.currency, a.balance_max
"""
TRANSFERS = """
SELECT t.kind, t.phase, t.amount, t.rest, t.closes, d.book, c.book, n.book, t.hold_id IS NULL,
       t.group_id IS NULL, t.reference_id
FROM funds_transfer t JOIN funds_account d ON d.id = t.debit_id JOIN funds_account c ON c.id = t.credit_id
LEFT JOIN funds_account n ON n.id = t.nominal_id WHERE t.marketplace_id = %s ORDER BY t.id
"""
HOLDS = "SELECT amount, captured, voided, state FROM funds_hold WHERE marketplace_id = %s ORDER BY id"


class World:
    """A marketplace's books, posted to in one of the two ways."""

    def __init__(self, quick: bool) -> None:
        self.quick, self.market = quick, uuid7()
        self.specs = [
            AccountSpec(self.market, "wallet", uuid7(), "CNY"),
            *(AccountSpec(self.market, book, None, "CNY") for book in ("bank", "escrow", "fees")),
        ]
        acts.ensure_accounts(self.specs)
        self.wallet, self.bank, self.escrow, self.fees = (spec.id for spec in self.specs)
        self.holds: list[UUID] = []
        acts.post([self._item(Transfer, debit=self.bank, credit=self.wallet, amount=1_000, kind="in")])

    def _item(self, made: type, **facts: Any) -> Item:
        reference = {} if made in (Capture, Void) else {"reference": UUID(int=7)}
        return made(id=uuid7(), marketplace_id=self.market, **facts, **reference)  # type: ignore[no-any-return]

    def group(self, chance: random.Random) -> str:
        """Posts one random group; what it was answered."""
        if not self.holds or chance.random() < 0.4:
            made = [
                self._item(Hold, debit=self.wallet, credit=self.escrow, amount=chance.randrange(1, 200), kind="hold")
                for _ in range(chance.randrange(1, 3))
            ]
        else:
            hold = chance.choice(self.holds)
            made = [
                self._item(Void, hold_id=hold, amount=chance.randrange(1, 60))
                if chance.random() < 0.3
                else self._item(Capture, hold_id=hold, amount=chance.randrange(1, 60),
                                credit=chance.choice([None, self.fees, self.wallet]), final=chance.random() < 0.1)
                for _ in range(chance.randrange(1, 4))
            ]  # fmt: skip
        answer = self._post(made)
        self.holds += [item.id for item in made if isinstance(item, Hold) and answer == "posted"]
        return answer

    def _post(self, items: list[Item]) -> str:
        if self.quick:
            try:
                return acts.post(items)[0].result
            except HuangpuError as refused:
                return refused.code.removeprefix("transfer.")
        columns = [list(column) for column in zip(*map(acts._columns, items), strict=True)]
        return str(rows(LONG, [*columns, uuid7() if len(items) > 1 else None, None])[0][1])

    def state(self) -> list[Any]:
        return [rows(sql, [self.market]) for sql in (BOOKS, TRANSFERS, HOLDS)]


@pytest.mark.parametrize("seed", range(12))
def test_the_quick_way_leaves_what_the_long_way_leaves(seed: int) -> None:
    quick, long = World(True), World(False)
    one, other = random.Random(seed), random.Random(seed)
    answers = [(quick.group(one), long.group(other)) for _ in range(40)]
    assert [a for a, _ in answers] == [b for _, b in answers]
    assert "posted" in {a for a, _ in answers}
    assert len({a for a, _ in answers}) > 1, "some of them must be refused, or the quick way's undoing is not tried"
    assert quick.state() == long.state()
    assert all(check.ok for check in verify.checks())

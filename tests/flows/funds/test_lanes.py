"""The lanes answer each group as it would have been answered alone, and leave behind what that leaves behind."""

from __future__ import annotations

import random
import threading
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from huangpu.core.db import execute, rows
from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds import acts, lanes, verify
from huangpu.flows.funds.lanes import Answer, Group, GroupCommit, post_each
from huangpu.flows.funds.models import Transfer as Posted
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Item, Limits, Transfer

from .test_both_ways import HOLDS, TRANSFERS

SINGLES: str = import_module("huangpu.flows.funds.migrations.0005_many_singles").SINGLES
BALANCES = """
SELECT a.book, a.currency, a.balance_max, a.posted_debit + coalesce(s.d, 0), a.posted_credit + coalesce(s.c, 0),
       a.pending_debit + coalesce(s.pd, 0), a.pending_credit + coalesce(s.pc, 0)
FROM funds_account a LEFT JOIN (
  SELECT account_id, sum(posted_debit) d, sum(posted_credit) c, sum(pending_debit) pd, sum(pending_credit) pc
  FROM funds_subbalance GROUP BY 1) s ON s.account_id = a.id
WHERE a.marketplace_id = %s ORDER BY a.book, a.currency, a.balance_max, a.holder_id
"""


class Bank:
    """The same books in a marketplace of their own, as often as they are made."""

    def __init__(self) -> None:
        self.market = uuid7()
        specs = [
            *(AccountSpec(self.market, "wallet", UUID(int=holder), "CNY") for holder in range(1, 4)),
            AccountSpec(self.market, "wallet", UUID(int=4), "CNY", Limits(balance_min=0, balance_max=1_500)),
            AccountSpec(self.market, "wallet", UUID(int=5), "EUR"),
            *(AccountSpec(self.market, book, None, "CNY") for book in ("bank", "escrow", "fees")),
        ]
        acts.ensure_accounts(specs)
        self.accounts = [spec.id for spec in specs]
        self.ids: dict[int, UUID] = {}
        for wallet in self.accounts[:4]:
            acts.post([self.transfer(uuid7(), self.accounts[5], wallet, 1_000)])

    def transfer(self, id: UUID, debit: UUID, credit: UUID, amount: int) -> Transfer:
        return Transfer(id=id, marketplace_id=self.market, debit=debit, credit=credit, amount=amount, kind="x",
                        reference=UUID(int=7))  # fmt: skip

    def group(self, plan: tuple[Any, ...]) -> list[Item]:
        """What a plan says, with this bank's accounts and ids."""
        what, number, debit, credit, amount = plan
        id = self.ids.setdefault(number, uuid7())
        payer = self.accounts[debit] if debit < len(self.accounts) else uuid7()
        match what:
            case "hold":
                return [Hold(id=id, marketplace_id=self.market, debit=payer, credit=self.accounts[6], amount=amount,
                             kind="hold", reference=UUID(int=7))]  # fmt: skip
            case "capture":
                return [Capture(id=uuid7(), marketplace_id=self.market, hold_id=id, amount=amount)]
            case "linked":
                there, back = (payer, self.accounts[credit]), (self.accounts[credit], self.accounts[7])
                return [self.transfer(id, *there, amount), self.transfer(uuid7(), *back, amount)]
        return [self.transfer(id, payer, self.accounts[credit], amount)]

    def books(self) -> list[Any]:
        return [rows(sql, [self.market]) for sql in (BALANCES, TRANSFERS, HOLDS)]


def planned(chance: random.Random) -> list[tuple[Any, ...]]:
    """Mostly transfers, of which some pay too much, too little, twice, to themselves, in two currencies, or from nobody."""
    kinds = ("transfer",) * 12 + ("hold", "capture", "linked")
    return [
        (
            chance.choice(kinds),
            chance.randrange(40),
            chance.choice((0, 1, 2, 3, 5, 7)) if chance.random() < 0.97 else chance.choice((4, 99)),
            chance.choice((0, 1, 2, 3, 6, 7)),
            chance.choice((1, 10, 100, 400)) if chance.random() < 0.97 else 0,
        )
        for _ in range(chance.randrange(1, 30))
    ]


def one_by_one(groups: list[Group]) -> list[Answer]:
    return [lanes._alone(group, None) for group in groups]


def told(answers: list[Answer]) -> list[str]:
    return [one.code if isinstance(one, HuangpuError) else ",".join(item.result for item in one) for one in answers]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(25))
def test_many_at_once_are_answered_as_one_after_the_other(seed: int) -> None:
    chance, lane, line = random.Random(seed), Bank(), Bank()
    for _ in range(4):
        plans = planned(chance)
        assert told(post_each([lane.group(plan) for plan in plans])) == told(one_by_one([*map(line.group, plans)])), (
            plans
        )
    assert lane.books() == line.books()
    assert not [check.detail for check in verify.checks() if not check.ok]


@pytest.mark.django_db
def test_a_lane_that_lets_one_pay_with_what_another_brings_would_be_found() -> None:
    """Planted: limits are held by the constraint alone, for the net of all."""
    judged = [line for line in SINGLES.splitlines() if "IS NOT FALSE" in line]
    assert len(judged) == 2
    lax = SINGLES.replace("CREATE", "CREATE OR REPLACE")
    for line in judged:
        lax = lax.replace(line + "\n", "") if not line.endswith(";") else lax.replace(line, ";")
    execute(lax)
    bank, line_bank = Bank(), Bank()
    plans = [
        ("transfer", 1, 0, 1, 400),
        ("transfer", 2, 0, 1, 400),
        ("transfer", 3, 0, 1, 400),
        ("transfer", 4, 1, 0, 400),
    ]
    together = told(post_each([bank.group(plan) for plan in plans]))
    assert together != told(one_by_one([line_bank.group(plan) for plan in plans]))


@pytest.mark.django_db
def test_what_goes_together_is_one_call() -> None:
    bank = Bank()
    groups = [bank.group(("transfer", number, number % 3, 7, 1)) for number in range(500)]
    with CaptureQueriesContext(connection) as seen:
        answers = post_each(groups)
    assert told(answers) == ["posted"] * 500
    assert len([one for one in seen if "SAVEPOINT" not in str(one["sql"])]) == 1


@pytest.mark.django_db(transaction=True)
def test_many_callers_are_answered_durably_and_each_for_itself() -> None:
    bank, answers = Bank(), dict[int, str]()

    def call(number: int) -> None:
        try:
            amount = 5_000 if number % 10 == 9 else 1
            answers[number] = lane.post(bank.group(("transfer", number, number % 3, 7, amount)))[0].result
        except HuangpuError as refused:
            answers[number] = refused.code

    with GroupCommit() as lane:
        callers = [threading.Thread(target=call, args=[number]) for number in range(60)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    assert answers == {n: "transfer.exceeds_floor" if n % 10 == 9 else "posted" for n in range(60)}
    assert Posted.objects.filter(kind="x", marketplace_id=bank.market).count() == 4 + 54
    assert not [check.detail for check in verify.checks() if not check.ok]


@pytest.mark.django_db(transaction=True)
def test_when_the_writer_fails_nobody_waits_and_the_same_again_is_posted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Bank()
    group, real = bank.group(("transfer", 1, 0, 7, 10)), lanes.post_each

    def cut(groups: list[Group]) -> list[Answer]:
        real(groups)  # committed, and the line is cut before the answer
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(lanes, "post_each", cut)
    with GroupCommit() as lane:
        with pytest.raises(HuangpuError) as refused:
            lane.post(group)
        monkeypatch.setattr(lanes, "post_each", real)
        assert lane.post(group)[0].result == "existing"
    assert refused.value.code == "transfer.unknown"
    assert bank.books()[0] != Bank().books()[0]
    assert Posted.objects.filter(pk=group[0].id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_finds_the_lane_full_is_sent_away_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, began, goes_on, real = Bank(), threading.Event(), threading.Event(), lanes.post_each

    def slow(groups: list[Group]) -> list[Answer]:
        began.set()
        assert goes_on.wait(30)
        return real(groups)

    monkeypatch.setattr(lanes, "post_each", slow)
    with GroupCommit(waiting_max=2) as lane:
        first = lane.ask(bank.group(("transfer", 0, 0, 7, 1)))
        assert began.wait(30)  # the writer is at work: from now on they wait
        others = [lane.ask(bank.group(("transfer", number, 0, 7, 1))) for number in (1, 2)]
        with pytest.raises(HuangpuError) as refused:
            lane.ask(bank.group(("transfer", 3, 0, 7, 1)))
        goes_on.set()
        assert [one.result(30)[0].result for one in (first, *others)] == ["posted"] * 3
    assert refused.value.code == "transfer.lane_full"
    connection.close()

"""The lanes answer each group as it would have been answered alone, and leave behind what that leaves behind."""

from __future__ import annotations

import asyncio
import random
import threading
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from huangpu.core.db import execute, rows
from huangpu.core.errors import Conflict, HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds import acts, lanes, verify
from huangpu.flows.funds.lanes import Answer, Group, GroupCommit, post_each
from huangpu.flows.funds.models import Transfer as Posted
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Item, Limits, Transfer

from .test_both_ways import HOLDS, TRANSFERS

EACH: str = import_module("huangpu.flows.funds.migrations.0006_each_group").EACH
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
    judged = [line for line in EACH.splitlines() if "IS NOT FALSE" in line]
    assert len(judged) == 2
    lax = EACH.replace("CREATE", "CREATE OR REPLACE")
    for line in judged:
        lax = lax.replace(line + "\n", "")
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


@pytest.mark.django_db
def test_linked_groups_of_transfers_go_together_too_each_under_an_id_of_its_own() -> None:
    bank = Bank()
    groups = [bank.group((what, number, number % 3, 6, 1)) for number, what in enumerate(["linked", "transfer"] * 20)]
    with CaptureQueriesContext(connection) as seen:
        answers = post_each(groups)
    assert told(answers) == ["posted,posted", "posted"] * 20
    assert len([one for one in seen if "SAVEPOINT" not in str(one["sql"])]) == 1
    linked = [set(Posted.objects.filter(pk__in=[one.id for one in group]).values_list("group_id")) for group in groups]
    assert all(len(ids) == 1 for ids in linked)
    assert linked[1] == {(None,)}
    assert len(set.union(*linked[::2])) == 20


@pytest.mark.django_db(transaction=True)
def test_many_callers_are_answered_durably_and_each_for_itself() -> None:
    bank = Bank()

    async def call(lane: GroupCommit, number: int) -> str:
        try:
            amount = 5_000 if number % 10 == 9 else 1
            return (await lane.post(bank.group(("transfer", number, number % 3, 7, amount))))[0].result
        except HuangpuError as refused:
            return refused.code

    async def all_of_them() -> list[str]:
        async with GroupCommit() as lane:
            return await asyncio.gather(*(call(lane, number) for number in range(60)))

    assert asyncio.run(all_of_them()) == ["transfer.exceeds_floor" if n % 10 == 9 else "posted" for n in range(60)]
    assert Posted.objects.filter(kind="x", marketplace_id=bank.market).count() == 4 + 54
    assert not [check.detail for check in verify.checks() if not check.ok]


@pytest.mark.django_db(transaction=True)
def test_who_asks_while_a_commit_is_on_its_way_goes_into_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, sizes, real = Bank(), list[int](), lanes.post_each

    def counted(groups: list[Group]) -> list[Answer]:
        sizes.append(len(groups))
        return real(groups)

    monkeypatch.setattr(lanes, "post_each", counted)

    async def call(lane: GroupCommit, number: int) -> None:
        for turn in range(3):
            await lane.post(bank.group(("transfer", 100 * turn + number, number % 3, 7, 1)))

    async def all_of_them() -> None:
        async with GroupCommit(groups_max=30) as lane:
            await asyncio.gather(*(call(lane, number) for number in range(40)))

    asyncio.run(all_of_them())
    assert sizes == [30, 30, 30, 30]


@pytest.mark.django_db(transaction=True)
def test_when_the_writer_fails_nobody_waits_and_the_same_again_is_posted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = Bank()
    group, real = bank.group(("transfer", 1, 0, 7, 10)), lanes.post_each

    def cut(groups: list[Group]) -> list[Answer]:
        real(groups)  # committed, and the line is cut before the answer
        raise OperationalError("server closed the connection unexpectedly")

    async def twice() -> None:
        async with GroupCommit() as lane:
            monkeypatch.setattr(lanes, "post_each", cut)
            with pytest.raises(HuangpuError) as refused:
                await lane.post(group)
            assert refused.value.code == "transfer.unknown"
            monkeypatch.setattr(lanes, "post_each", real)
            assert (await lane.post(group))[0].result == "existing"
        with pytest.raises(RuntimeError, match="has ended"):
            lane.ask(group)

    asyncio.run(twice())
    assert bank.books()[0] != Bank().books()[0]
    assert Posted.objects.filter(pk=group[0].id).count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_a_busy_database_refuses_is_known_not_to_be_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, busy = Bank(), Conflict("database.busy", "busy")

    def refused(_groups: list[Group]) -> list[Answer]:
        raise busy

    monkeypatch.setattr(lanes, "post_each", refused)

    async def once() -> None:
        async with GroupCommit() as lane:
            await lane.post(bank.group(("transfer", 1, 0, 7, 10)))

    with pytest.raises(HuangpuError) as said:
        asyncio.run(once())
    assert said.value is busy


@pytest.mark.django_db(transaction=True)
def test_who_finds_the_lane_full_is_sent_away_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, goes_on, real = Bank(), threading.Event(), lanes.post_each

    def slow(groups: list[Group]) -> list[Answer]:
        assert goes_on.wait(30)
        return real(groups)

    monkeypatch.setattr(lanes, "post_each", slow)

    async def crowd() -> list[str]:
        async with GroupCommit(waiting_max=2) as lane:
            asked = [lane.ask(bank.group(("transfer", 0, 0, 7, 1)))]
            await asyncio.sleep(0)  # a turn of the loop: the writer has it, and from now on they wait
            asked += [lane.ask(bank.group(("transfer", number, 0, 7, 1))) for number in (1, 2)]
            with pytest.raises(HuangpuError) as refused:
                lane.ask(bank.group(("transfer", 3, 0, 7, 1)))
            assert refused.value.code == "transfer.lane_full"
            goes_on.set()
            return [(await one)[0].result for one in asked]

    assert asyncio.run(crowd()) == ["posted"] * 3

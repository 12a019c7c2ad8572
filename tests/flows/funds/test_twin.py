"""The ledger against its naive twin: every result, every balance, and every balance at every instant."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from huangpu.core.db import row
from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.flows.funds import acts, queries, verify
from huangpu.flows.funds.models import Hold as HoldRow
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Item, Limits, Transfer, Void

from .oracle import Twin, TwinRefused

START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


class LedgerAndTwin(RuleBasedStateMachine):
    """Random linked groups of all kinds, with known ids, wrong accounts and wrong holds among them."""

    @initialize()
    def open_accounts(self) -> None:
        self.twin, self.now, self.sent = Twin(), START, list[Item]()
        self.instants: list[tuple[datetime, dict[UUID, tuple[int, ...]]]] = []
        self.market, other = uuid7(), uuid7()
        specs = [
            AccountSpec(self.market, "wallet", uuid7(), "CNY"),
            AccountSpec(self.market, "wallet", uuid7(), "CNY", Limits(balance_min=-500)),
            AccountSpec(self.market, "wallet", uuid7(), "CNY", Limits(balance_min=0, balance_max=600)),
            AccountSpec(self.market, "escrow", None, "CNY"),
            AccountSpec(self.market, "bank", None, "CNY", Limits()),
            AccountSpec(self.market, "fees", None, "CNY"),
            AccountSpec(self.market, "wallet", uuid7(), "USD", Limits(balance_min=-500)),
            AccountSpec(other, "wallet", uuid7(), "CNY", Limits()),
        ]
        acts.ensure_accounts(specs)
        for spec in specs:
            self.twin.open(spec)
        # most draws are of accounts that can trade with each other; the last three cannot, or are not there
        self.accounts = [spec.id for spec in specs[:6]] * 3 + [specs[6].id, specs[7].id, uuid7()]

    def new_item(self, data: Any, group: list[Item]) -> Item:
        kind = data.draw(
            st.sampled_from(["transfer", "transfer", "hold", "hold", "capture", "capture", "void", "again"])
        )
        holds = [item.id for item in [*self.sent, *group] if isinstance(item, Hold)]
        amount = data.draw(st.integers(1, 300))
        if kind == "again" and (self.sent or group):
            item = data.draw(st.sampled_from([*self.sent, *group]))
            changed = data.draw(st.sampled_from(["same", "same", "same", "kind", "amount"]))
            return item if changed == "same" else replace(
                item, **({"kind": "other"} if changed == "kind" else {"amount": (item.amount or 0) + 1})  # type: ignore[union-attr]
            )  # fmt: skip
        facts: dict[str, Any] = {"id": uuid7(), "marketplace_id": self.market, "kind": kind}
        if kind in ("capture", "void") and holds:
            facts["hold_id"] = data.draw(st.sampled_from([*holds[-4:], *holds[-4:], uuid7()]))
            if kind == "void":
                return Void(**facts, amount=data.draw(st.sampled_from([amount, amount, None])))
            target = data.draw(st.sampled_from([None, *self.accounts]))
            return Capture(**facts, amount=amount, credit=target, final=data.draw(st.booleans()))
        debit, credit = data.draw(st.sampled_from(self.accounts)), data.draw(st.sampled_from(self.accounts))
        facts |= {"debit": debit, "credit": credit, "amount": amount, "reference": uuid7()}
        if kind != "hold":
            return Transfer(**facts)
        return Hold(**facts, expires_at=data.draw(st.sampled_from([None, None, self.now + timedelta(minutes=10)])))

    @rule(data=st.data(), size=st.sampled_from([1, 1, 2, 3, 5]))
    def post(self, data: Any, size: int) -> None:
        group: list[Item] = []
        for _ in range(size):
            group.append(self.new_item(data, group))
        said = self.said_by_twin(group)
        try:
            found: Any = [outcome.result for outcome in acts.post(group, now=self.now)]
        except HuangpuError as refused:
            found = (refused.code, refused.params["index"])
        assert found == said, group
        if isinstance(found, list):
            self.sent += [item for item, result in zip(group, found, strict=True) if result == "posted"]
        self.compare()

    def said_by_twin(self, group: list[Item]) -> Any:
        try:
            return self.twin.post(group, self.now)
        except TwinRefused as refused:
            return refused.code, refused.index

    @rule(minutes=st.sampled_from([1, 9, 30]))
    def let_time_pass(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def sweep(self) -> None:
        from huangpu.flows.funds.rules import Expiry

        due = [
            hold.item for hold in self.twin.holds.values()
            if hold.state == "pending" and hold.item.expires_at and hold.item.expires_at <= self.now
        ]  # fmt: skip
        self.twin.post(
            [Expiry(id=uuid7(), marketplace_id=hold.marketplace_id, hold_id=hold.id) for hold in due], self.now
        )
        assert self.expired_of_ours() == len(due)
        self.compare()

    def expired_of_ours(self) -> int:
        before = HoldRow.objects.filter(marketplace_id=self.market, state="expired").count()
        acts.expire_holds(now=self.now, limit=10_000)
        return HoldRow.objects.filter(marketplace_id=self.market, state="expired").count() - before

    def compare(self) -> None:
        expected = {id: account.sums() for id, account in self.twin.accounts.items()}
        assert self.sums() == expected
        holds = {id: (hold.captured, hold.voided, hold.state) for id, hold in self.twin.holds.items()}
        found = HoldRow.objects.filter(marketplace_id=self.market).values_list("id", "captured", "voided", "state")
        assert {id: tuple(rest) for id, *rest in found} == holds
        clock = row("SELECT clock_timestamp()")
        assert clock is not None
        self.instants.append((clock[0], expected))

    def sums(self) -> dict[UUID, tuple[int, ...]]:
        return {id: four(found) for id, found in queries.balances(list(self.twin.accounts)).items()}

    def teardown(self) -> None:
        if not hasattr(self, "instants"):
            return
        for instant, expected in self.instants:
            for account, sums in expected.items():
                assert four(queries.balance_at(account, instant)) == sums
        for account in self.twin.accounts:
            self.read_back(account)
        broken = [check.name for check in verify.checks() if not check.ok]
        assert not broken, broken

    def read_back(self, account: UUID) -> None:
        """The statement, page by page, walks from today's balance to nothing."""
        cursor, lines = None, list[queries.Entry]()
        while True:
            page = queries.statement(account, cursor, limit=3)
            lines += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        posted, held = 0, 0
        for line in reversed(lines):
            posted, held = posted + line.posted, held + line.held
            assert (line.balance, line.held_after) == (posted, held)
        assert (posted, held) == (queries.balance(account).posted, queries.balance(account).held)


def four(balance: queries.Balance) -> tuple[int, int, int, int]:
    return balance.posted_debit, balance.posted_credit, balance.pending_debit, balance.pending_credit


def play(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        LedgerAndTwin,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


@pytest.mark.django_db
def test_the_ledger_does_what_its_naive_twin_does() -> None:
    play(examples=40, steps=15)


@pytest.mark.soak
@pytest.mark.django_db
def test_the_ledger_does_what_its_naive_twin_does_for_long() -> None:
    play(examples=1_000, steps=60)

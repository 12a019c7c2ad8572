"""The naive twin of the ledger: dictionaries, one item after the other, and an undo by copying everything."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from huangpu.flows.funds.rules import AccountSpec, Capture, Expiry, Hold, Item, Transfer, Void


@dataclass
class TwinAccount:
    spec: AccountSpec
    posted_debit: int = 0
    posted_credit: int = 0
    pending_debit: int = 0
    pending_credit: int = 0

    def sums(self) -> tuple[int, int, int, int]:
        return self.posted_debit, self.posted_credit, self.pending_debit, self.pending_credit


@dataclass
class TwinHold:
    item: Hold
    left: int
    captured: int = 0
    voided: int = 0
    state: str = "pending"


class TwinRefused(Exception):
    def __init__(self, code: str, index: int) -> None:
        self.code, self.index = f"transfer.{code}", index
        super().__init__(f"{self.code} at {index}")


@dataclass
class Twin:
    accounts: dict[UUID, TwinAccount] = field(default_factory=dict)
    holds: dict[UUID, TwinHold] = field(default_factory=dict)
    known: dict[UUID, Any] = field(default_factory=dict)

    def open(self, spec: AccountSpec) -> None:
        self.accounts.setdefault(spec.id, TwinAccount(spec))

    def post(self, items: list[Item], now: datetime) -> list[str]:
        """Results by item, or TwinRefused with everything as it was."""
        before = copy.deepcopy((self.accounts, self.holds, self.known))
        try:
            results = [self._one(index, item, now) for index, item in enumerate(items)]
            self._limits(items, results)
        except TwinRefused:
            self.accounts, self.holds, self.known = before
            raise
        return results

    def _one(self, index: int, item: Item, now: datetime) -> str:
        content = self._content(item)
        if item.id in self.known:
            if self.known[item.id] == content:
                return "existing"
            raise TwinRefused("id_reused", index)
        if isinstance(item, Transfer | Hold):
            debit, credit = self._accounts(index, item.marketplace_id, item.debit, item.credit)
            if isinstance(item, Transfer):
                debit.posted_debit += item.amount
                credit.posted_credit += item.amount
            else:
                debit.pending_debit += item.amount
                credit.pending_credit += item.amount
                self.holds[item.id] = TwinHold(item, item.amount)
        else:
            self._of_hold(index, item, now)
        self.known[item.id] = content
        return "posted"

    def _of_hold(self, index: int, item: Capture | Void | Expiry, now: datetime) -> None:
        hold = self.holds.get(item.hold_id)
        if hold is None or hold.item.marketplace_id != item.marketplace_id:
            raise TwinRefused("hold_unknown", index)
        target = item.credit if isinstance(item, Capture) and item.credit else hold.item.credit
        debit, credit = self._accounts(index, item.marketplace_id, hold.item.debit, target)
        nominal = self.accounts[hold.item.credit]
        due = hold.item.expires_at is not None and hold.item.expires_at <= now
        if hold.state != "pending" or due != isinstance(item, Expiry):
            raise TwinRefused("hold_closed", index)
        amount = hold.left if isinstance(item, Expiry) or item.amount is None else item.amount
        if amount > hold.left:
            raise TwinRefused("hold_exhausted", index)
        rest = hold.left - amount if isinstance(item, Capture) and item.final else 0
        hold.left -= amount + rest
        debit.pending_debit -= amount + rest
        nominal.pending_credit -= amount + rest
        if isinstance(item, Capture):
            debit.posted_debit += amount
            credit.posted_credit += amount
            hold.captured += amount
            hold.voided += rest
        else:
            hold.voided += amount
        if not hold.left:
            hold.state = "expired" if isinstance(item, Expiry) else "posted" if hold.captured else "voided"

    def _accounts(self, index: int, market: UUID, debit: UUID, credit: UUID) -> tuple[TwinAccount, TwinAccount]:
        pair = self.accounts.get(debit), self.accounts.get(credit)
        if pair[0] is None or pair[1] is None or any(one and one.spec.marketplace_id != market for one in pair):
            raise TwinRefused("account_unknown", index)
        if debit == credit:
            raise TwinRefused("same_account", index)
        if pair[0].spec.currency != pair[1].spec.currency:
            raise TwinRefused("currency_mismatch", index)
        return pair[0], pair[1]

    def _content(self, item: Item) -> Any:
        """What makes two items the same, with all that was left open filled in."""
        if isinstance(item, Transfer | Hold):
            return item
        hold = self.holds.get(item.hold_id)
        reference = item.reference or (hold.item.reference if hold else None)
        credit = getattr(item, "credit", None) or (hold.item.credit if hold else None)
        return type(item), item.marketplace_id, item.hold_id, reference, credit, item.kind, getattr(item, "amount", None), (
            getattr(item, "final", None)
        )  # fmt: skip

    def _limits(self, items: list[Item], results: list[str]) -> None:
        """The whole group counts; the first item that takes from (gives to) an account it breaks is named."""
        broken = []
        for id, account in self.accounts.items():
            kept, (pd, pc, nd, nc) = account.spec.kept, account.sums()
            if kept.balance_min is not None and pc - pd - nd < kept.balance_min:
                broken.append((self._first(items, results, id, taking=True), 1, str(id), "exceeds_floor"))
            if kept.balance_max is not None and pc + nc - pd > kept.balance_max:
                broken.append((self._first(items, results, id, taking=False), 2, str(id), "exceeds_ceiling"))
        if broken:
            index, _side, _id, code = min(broken)
            raise TwinRefused(code, index)

    def _first(self, items: list[Item], results: list[str], account: UUID, *, taking: bool) -> int:
        for index, (item, result) in enumerate(zip(items, results, strict=True)):
            if result != "posted":
                continue
            if isinstance(item, Transfer | Hold):
                found = item.debit if taking else item.credit
            elif isinstance(item, Capture) and not taking:  # what is captured was not available before either
                found = item.credit or self.holds[item.hold_id].item.credit
            else:
                continue
            if found == account:
                return index
        raise AssertionError("an account that nobody touched is beyond its limits")

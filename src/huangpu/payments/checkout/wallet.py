"""The payer's own wallet as a provider like any other: what it does is one transfer in our own ledger, through an account in
the book "bank" that is empty when nothing is under way.

A purchase comes from the wallet that `WalletPayer` names; a refund goes back to the wallet that paid.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from huangpu.core.db import one_act
from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7_of
from huangpu.flows.funds.acts import ensure_accounts, post
from huangpu.flows.funds.models import Transfer as Posted
from huangpu.flows.funds.rules import AccountSpec, Transfer
from huangpu.payments.gateway.provider import Answer, Order, provider_id
from huangpu.payments.operations.models import Operation

from .models import WalletPayer
from .rules import WALLET

TITLE = {"en": "Wallet", "zh-hans": "钱包"}
KIND = "wallet_payment"


class OwnWallet:
    """Does each order in one transaction of its own, under the lock of the payer's row."""

    def send(self, order: Order) -> Answer:
        with one_act():
            payer = self._payer(order)
            if payer is None or payer.cancelled:
                return _answer(order, "declined", "cancelled" if payer else "no_wallet")
            if not _is_done(order):
                try:
                    self._move(order, payer.holder_id)
                except HuangpuError as refused:
                    if refused.code != "transfer.exceeds_floor":
                        raise
                    return _answer(order, "declined", "insufficient_funds")
            return _answer(order, "succeeded")

    def query(self, order: Order) -> Answer:
        if _is_done(order):
            return _answer(order, "succeeded")
        with one_act():
            payer = self._payer(order)
        if payer is None or payer.cancelled:
            return _answer(order, "declined", "cancelled" if payer else "no_wallet")
        return _answer(order, "not_found")

    def cancel(self, order: Order) -> Answer:
        with one_act():
            payer = self._payer(order)
            if payer is not None and _is_done(order):
                return _answer(order, "succeeded")
            if payer is not None and order.verb == "purchase":
                payer.cancelled = True
                payer.save(update_fields=["cancelled"])
                return _answer(order, "declined", "cancelled")
        return self.send(order)  # a refund is held already; it is cheaper to do than to take back

    def _payer(self, order: Order) -> WalletPayer | None:
        """Whose wallet it is about, locked."""
        paid = order.id if order.verb == "purchase" else order.about if order.verb == "refund" else None
        return WalletPayer.objects.select_for_update().filter(pk=paid).first() if paid else None

    def _move(self, order: Order, holder: UUID) -> None:
        market = Operation.objects.values_list("marketplace_id", flat=True).get(pk=order.id)
        wallet = AccountSpec(market, "wallet", holder, order.currency)
        through = AccountSpec(market, "bank", provider_id(WALLET), order.currency)
        ensure_accounts([wallet, through])
        debit, credit = (wallet, through) if order.verb == "purchase" else (through, wallet)
        move = Transfer(id=_transfer_id(order), marketplace_id=market, debit=debit.id, credit=credit.id, amount=order.amount,
                        kind=KIND, reference=order.id)  # fmt: skip
        post([move])


def _transfer_id(order: Order) -> UUID:
    return uuid7_of(order.id, "wallet")


def _is_done(order: Order) -> bool:
    return Posted.objects.filter(pk=_transfer_id(order)).exists()


def _answer(order: Order, status: str, reason: str = "") -> Answer:
    told = Answer(order.id, "succeeded", order.amount, order.currency)
    return replace(told, status=status, reason=reason)  # type: ignore[arg-type]

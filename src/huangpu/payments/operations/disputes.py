"""Chargebacks: a payer's bank takes money back, and the payee accepts it or answers with evidence until the bank decides.

The provider has the money from the first moment. What the payee's wallet lacks is owed to the marketplace (book "receivable")
and comes out of what the payee takes later; no wallet goes below zero.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, rows
from huangpu.core.errors import Conflict, Invalid, NotFound
from huangpu.core.ids import uuid7, uuid7_of
from huangpu.core.log.record import NewEvent, record
from huangpu.flows.funds.acts import ensure_accounts, post
from huangpu.flows.funds.queries import available, balance
from huangpu.flows.funds.rules import AccountSpec, Item, Transfer
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require, require_own
from huangpu.payments.gateway.provider import provider_id

from . import rules
from .models import Dispute, Payment

OWING = """
SELECT marketplace_id, holder_id, currency FROM funds_account WHERE book = 'receivable' AND posted_debit <> posted_credit
"""
REASON_MAX, EVIDENCE_MAX, REFERENCE_MAX = 64, 500, 64


@act
def open_dispute(*, actor: Actor, payment_id: UUID, reference: str, amount: int, reason: str, now: datetime) -> Dispute:
    """A provider told that a payer's bank takes `amount` (minor units) back; once for its `reference`, the very same again
    changes nothing.

    Refused: `payment.unknown`, `dispute.amount` (more than is left of what was captured), `.reference`, `.reason`,
    `.reference_used`.
    """
    payment = Payment.objects.select_for_update().filter(pk=payment_id).first()
    if payment is None:
        raise NotFound("payment.unknown", _("There is no payment %(value)s."), field="payment", value=str(payment_id))
    require(actor, "payments.tell_dispute", marketplace_id=payment.marketplace_id)
    for field, text, most in (("reference", reference, REFERENCE_MAX), ("reason", reason, REASON_MAX)):
        if not 0 < len(text) <= most or "\0" in text:
            raise Invalid(
                f"dispute.{field}", _("%(field)s has 1 to %(most)s characters, not %(value)s."),
                field=field, value=len(text), most=most,
            )  # fmt: skip
    made = Dispute(
        id=uuid7(), payment=payment, provider=payment.provider, reference=reference, amount=amount, reason=reason,
        opened_at=now, answer_by=now + rules.ANSWER_WITHIN,
    )  # fmt: skip
    found = Dispute.objects.filter(provider=payment.provider, reference=reference).first()
    if found is not None:
        return _same(found, made)
    _take(payment, amount)
    wallet, receivable, bank = _specs(payment)
    ensure_accounts([wallet, receivable, bank])
    made.lacking = max(0, amount - max(0, available(wallet.id)))
    made.save(force_insert=True)
    post(_moves(made, payment, won=False))
    _tell("dispute.opened", made, now, actor)
    return made


@act
def represent(*, actor: Actor, dispute_id: UUID, evidence: str, now: datetime) -> Dispute:
    """The payee answers with evidence: a text, and the names of documents. Refused: `dispute.unknown`, `.over`, `.late`,
    `.evidence`."""
    made = _own(actor, dispute_id)
    if not 0 < len(evidence.strip()) <= EVIDENCE_MAX or "\0" in evidence:
        raise Invalid(
            "dispute.evidence", _("Write what speaks for you, in 1 to %(most)s characters."),
            field="evidence", value=len(evidence), most=EVIDENCE_MAX,
        )  # fmt: skip
    _require(made, "opened")
    if now >= made.answer_by:
        raise Conflict("dispute.late", _("It could be answered until %(value)s."), field="dispute",
                       value=made.answer_by.isoformat())  # fmt: skip
    made.state, made.evidence = "represented", evidence.strip()
    made.save(update_fields=["state", "evidence"])
    _tell("dispute.represented", made, now, actor)
    return made


@act
def accept(*, actor: Actor, dispute_id: UUID, now: datetime) -> Dispute:
    """The payee lets the payer have the money. Refused: `dispute.unknown`, `.over`."""
    made = _own(actor, dispute_id)
    _require(made, "opened", "represented")
    return _end(made, "accepted", actor, now)


@act
def conclude(*, actor: Actor, dispute_id: UUID, won: bool, now: datetime) -> Dispute:
    """The provider told how it ended: won, the money comes back; or lost. Refused: `dispute.unknown`, `.over`."""
    made = _locked(dispute_id)
    require(actor, "payments.tell_dispute", marketplace_id=made.payment.marketplace_id)
    _require(made, "opened", "represented")
    if won:
        payment = Payment.objects.select_for_update().get(pk=made.payment_id)
        payment.charged_back -= made.amount
        payment.save(update_fields=["charged_back"])
        post(_moves(made, payment, won=True))
    return _end(made, "won" if won else "lost", actor, now)


@act
def collect_owed(*, marketplace_id: UUID, payee_id: UUID, currency: str) -> int:
    """What a payee owes comes out of its wallet as far as that has it; what it paid too much, because it won, goes back.
    Returns what has come, in minor units."""
    wallet = AccountSpec(marketplace_id, "wallet", payee_id, currency)
    receivable = AccountSpec(marketplace_id, "receivable", payee_id, currency)
    owed = -balance(receivable.id).posted
    amount = min(owed, max(0, available(wallet.id))) if owed > 0 else owed
    if amount:
        debit, credit = (wallet, receivable) if amount > 0 else (receivable, wallet)
        id = uuid7()
        post([Transfer(id=id, marketplace_id=marketplace_id, debit=debit.id, credit=credit.id, amount=abs(amount),
                       kind="owed", reference=id)])  # fmt: skip
    return amount


def owing() -> list[tuple[UUID, UUID, str]]:
    """Whose account in the book "receivable" is not even: marketplace, payee, currency."""
    return [(market, payee, currency) for market, payee, currency in rows(OWING)]


def _take(payment: Payment, amount: int) -> None:
    left = payment.captured - payment.refunding - payment.refunded - payment.charged_back
    if type(amount) is not int or not 0 < amount <= left:
        raise Invalid(
            "dispute.amount", _("“%(value)s” cannot be taken back; %(left)s (minor units) are left of what was captured."),
            field="amount", value=amount, left=left,
        )  # fmt: skip
    payment.charged_back += amount
    try:
        with transaction.atomic():
            payment.save(update_fields=["charged_back"])
    except IntegrityError as beyond:  # the constraint is the last word
        raise Conflict("payment.exhausted", _("Less than %(value)s is left of this payment for that."), field="amount",
                       value=amount) from beyond  # fmt: skip


def _moves(made: Dispute, payment: Payment, *, won: bool) -> list[Item]:
    """The wallet's part and what it lacked: to the provider, or back from it."""
    wallet, receivable, bank = _specs(payment)
    kind, found = "chargeback_won" if won else "chargeback", []
    for account, amount in ((wallet, made.amount - made.lacking), (receivable, made.lacking)):
        if amount:
            debit, credit = (bank, account) if won else (account, bank)
            found.append(Transfer(id=uuid7_of(made.id, kind, account.book), marketplace_id=payment.marketplace_id,
                                  debit=debit.id, credit=credit.id, amount=amount, kind=kind, reference=made.id))  # fmt: skip
    return list(found)


def _specs(payment: Payment) -> tuple[AccountSpec, AccountSpec, AccountSpec]:
    market, currency = payment.marketplace_id, payment.currency
    return (
        AccountSpec(market, "wallet", payment.payee_id, currency),
        AccountSpec(market, "receivable", payment.payee_id, currency),
        AccountSpec(market, "bank", provider_id(payment.provider), currency),
    )


def _same(found: Dispute, asked: Dispute) -> Dispute:
    if (found.payment_id, found.amount, found.reason) != (asked.payment_id, asked.amount, asked.reason):
        raise Conflict(
            "dispute.reference_used", _("The provider's reference “%(value)s” is another dispute's."),
            field="reference", value=found.reference,
        )  # fmt: skip
    return found


def _locked(dispute_id: UUID) -> Dispute:
    found = Dispute.objects.select_for_update(of=("self",)).select_related("payment").filter(pk=dispute_id).first()
    if found is None:
        raise _unknown(dispute_id)
    return found


def _own(actor: Actor, dispute_id: UUID) -> Dispute:
    own = require_own(actor, "payments.answer_dispute")
    found = _locked(dispute_id)
    if found.payment.payee_id != own:
        raise _unknown(dispute_id)
    return found


def _unknown(dispute_id: UUID) -> NotFound:
    return NotFound("dispute.unknown", _("There is no dispute %(value)s."), field="dispute", value=str(dispute_id))


def _require(made: Dispute, *states: str) -> None:
    if made.state not in states:
        raise Conflict("dispute.over", _("The dispute is %(value)s; this cannot be done any more."), field="state",
                       value=made.state)  # fmt: skip


def _end(made: Dispute, state: str, actor: Actor, now: datetime) -> Dispute:
    made.state, made.ended_at = state, now
    made.save(update_fields=["state", "ended_at"])
    _tell(f"dispute.{state}", made, now, actor)
    return made


def _tell(kind: str, made: Dispute, now: datetime, actor: Actor) -> None:
    payment = made.payment
    event = NewEvent(
        kind=kind, marketplace_id=payment.marketplace_id, subject_type="dispute", subject_id=made.pk, occurred_at=now,
        payload={"amount": made.amount, "currency": payment.currency, "reason": made.reason}, actor_id=actor.person_id,
        organisation_id=payment.payee_id, audience=(payment.payee_id,),
    )  # fmt: skip
    record([event])

"""What may be done with payments: open one, ask for an operation on it or on a wallet, take in what a provider answered.

None of these talks to a provider: what is asked is written first and sent after its commit (`asking.py`), so that a crash
anywhere leaves an operation that is asked again under the same id.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid, NotFound
from huangpu.core.ids import uuid7, uuid7_of
from huangpu.core.log.record import NewEvent, record
from huangpu.core.money import LARGEST
from huangpu.flows.funds.acts import ensure_accounts, post
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Item, Transfer, Void
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require, require_own
from huangpu.payments.gateway.provider import Answer, known, provider_id

from . import rules
from .models import Operation, Payment, Told

GIVE_UP_AFTER = timedelta(minutes=30)
RIGHTS = {"refund": "payments.refund", "payout": "payments.pay_out", "top_up": "payments.top_up"}


@act
def open_payment(
    *,
    actor: Actor,
    marketplace_id: UUID,
    amount: int,
    currency: str,
    channel: str,
    provider: str,
    reference: str,
    now: datetime,
    fee_ppm: int = 0,
    payment_id: UUID | None = None,
) -> UUID:
    """The actor's organisation asks somebody for money. `reference` is the payee's own name for it, once each; the same again
    with the same id changes nothing. `fee_ppm`: what the marketplace keeps of what is captured, in parts of a million.

    Refused: `payment.amount`, `.channel`, `.provider_unknown`, `.fee`, `.reference`, `.reference_used`, `.id_reused`.
    """
    payee = require_own(actor, "payments.charge")
    _check_amount(amount)
    if channel not in rules.CHANNELS:
        raise Invalid(
            "payment.channel", _("“%(value)s” is not a channel; there are %(known)s."),
            field="channel", value=channel, known=", ".join(rules.CHANNELS),
        )  # fmt: skip
    _check_provider(provider)
    if not 0 <= fee_ppm < rules.PPM:
        raise Invalid(
            "payment.fee", _("“%(value)s” is not a fee; it is parts of a million, from 0 to %(most)s."),
            field="fee_ppm", value=fee_ppm, most=rules.PPM - 1,
        )  # fmt: skip
    if not 0 < len(reference) <= 64:
        raise Invalid(
            "payment.reference", _("“%(value)s” is not a reference; write 1 to 64 characters."),
            field="reference", value=reference,
        )  # fmt: skip
    made = Payment(
        id=payment_id or uuid7(), marketplace_id=marketplace_id, payee_id=payee, provider=provider, channel=channel,
        reference=reference, amount=amount, currency=currency, fee_ppm=fee_ppm, opened_at=now,
    )  # fmt: skip
    if _is_new(made):
        payload = {"amount": amount, "currency": currency, "channel": channel, "reference": reference}
        record([_event("payment.opened", made.marketplace_id, "payment", made.pk, payee, now, payload, actor)])
    return made.pk


@act
def turn_to(*, actor: Actor, payment_id: UUID, provider: str, now: datetime) -> None:
    """A payment that nobody has paid or is paying yet goes to another provider, for instance because the payer chose it.

    Refused: `payment.unknown`, `.provider_unknown`, `.under_way`.
    """
    payment = _own_payment(actor, payment_id)
    require(actor, "payments.charge", organisation_id=payment.payee_id)
    _check_provider(provider)
    if payment.provider == provider:
        return
    if payment.authorising or payment.authorised:
        raise Conflict(
            "payment.under_way", _("This payment is under way at “%(value)s”; it cannot go elsewhere."),
            field="provider", value=payment.provider,
        )  # fmt: skip
    payment.provider = provider
    payment.save(update_fields=["provider"])
    record([_event("payment.turned", payment.marketplace_id, "payment", payment.pk, payment.payee_id, now,
                   {"provider": provider}, actor)])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wish:
    """An operation that shall be asked for; `not_before`: it is kept until then, or until `release`."""

    verb: str
    amount: int
    operation_id: UUID
    about_id: UUID | None = None
    not_before: datetime | None = None


@act
def ask(*, actor: Actor, payment_id: UUID, wish: Wish, now: datetime) -> UUID:
    """Asks for an operation on a payment of the actor's organisation: authorise, purchase, capture, void, refund, the last
    three of an operation that succeeded (`about_id`). What it takes is taken at once, so that nobody can ask for it twice;
    money that shall go out is held. The same id again with the same content changes nothing.

    Refused: `operation.verb`, `payment.amount`, `payment.unknown`, `operation.about`, `payment.exhausted` (more than is left
    to authorise, capture, void or pay back), `operation.id_reused`, and what the ledger refuses, as `transfer.exceeds_floor`.
    """
    if wish.verb not in rules.OF_PAYMENT:
        raise Invalid(
            "operation.verb", _("“%(value)s” cannot be done with a payment; there are %(known)s."),
            field="verb", value=wish.verb, known=", ".join(rules.OF_PAYMENT),
        )  # fmt: skip
    _check_amount(wish.amount)
    payment = _own_payment(actor, payment_id)
    require(actor, RIGHTS.get(wish.verb, "payments.charge"), organisation_id=payment.payee_id)
    operation = Operation(
        id=wish.operation_id, marketplace_id=payment.marketplace_id, holder_id=payment.payee_id, payment=payment,
        about_id=wish.about_id, provider=payment.provider, verb=wish.verb, amount=wish.amount, currency=payment.currency,
        asked_at=now, give_up_at=(wish.not_before or now) + GIVE_UP_AFTER, next_ask_at=wish.not_before or now,
    )  # fmt: skip
    if not _is_new(operation):
        return operation.pk
    _check_about(payment, wish)
    taken, _done = rules.OF_PAYMENT[wish.verb]
    setattr(payment, taken, getattr(payment, taken) + wish.amount)
    try:
        with transaction.atomic():
            payment.save(update_fields=[taken])
    except IntegrityError as beyond:
        raise Conflict(
            "payment.exhausted", _("Less than %(value)s is left of this payment for that."),
            field="amount", value=wish.amount,
        ) from beyond  # fmt: skip
    _begin(operation, actor, now)
    return operation.pk


@act
def ask_of_wallet(
    *, actor: Actor, marketplace_id: UUID, provider: str, currency: str, wish: Wish, now: datetime
) -> UUID:
    """Asks a provider to pay out of the wallet of the actor's organisation ("payout"), or into it ("top_up"); refused as
    `ask` is."""
    if wish.verb not in rules.OF_WALLET:
        raise Invalid(
            "operation.verb", _("“%(value)s” cannot be done with a wallet; there are %(known)s."),
            field="verb", value=wish.verb, known=", ".join(rules.OF_WALLET),
        )  # fmt: skip
    holder = require_own(actor, RIGHTS[wish.verb])
    _check_amount(wish.amount)
    _check_provider(provider)
    operation = Operation(
        id=wish.operation_id, marketplace_id=marketplace_id, holder_id=holder, provider=provider, verb=wish.verb,
        amount=wish.amount, currency=currency, asked_at=now, give_up_at=now + GIVE_UP_AFTER, next_ask_at=now,
    )  # fmt: skip
    if _is_new(operation):
        _begin(operation, actor, now)
    return operation.pk


@act
def answer(*, operation_id: UUID, said: Answer | None, now: datetime) -> rules.State:
    """Takes in what a provider said of an operation (None: it said nothing), at most once to its end; returns the state.

    Money moves here and only here: into the wallet what was captured, out of what was held what went out. An answer about
    another amount is not believed. One that goes against an end is kept and changes nothing.
    """
    operation = Operation.objects.select_for_update().get(pk=operation_id)
    fits = said is not None and (said.id, said.amount, said.currency) == (
        operation.id, operation.amount, operation.currency,
    )  # fmt: skip
    was: rules.State = operation.state  # type: ignore[assignment]
    status, amount, currency, reference, reason = (
        (said.status, said.amount, said.currency, said.reference[:64], said.reason[:64])
        if said else ("no_answer", None, "", "", "")
    )  # fmt: skip
    believed = rules.believe(was, status, fits=fits)
    Told.objects.create(
        id=uuid7(), operation=operation, status=status, amount=amount, currency=currency, reference=reference,
        reason=reason, made=believed.state, contradicts=believed.contradicts, told_at=now,
    )  # fmt: skip
    if was in rules.FINAL:
        return was
    operation.state = believed.state
    if believed.state in rules.FINAL:
        operation.reference, operation.reason = reference, reason
        operation.next_ask_at, operation.ended_at = None, now
        _settle(operation)
    else:
        operation.next_ask_at = rules.next_ask(operation.attempts, now)
    operation.save(update_fields=["state", "reference", "reason", "next_ask_at", "ended_at"])
    if believed.state != was:
        payload = {"verb": operation.verb, "amount": operation.amount, "currency": operation.currency}
        record([_event(f"operation.{believed.state}", operation.marketplace_id, "operation", operation.pk,
                       operation.holder_id, now, payload)])  # fmt: skip
    return believed.state


@act
def give_up(*, operation_id: UUID, now: datetime) -> rules.State:
    """It shall not be done any more, if that can still be: from now on it is cancelled instead of sent. Returns its state."""
    operation = Operation.objects.select_for_update().get(pk=operation_id)
    if operation.state in rules.OPEN and operation.give_up_at > now:
        operation.give_up_at = operation.next_ask_at = now
        operation.save(update_fields=["give_up_at", "next_ask_at"])
    return operation.state  # type: ignore[return-value]


@act
def release(*, operation_id: UUID, now: datetime) -> None:
    """What was kept until later may be sent now."""
    operation = Operation.objects.select_for_update().get(pk=operation_id)
    if operation.state == "asked" and operation.give_up_at > now:
        operation.next_ask_at, operation.give_up_at = now, now + GIVE_UP_AFTER
        operation.save(update_fields=["next_ask_at", "give_up_at"])


@act
def take_due(*, now: datetime, limit: int) -> list[UUID]:
    """The open operations whose time has come, for whoever asks their providers now: nobody else takes them until the next
    time. Those that another transaction is at work on are left to it."""
    due = list(
        Operation.objects.select_for_update(skip_locked=True)
        .filter(next_ask_at__lte=now)
        .order_by("next_ask_at")[:limit]
    )
    for one in due:
        one.attempts += 1
        one.next_ask_at = rules.next_ask(one.attempts, now)
    Operation.objects.bulk_update(due, ["attempts", "next_ask_at"])
    return [one.pk for one in due]


def _own_payment(actor: Actor, payment_id: UUID) -> Payment:
    """The payment of the actor's organisation, locked."""
    payment = Payment.objects.select_for_update().filter(pk=payment_id).first()
    if payment is None or payment.payee_id != actor.organisation_id:
        raise NotFound("payment.unknown", _("There is no payment %(value)s."), field="payment", value=str(payment_id))
    return payment


def _begin(operation: Operation, actor: Actor, now: datetime) -> None:
    """What a new operation does to the books, and its event."""
    wallet, bank, fees = _specs(operation)
    ensure_accounts([wallet, bank, fees])
    if operation.verb in rules.HELD_FIRST:
        post([Hold(id=uuid7_of(operation.id, "hold"), marketplace_id=operation.marketplace_id, debit=wallet.id,
                   credit=bank.id, amount=operation.amount, kind=operation.verb, reference=operation.id)])  # fmt: skip
    payload = {"verb": operation.verb, "amount": operation.amount, "currency": operation.currency,
               "provider": operation.provider}  # fmt: skip
    record([_event("operation.asked", operation.marketplace_id, "operation", operation.pk, operation.holder_id, now,
                   payload, actor)])  # fmt: skip


def _settle(operation: Operation) -> None:
    """What the end of an operation does to its payment and to the books."""
    succeeded = operation.state == "succeeded"
    fee_ppm = 0
    if operation.payment_id is not None:
        payment = Payment.objects.select_for_update().get(pk=operation.payment_id)
        fee_ppm = payment.fee_ppm
        taken, done = rules.OF_PAYMENT[operation.verb]
        changed = {taken: getattr(payment, taken) - operation.amount}
        if succeeded:
            changed[done] = getattr(payment, done) + operation.amount
        if succeeded and operation.verb == "purchase":
            changed["captured"] = payment.captured + operation.amount
        Payment.objects.filter(pk=payment.pk).update(**changed)
    if items := _moves(operation, succeeded, fee_ppm):
        post(items)


def _moves(operation: Operation, succeeded: bool, fee_ppm: int) -> list[Item]:
    wallet, bank, fees = _specs(operation)
    market, id = operation.marketplace_id, operation.id
    if operation.verb in rules.HELD_FIRST:
        hold = uuid7_of(id, "hold")
        if succeeded:
            return [Capture(id=uuid7_of(id, "money"), marketplace_id=market, hold_id=hold, amount=operation.amount,
                            final=True, kind=operation.verb, reference=id)]  # fmt: skip
        return [Void(id=uuid7_of(id, "free"), marketplace_id=market, hold_id=hold, reference=id)]
    if not succeeded or operation.verb not in ("purchase", "capture", "top_up"):
        return []
    moves: list[Item] = [Transfer(id=uuid7_of(id, "money"), marketplace_id=market, debit=bank.id, credit=wallet.id,
                                  amount=operation.amount, kind=operation.verb, reference=id)]  # fmt: skip
    if fee := rules.fee(operation.amount, fee_ppm):
        moves.append(Transfer(id=uuid7_of(id, "fee"), marketplace_id=market, debit=wallet.id, credit=fees.id, amount=fee,
                              kind="payment_fee", reference=id))  # fmt: skip
    return moves


def _specs(operation: Operation) -> tuple[AccountSpec, AccountSpec, AccountSpec]:
    """The wallet, the account of what the provider owes, and where fees go."""
    market, currency = operation.marketplace_id, operation.currency
    return (
        AccountSpec(market, "wallet", operation.holder_id, currency),
        AccountSpec(market, "bank", provider_id(operation.provider), currency),
        AccountSpec(market, "fees", None, currency),
    )


SAME = {
    Payment: ("marketplace_id", "payee_id", "provider", "channel", "reference", "amount", "currency", "fee_ppm"),
    Operation: ("marketplace_id", "holder_id", "payment_id", "about_id", "provider", "verb", "amount", "currency"),
}


def _is_new(made: Payment | Operation) -> bool:
    """Writes what was asked for under the id that it was given; False when the very same is there. Of two who ask at once one
    waits here for the other."""
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        found = type(made).objects.filter(pk=made.pk).first()
        if found is None:
            _check_reference(made)
            raise
        _same(found, made)
        return False
    return True


def _same(found: Payment | Operation, asked: Payment | Operation) -> None:
    if any(getattr(found, name) != getattr(asked, name) for name in SAME[type(asked)]):
        what = asked._meta.model_name
        raise Conflict(
            f"{what}.id_reused", _("The id %(value)s has been used for something else."),
            field=f"{what}_id", value=str(found.pk),
        )  # fmt: skip


def _check_reference(made: Payment | Operation) -> None:
    if isinstance(made, Operation):
        return
    used = dict(marketplace_id=made.marketplace_id, payee_id=made.payee_id, reference=made.reference)
    if Payment.objects.filter(**used).exists():
        raise Conflict(
            "payment.reference_used", _("There is a payment “%(value)s” already; each needs a reference of its own."),
            field="reference", value=made.reference,
        )  # fmt: skip


def _check_about(payment: Payment, wish: Wish) -> None:
    needed = {"capture": ("authorise",), "void": ("authorise",), "refund": ("capture", "purchase")}.get(wish.verb)
    if needed is None and wish.about_id is None:
        return
    followed = payment.operations.filter(verb__in=needed or (), state="succeeded")
    if wish.about_id is None or not followed.filter(pk=wish.about_id).exists():
        raise Invalid(
            "operation.about", _("“%(value)s” is no operation of this payment that could be followed by that."),
            field="about_id", value=str(wish.about_id),
        )  # fmt: skip


def _check_amount(amount: int) -> None:
    if type(amount) is not int or not 0 < amount <= LARGEST:
        raise Invalid(
            "payment.amount", _("“%(value)s” is not an amount; it is a whole number of minor units, from 1 to %(most)s."),
            field="amount", value=amount, most=LARGEST,
        )  # fmt: skip


def _check_provider(name: str) -> None:
    if name not in known():
        raise Invalid(
            "payment.provider_unknown", _("There is no provider “%(value)s” here; there are: %(known)s."),
            field="provider", value=name, known=", ".join(known()) or "–",
        )  # fmt: skip


def _event(
    kind: str, market: UUID, subject: str, id: UUID, holder: UUID, now: datetime, payload: dict[str, object],
    actor: Actor | None = None,
) -> NewEvent:  # fmt: skip
    return NewEvent(
        kind=kind, marketplace_id=market, subject_type=subject, subject_id=id, occurred_at=now, payload=payload,
        actor_id=actor.person_id if actor else None, organisation_id=holder, audience=(holder,),
    )  # fmt: skip

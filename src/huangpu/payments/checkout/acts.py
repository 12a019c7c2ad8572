"""What may be done with checkouts: open one, cancel it, choose how to pay it, pay it from a wallet or by a wallet's code.

Banks are talked to after the commit, by the jobs of `operations`.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid
from huangpu.core.ids import uuid7, uuid7_of
from huangpu.core.log.record import NewEvent, record
from huangpu.core.money import LARGEST, exponent
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace
from huangpu.parties.rights import require, require_own
from huangpu.payments.gateway.provider import payable
from huangpu.payments.operations import acts as operations
from huangpu.payments.operations.jobs import send_soon

from . import codes, queries, rules
from .models import Checkout, PayCode, WalletPayer

TITLE_MAX, REFERENCE_MAX = 120, 64


@dataclass(frozen=True, slots=True)
class Asked:
    """What a payee asks for: `amount` in minor units; `reference` is its own name for it, once each; "": one is made up."""

    title: str
    amount: int
    currency: str
    reference: str = ""
    channel: str = "web"
    back: str = ""
    kept_open: timedelta = rules.KEPT_OPEN


@act
def open_checkout(
    *, actor: Actor, marketplace_id: UUID, asked: Asked, now: datetime, checkout_id: UUID | None = None
) -> Checkout:
    """The actor's organisation asks whoever gets the link for money.

    Refused: `checkout.title`, `.amount`, `.channel`, `.reference`, `.reference_used`, `.back`, `.kept_open`, and
    `currency.unknown`.
    """
    payee = require_own(actor, "checkout.open")
    _check(asked)
    id = checkout_id or uuid7()
    made = Checkout(
        id=id, marketplace_id=marketplace_id, payee_id=payee, token=secrets.token_urlsafe(16), channel=asked.channel,
        title=asked.title, reference=asked.reference or f"P-{id.hex[-12:].upper()}", amount=asked.amount,
        currency=asked.currency, fee_ppm=Marketplace.objects.values_list("fee_ppm", flat=True).get(pk=marketplace_id),
        back=asked.back, opened_at=now, expires_at=now + asked.kept_open,
    )  # fmt: skip
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as used:
        raise Conflict(
            "checkout.reference_used", _("You have asked for “%(value)s” already; each needs a reference of its own."),
            field="reference", value=made.reference,
        ) from used  # fmt: skip
    payload: dict[str, object] = {"amount": made.amount, "currency": made.currency, "reference": made.reference}
    _tell("checkout.opened", made, now, payload, actor)
    return made


@act
def cancel_checkout(*, actor: Actor, checkout_id: UUID, now: datetime) -> None:
    """Nobody shall pay it any more. Refused: `checkout.unknown`, `checkout.not_open`."""
    payee = require_own(actor, "checkout.open")
    made = _locked(checkout_id)
    if made.payee_id != payee:
        raise queries.unknown(checkout_id)
    _require_open(made, now)
    made.cancelled_at = now
    made.save(update_fields=["cancelled_at"])
    _tell("checkout.cancelled", made, now, {"reference": made.reference}, actor)


@act
def choose(*, actor: Actor, checkout_id: UUID, provider: str, operation_id: UUID, now: datetime) -> UUID:
    """A payer with the link chooses a bank; it is asked at once, and asks the payer in turn. Returns the operation.

    Refused: `checkout.unknown`, `checkout.not_open`, `checkout.provider`.
    """
    require(actor, "checkout.choose")
    require_payable(provider, field="provider")
    made = _locked(checkout_id)
    _require_open(made, now)
    asked = purchase(made, provider, operation_id, now)
    send_soon(asked)
    return asked


@act
def change_mind(*, actor: Actor, checkout_id: UUID, now: datetime) -> None:
    """A payer who has not agreed yet wants another way: what was asked is cancelled, and then the checkout is open again. Of
    what was agreed meanwhile the bank says whether it stays. Refused: `checkout.unknown`, `checkout.not_paying`."""
    require(actor, "checkout.choose")
    made = _locked(checkout_id)
    asked = queries.under_way(made)
    if asked is None or queries.state(made, now) != "paying":
        raise Conflict("checkout.not_paying", _("Nobody is paying this just now."), field="state",
                       value=queries.state(made, now))  # fmt: skip
    operations.give_up(operation_id=asked.pk, now=now)
    send_soon(asked.pk)


@act
def pay_from_wallet(*, actor: Actor, checkout_id: UUID, operation_id: UUID, now: datetime) -> UUID:
    """The actor's organisation pays from its own wallet on this marketplace. Refused: as `choose`, and `checkout.own` (it is
    the payee itself)."""
    payer = require_own(actor, "checkout.pay")
    made = _locked(checkout_id)
    _require_open(made, now)
    return _from_wallet(made, payer, operation_id, now)


@act
def charge_code(
    *, actor: Actor, marketplace_id: UUID, code: str, asked: Asked, operation_id: UUID, now: datetime
) -> Checkout:
    """The actor's organisation takes a payment by the code that a payer's wallet shows (EMVCo: consumer-presented).

    Refused: as `open_checkout`; `paycode.form`, `paycode.refused`, `paycode.used`, `checkout.own`.
    """
    require_own(actor, "checkout.open")
    handle = codes.handle_in(code)
    shown = PayCode.objects.select_for_update().filter(handle=handle, marketplace_id=marketplace_id).first()
    counter = codes.counter_of(code, shown, handle=handle, now=now)
    assert shown is not None
    if counter <= shown.last_counter:
        raise Conflict("paycode.used", _("This pay code has paid already; ask for the next one."), field="code")
    shown.last_counter = counter
    shown.save(update_fields=["last_counter"])
    made = open_checkout(actor=actor, marketplace_id=marketplace_id, asked=asked, now=now,
                         checkout_id=uuid7_of(operation_id, "checkout"))  # fmt: skip
    _from_wallet(_locked(made.pk), shown.holder_id, operation_id, now)
    return made


@act
def show_code(*, actor: Actor, marketplace_id: UUID, now: datetime) -> str:
    """The code that the wallet of the actor's organisation shows now; good for a minute, for one payment."""
    holder = require_own(actor, "checkout.pay")
    shown = PayCode.objects.filter(marketplace_id=marketplace_id, holder_id=holder).first()
    while shown is None:
        handle = f"{secrets.randbelow(10**8):08}"
        PayCode.objects.bulk_create(
            [PayCode(marketplace_id=marketplace_id, holder_id=holder, handle=handle)], ignore_conflicts=True
        )
        shown = PayCode.objects.filter(marketplace_id=marketplace_id, holder_id=holder).first()
    return codes.code_of(shown, now)


def _from_wallet(made: Checkout, payer: UUID, operation_id: UUID, now: datetime) -> UUID:
    if payer == made.payee_id:
        raise Invalid("checkout.own", _("Nobody pays to their own wallet."), field="payer")
    kept, _made = WalletPayer.objects.get_or_create(operation_id=operation_id, defaults={"holder_id": payer})
    if kept.holder_id != payer:
        raise Conflict(
            "operation.id_reused", _("The id %(value)s has been used for something else."),
            field="operation_id", value=str(operation_id),
        )  # fmt: skip
    asked = purchase(made, rules.WALLET, operation_id, now)
    send_soon(asked)
    return asked


def purchase(made: Checkout, provider: str, operation_id: UUID, now: datetime) -> UUID:
    """Asks for the whole amount in the name of the payee, who gave the link away."""
    payee = Actor(None, made.payee_id, made.marketplace_id, is_system=True)
    if made.payment_id is None:
        made.payment_id = operations.open_payment(
            actor=payee, marketplace_id=made.marketplace_id, amount=made.amount, currency=made.currency,
            channel=made.channel, provider=provider, reference=made.reference, now=now, fee_ppm=made.fee_ppm,
            payment_id=uuid7_of(made.pk, "payment"),
        )  # fmt: skip
        made.save(update_fields=["payment"])
    else:
        operations.turn_to(actor=payee, payment_id=made.payment_id, provider=provider, now=now)
    wish = operations.Wish("purchase", made.amount, operation_id)
    return operations.ask(actor=payee, payment_id=made.payment_id, wish=wish, now=now)


@act
def pay_back(
    *, actor: Actor, marketplace_id: UUID, payment_id: UUID, amount: int, now: datetime, about_id: UUID | None = None
) -> UUID:
    """Some of a payment goes back to where it came from: by the operation `about_id`, or by the largest that has any left.
    Returns the operation, which is sent at once. Refused: `payment.nothing_left`, and what `operations.acts.ask` refuses."""
    payee = require_own(actor, "payments.refund")
    payment = queries.own_payment(marketplace_id, payee, payment_id)
    if about_id is None:
        came = queries.refundable(payment)
        if came is None:
            raise Invalid("payment.nothing_left", _("Nothing of this payment is left to pay back."), field="amount")
        about_id = came.pk
    wish = operations.Wish("refund", amount, uuid7(), about_id)
    asked = operations.ask(actor=actor, payment_id=payment_id, wish=wish, now=now)
    send_soon(asked)
    return asked


def require_payable(provider: str, *, field: str) -> None:
    """Refuses a provider that no payer can choose: `checkout.provider`."""
    if provider not in payable():
        raise Invalid(
            "checkout.provider", _("“%(value)s” is no way to pay here; there are: %(known)s."),
            field=field, value=provider[:40], known=", ".join(payable()) or "–",
        )  # fmt: skip


def _locked(checkout_id: UUID) -> Checkout:
    found = Checkout.objects.select_for_update(of=("self",)).filter(pk=checkout_id).first()
    if found is None:
        raise queries.unknown(checkout_id)
    return found


def _require_open(made: Checkout, now: datetime) -> None:
    found = queries.state(made, now)
    if found != "open":
        raise Conflict(
            "checkout.not_open", _("This cannot be paid or cancelled now: it is %(value)s."), field="state", value=found
        )


def _check(asked: Asked) -> None:
    if not 0 < len(asked.title.strip()) <= TITLE_MAX or "\0" in asked.title:
        raise Invalid(
            "checkout.title", _("“%(value)s” is no title; write what is paid, in 1 to %(most)s characters."),
            field="title", value=asked.title[:200], most=TITLE_MAX,
        )  # fmt: skip
    exponent(asked.currency)  # refuses what is no currency
    if type(asked.amount) is not int or not 0 < asked.amount <= LARGEST:
        raise Invalid(
            "checkout.amount", _("“%(value)s” is no amount to ask for; it is more than nothing."),
            field="amount", value=asked.amount,
        )  # fmt: skip
    if asked.channel not in rules.CHANNELS:
        raise Invalid(
            "checkout.channel", _("“%(value)s” is no way to ask; there are %(known)s."),
            field="channel", value=asked.channel, known=", ".join(rules.CHANNELS),
        )  # fmt: skip
    if len(asked.reference) > REFERENCE_MAX or "\0" in asked.reference:
        raise Invalid(
            "checkout.reference", _("“%(value)s” is no reference; it has at most %(most)s characters."),
            field="reference", value=asked.reference[:100], most=REFERENCE_MAX,
        )  # fmt: skip
    if asked.back and (urlsplit(asked.back).scheme not in ("https", "http") or len(asked.back) > 500):
        raise Invalid(
            "checkout.back", _("“%(value)s” is no address to go back to; it begins with https://."),
            field="back", value=asked.back[:200],
        )  # fmt: skip
    if not timedelta(0) < asked.kept_open <= rules.KEPT_OPEN_MOST:
        raise Invalid(
            "checkout.kept_open", _("It can be kept open for up to %(most)s days, not for %(value)s."),
            field="kept_open", value=str(asked.kept_open), most=rules.KEPT_OPEN_MOST.days,
        )  # fmt: skip


def _tell(kind: str, made: Checkout, now: datetime, payload: dict[str, object], actor: Actor) -> None:
    event = NewEvent(
        kind=kind, marketplace_id=made.marketplace_id, subject_type="checkout", subject_id=made.pk, occurred_at=now,
        payload=payload, actor_id=actor.person_id, organisation_id=made.payee_id, audience=(made.payee_id,),
    )  # fmt: skip
    record([event])

"""What may be done with terminals, and what they ask for themselves.

A terminal's own requests name no actor: their MAC has proved them. They are written under the lock of the terminal's row, and
the acquirer is talked to afterwards (`host.py`).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Invalid, NotFound
from huangpu.core.ids import uuid7, uuid7_of
from huangpu.core.log.record import NewEvent, record
from huangpu.core.money import exponent
from huangpu.parties.actor import Actor
from huangpu.parties.models import Marketplace
from huangpu.parties.rights import require, require_own
from huangpu.payments.gateway.provider import known
from huangpu.payments.operations import acts as operations
from huangpu.payments.operations.acts import Wish
from huangpu.payments.standards.iso8583.macs import Cryptography
from huangpu.payments.standards.iso8583.messages import Request, Reversal
from huangpu.payments.standards.iso8583.values import Kind, NetworkKind, ResponseCode

from . import keys, rules
from .models import Terminal, Transaction

NAME_MAX = 60
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
FOLLOWED = {
    Kind.VOID: (Kind.SALE,), Kind.REFUND: (Kind.SALE, Kind.COMPLETION),
    Kind.PRE_AUTHORISATION_VOID: (Kind.PRE_AUTHORISATION,), Kind.COMPLETION: (Kind.PRE_AUTHORISATION,),
}  # fmt: skip


VOIDS = (Kind.VOID, Kind.PRE_AUTHORISATION_VOID)
VOID_KEPT = timedelta(hours=26)  # a void goes out when its batch is settled; of one that never is, after so long


class Declined(Exception):
    """A request that is answered with this code and changes nothing."""

    def __init__(self, code: ResponseCode) -> None:
        super().__init__(code.name)
        self.code = code


@act
def enrol(
    *, actor: Actor, marketplace_id: UUID, name: str, provider: str, now: datetime, currency: str = "CNY",
    cryptography: str = Cryptography.AES.value, terminal_id: UUID | None = None,
) -> Terminal:  # fmt: skip
    """The actor's organisation gets a terminal at an acquirer. Its master key is in the key folder afterwards.

    Refused: `terminal.name`, `terminal.provider_unknown`, `terminal.cryptography`, `currency.unknown`.
    """
    merchant = require_own(actor, "terminals.enrol")
    exponent(currency)  # refuses what is no currency
    if not 0 < len(name.strip()) <= NAME_MAX or "\0" in name:
        raise Invalid(
            "terminal.name", _("“%(value)s” is no name for a terminal; write 1 to %(most)s characters."),
            field="name", value=name[:100], most=NAME_MAX,
        )  # fmt: skip
    if provider not in known():
        raise Invalid(
            "terminal.provider_unknown", _("There is no acquirer “%(value)s” here; there are: %(known)s."),
            field="provider", value=provider, known=", ".join(known()) or "–",
        )  # fmt: skip
    if cryptography not in [one.value for one in Cryptography]:
        raise Invalid(
            "terminal.cryptography", _("“%(value)s” is no way to seal messages; there are: %(known)s."),
            field="cryptography", value=cryptography, known=", ".join(one.value for one in Cryptography),
        )  # fmt: skip
    made = Terminal(
        id=terminal_id or uuid7(), marketplace_id=marketplace_id, merchant_id=merchant, provider=provider, name=name.strip(),
        identity="".join(secrets.choice(LETTERS) for _place in range(8)), currency=currency, cryptography=cryptography,
        merchant_code=f"{merchant.int % 10**15:015}", enrolled_at=now,
    )  # fmt: skip
    keys.new_master(made.identity)
    made.save(force_insert=True)
    tell("terminal.enrolled", made, now, {"identity": made.identity, "provider": provider}, actor)
    return made


@act
def block(*, actor: Actor, terminal_id: UUID, blocked: bool, now: datetime) -> Terminal:
    """The terminal takes no payments any more, or takes them again. Refused: `terminal.unknown`."""
    terminal = Terminal.objects.select_for_update().filter(pk=terminal_id).first()
    if terminal is None or terminal.merchant_id != actor.organisation_id:
        raise unknown(terminal_id)
    require(actor, "terminals.enrol", organisation_id=terminal.merchant_id)
    if (terminal.blocked_at is not None) is not blocked:
        terminal.blocked_at = now if blocked else None
        terminal.save(update_fields=["blocked_at"])
        tell("terminal.blocked" if blocked else "terminal.unblocked", terminal, now, {}, actor)
    return terminal


@act
def manage(*, terminal_id: UUID, kind: NetworkKind, now: datetime) -> Terminal:
    """A sign-on or a key exchange makes a new session key; a sign-off ends the session."""
    terminal = locked(terminal_id)
    if kind.brings_key:
        terminal.wrapped_key, terminal.signed_on_at = keys.new_session(terminal), now
    elif kind is NetworkKind.SIGN_OFF:
        terminal.wrapped_key = None
    terminal.save(update_fields=["wrapped_key", "signed_on_at"])
    return terminal


@act
def begin(*, terminal_id: UUID, request: Request, now: datetime) -> Transaction:
    """Writes what a terminal asks for and asks for the operation; the same request again gives the transaction that there is.

    Raises `Declined`, and what `operations.acts.ask` refuses.
    """
    terminal = locked(terminal_id)
    found = Transaction.objects.filter(terminal=terminal, batch=request.batch, stan=request.stan).first()
    if found is not None:
        if found.kind and bytes(found.digest) != rules.digest(request):
            raise Declined(ResponseCode.DUPLICATE)
        return found
    _check(terminal, request)
    about = _about(terminal, request)
    made = _new(terminal, request, now)
    made.about = about
    if about is None:
        made.payment_id = _opened(terminal, made, now)
    else:
        made.payment_id = about.payment_id
    wish = Wish(
        rules.VERBS[request.kind], request.amount.minor, uuid7_of(made.id, "operation"), about.operation_id if about else None,
        now + VOID_KEPT if request.kind in VOIDS else None,
    )  # fmt: skip
    assert made.payment_id is not None
    made.operation_id = operations.ask(actor=_merchant(terminal), payment_id=made.payment_id, wish=wish, now=now)
    if request.kind in VOIDS:  # the money is held; it goes out when the terminal can take the void back no more
        made.response, made.answered_at = ResponseCode.APPROVED.value, now
    made.save(force_insert=True)
    return made


@act
def decline(*, terminal_id: UUID, request: Request, code: ResponseCode, now: datetime) -> Transaction:
    """Keeps that a request was declined without asking anybody, so that the same again is declined again."""
    terminal = locked(terminal_id)
    made = _new(terminal, request, now)
    made.response, made.answered_at = code.value, now
    found, _created = Transaction.objects.get_or_create(
        terminal=terminal, batch=made.batch, stan=made.stan,
        defaults={field: getattr(made, field) for field in (
            "id", "kind", "digest", "amount", "card", "card_token", "rrn", "response", "asked_at", "answered_at")},
    )  # fmt: skip
    return found


@act
def finish(*, transaction_id: UUID, now: datetime) -> Transaction:
    """Keeps the answer to a transaction once its operation has an end; until then it has none."""
    done = Transaction.objects.select_for_update(of=("self",)).select_related("operation").get(pk=transaction_id)
    if done.response or done.operation is None:
        return done
    code = rules.response(done.operation.state, done.operation.reason)
    if code is not None:
        done.response = (ResponseCode.ANSWERED_TOO_LATE if done.reversed_at else code).value
        done.answered_at = now
        done.save(update_fields=["response", "answered_at"])
    return done


@act
def take_back(*, terminal_id: UUID, reversal: Reversal, now: datetime) -> Transaction:
    """A terminal takes back what it asked for. What has not come yet never will be done."""
    terminal = locked(terminal_id)
    kept = Transaction.objects.select_for_update(of=("self",)).filter(
        terminal=terminal, batch=reversal.batch, stan=reversal.original_stan
    )
    found = kept.first()
    if found is None:
        found = Transaction(
            id=uuid7(), terminal=terminal, batch=reversal.batch, stan=reversal.original_stan, kind="", digest=b"",
            amount=reversal.amount.minor, rrn=rules.retrieval_number(reversal.original_stan, now),
            response=ResponseCode.ANSWERED_TOO_LATE.value, asked_at=now, answered_at=now, reversed_at=now,
        )  # fmt: skip
        found.save(force_insert=True)
    elif found.reversed_at is None:
        mark_back(found, now)
    return found


def mark_back(found: Transaction, now: datetime) -> None:
    """Marks a transaction, locked by the caller's act, as taken back; what is under way shall not be done."""
    found.reversed_at = now
    found.save(update_fields=["reversed_at"])
    if found.operation_id is not None:
        operations.give_up(operation_id=found.operation_id, now=now)


@act
def undo(*, transaction_id: UUID, now: datetime) -> UUID | None:
    """Asks for the opposite of what was done for a transaction that was taken back; returns that operation, None where there is
    nothing to undo."""
    taken = (
        Transaction.objects.select_for_update(of=("self",))
        .select_related("operation", "terminal")
        .get(pk=transaction_id)
    )
    assert taken.reversed_at is not None, "only what was taken back is undone"
    kind, done = Kind[taken.kind], taken.operation is not None and taken.operation.state == "succeeded"
    if taken.undo_id is not None or not done or kind in VOIDS:  # a void that went out at the end of its batch stays
        return taken.undo_id
    merchant = _merchant(taken.terminal)
    id = uuid7_of(taken.id, "undo")
    verb = "void" if kind is Kind.PRE_AUTHORISATION else "refund"
    wish = Wish(verb, taken.amount, id, taken.operation_id)
    assert taken.payment_id is not None
    taken.undo_id = operations.ask(actor=merchant, payment_id=taken.payment_id, wish=wish, now=now)
    taken.save(update_fields=["undo"])
    return taken.undo_id


def unknown(terminal: object) -> NotFound:
    """The refusal of a terminal that there is not."""
    return NotFound("terminal.unknown", _("There is no terminal %(value)s."), field="terminal", value=str(terminal))


def _check(terminal: Terminal, request: Request) -> None:
    if terminal.blocked_at is not None:
        raise Declined(ResponseCode.NOT_PERMITTED_TO_TERMINAL)
    if request.batch != terminal.batch:
        raise Declined(ResponseCode.CUT_OFF)
    if request.amount.currency != terminal.currency:
        raise Declined(ResponseCode.INVALID_TRANSACTION)
    if request.amount.minor <= 0:
        raise Declined(ResponseCode.INVALID_AMOUNT)


def _about(terminal: Terminal, request: Request) -> Transaction | None:
    """The earlier transaction that a request names; a void's is of the open batch, whole, and not voided before."""
    original = request.original
    if original is None:
        return None
    found = Transaction.objects.select_for_update(of=("self",)).filter(
        terminal=terminal, batch=original.batch, stan=original.stan, rrn=original.rrn, reversed_at=None,
        response=ResponseCode.APPROVED.value, kind__in=[kind.name for kind in FOLLOWED[request.kind]],
    ).first()  # fmt: skip
    if found is None:
        raise Declined(ResponseCode.ORIGINAL_NOT_FOUND)
    whole = request.kind in VOIDS
    if request.amount.minor > found.amount or (whole and request.amount.minor != found.amount):
        raise Declined(ResponseCode.ORIGINAL_AMOUNT_WRONG)
    if request.kind is Kind.VOID and found.batch != request.batch:
        raise Declined(ResponseCode.INVALID_TRANSACTION)
    return found


def _new(terminal: Terminal, request: Request, now: datetime) -> Transaction:
    card = request.card
    return Transaction(
        id=uuid7(), terminal=terminal, batch=request.batch, stan=request.stan, kind=request.kind.name,
        digest=rules.digest(request), amount=request.amount.minor, card=card.masked if card else "",
        card_token=bytes.fromhex(card.token) if card else None, rrn=rules.retrieval_number(request.stan, now), asked_at=now,
    )  # fmt: skip


def _opened(terminal: Terminal, made: Transaction, now: datetime) -> UUID:
    fee = Marketplace.objects.filter(pk=terminal.marketplace_id).values_list("fee_ppm", flat=True).first()
    return operations.open_payment(
        actor=_merchant(terminal), marketplace_id=terminal.marketplace_id, amount=made.amount, currency=terminal.currency,
        channel="pos", provider=terminal.provider, reference=_reference(made), now=now, fee_ppm=fee or 0,
        payment_id=uuid7_of(made.id, "payment"),
    )  # fmt: skip


def _reference(made: Transaction) -> str:
    return f"{made.terminal.identity}-{made.batch:06}-{made.stan:06}-{made.rrn[:4]}"


def _merchant(terminal: Terminal) -> Actor:
    return Actor(None, terminal.merchant_id, terminal.marketplace_id, is_system=True)


def locked(terminal_id: UUID) -> Terminal:
    """The terminal, locked until the end of the act: its messages are taken one after another."""
    return Terminal.objects.select_for_update(no_key=True).get(pk=terminal_id)


def tell(kind: str, terminal: Terminal, now: datetime, payload: dict[str, Any], actor: Actor | None = None) -> None:
    """Writes an event of a terminal into the log."""
    event = NewEvent(
        kind=kind, marketplace_id=terminal.marketplace_id, subject_type="terminal", subject_id=terminal.pk, occurred_at=now,
        payload=payload, actor_id=actor.person_id if actor else None, organisation_id=terminal.merchant_id,
        audience=(terminal.merchant_id,),
    )  # fmt: skip
    record([event])

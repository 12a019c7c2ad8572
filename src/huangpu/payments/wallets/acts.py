"""What may be done with money from wallet to wallet: send it, accept or decline it, take it back; and its limits."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, execute, row
from huangpu.core.errors import Conflict, Invalid, NotFound
from huangpu.core.ids import uuid7, uuid7_of
from huangpu.core.log.record import NewEvent, record
from huangpu.core.money import LARGEST, exponent
from huangpu.flows.funds.acts import ensure_accounts, post
from huangpu.flows.funds.days import zone_of
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Void
from huangpu.parties.actor import Actor
from huangpu.parties.models import Organisation
from huangpu.parties.rights import require, require_own

from . import rules
from .models import Limit, Sending

KIND = "transfer"
NOTE_MAX = 120

# of two at once the second sees what the first has added: the row is locked by the first
COUNT = """
INSERT INTO wallets_sent AS s (marketplace_id, sender_id, currency, span, amount)
SELECT %(market)s, %(sender)s, %(currency)s, %(span)s, %(amount)s WHERE %(amount)s <= %(most)s
ON CONFLICT (marketplace_id, sender_id, currency, span) DO UPDATE SET amount = s.amount + excluded.amount
WHERE s.amount + excluded.amount <= %(most)s
"""
COUNTED = """
SELECT amount FROM wallets_sent
WHERE marketplace_id = %(market)s AND sender_id = %(sender)s AND currency = %(currency)s AND span = %(span)s
"""
UNCOUNT = """
UPDATE wallets_sent SET amount = amount - %(amount)s
WHERE marketplace_id = %(market)s AND sender_id = %(sender)s AND currency = %(currency)s AND span = ANY(%(spans)s)
"""


@act
def send(
    *, actor: Actor, marketplace_id: UUID, receiver_id: UUID, amount: int, currency: str, now: datetime, note: str = "",
    sending_id: UUID | None = None,
) -> Sending:  # fmt: skip
    """The actor's organisation offers money to another's wallet; it is held until that accepts it, for a day at most.

    Refused: `sending.amount`, `.note`, `.receiver`, `.id_reused`, `.limit` (a day's or a year's, by how far one is verified),
    `transfer.exceeds_floor`, `currency.unknown`.
    """
    sender = require_own(actor, "wallets.send")
    exponent(currency)  # refuses what is no currency
    if type(amount) is not int or not 0 < amount <= LARGEST:
        raise Invalid("sending.amount", _("“%(value)s” is no amount to send."), field="amount", value=amount)
    if len(note) > NOTE_MAX or "\0" in note:
        raise Invalid(
            "sending.note", _("The note has %(value)s characters; it may have %(most)s."),
            field="note", value=len(note), most=NOTE_MAX,
        )  # fmt: skip
    if receiver_id == sender or not Organisation.objects.filter(pk=receiver_id).exists():
        raise Invalid(
            "sending.receiver", _("“%(value)s” is nobody else's wallet."), field="receiver", value=str(receiver_id)
        )
    made = Sending(
        id=sending_id or uuid7(), marketplace_id=marketplace_id, sender_id=sender, receiver_id=receiver_id, amount=amount,
        currency=currency, note=note, sent_at=now, expires_at=now + rules.KEPT,
    )  # fmt: skip
    if (found := Sending.objects.filter(pk=made.pk).first()) is not None:
        return _same(found, made)
    _count(made, now)
    own, other = _wallets(made)
    ensure_accounts([own, other])
    made.save(force_insert=True)
    post([Hold(id=_hold(made), marketplace_id=marketplace_id, debit=own.id, credit=other.id, amount=amount, kind=KIND,
               reference=made.id)])  # fmt: skip
    _tell("sending.sent", made, now, actor)
    return made


@act
def accept(*, actor: Actor, sending_id: UUID, now: datetime) -> Sending:
    """The receiver takes the money. Refused: `sending.unknown`, `sending.over`."""
    made = _waiting(actor, sending_id, "wallets.receive", mine="receiver_id", now=now)
    post([Capture(id=uuid7_of(made.id, "money"), marketplace_id=made.marketplace_id, hold_id=_hold(made), amount=made.amount,
                  final=True, kind=KIND, reference=made.id)])  # fmt: skip
    return _ended(made, "accepted", actor, now)


@act
def decline(*, actor: Actor, sending_id: UUID, now: datetime) -> Sending:
    """The receiver does not want it: it goes back. Refused: as `accept`."""
    return _back(_waiting(actor, sending_id, "wallets.receive", mine="receiver_id", now=now), "declined", actor, now)


@act
def withdraw(*, actor: Actor, sending_id: UUID, now: datetime) -> Sending:
    """The sender takes it back while nobody has accepted it. Refused: as `accept`."""
    return _back(_waiting(actor, sending_id, "wallets.send", mine="sender_id", now=now), "withdrawn", actor, now)


@act
def expire(*, sending_id: UUID, now: datetime) -> bool:
    """What nobody accepted in time goes back; returns whether it did."""
    made = Sending.objects.select_for_update().get(pk=sending_id)
    if made.state != "waiting" or made.expires_at > now:
        return False
    _back(made, "expired", None, now)
    return True


@act
def set_limit(
    *, actor: Actor, marketplace_id: UUID, currency: str, level: int, a_day: int, a_year: int, now: datetime
) -> Limit:
    """How much wallets of holders verified to that level may send. Refused: `limit.level`, `limit.amount`,
    `currency.unknown`."""
    require(actor, "wallets.set_limit", marketplace_id=marketplace_id)
    exponent(currency)
    if level not in rules.STANDARD:
        raise Invalid("limit.level", _("“%(value)s” is no level; there are 0 to 3."), field="level", value=level)
    if not 0 <= a_day <= a_year <= LARGEST:
        raise Invalid(
            "limit.amount", _("%(value)s a day is not from 0 to the limit of a year."), field="a_day", value=a_day
        )
    made, _created = Limit.objects.update_or_create(
        marketplace_id=marketplace_id, currency=currency, level=level, defaults={"a_day": a_day, "a_year": a_year}
    )
    payload = {"currency": currency, "level": level, "a_day": a_day, "a_year": a_year}
    record([NewEvent(kind="wallets.limit_set", marketplace_id=marketplace_id, subject_type="marketplace",
                     subject_id=marketplace_id, occurred_at=now, payload=payload, actor_id=actor.person_id)])  # fmt: skip
    return made


def limit_of(marketplace_id: UUID, currency: str, level: int) -> tuple[int, int]:
    """A day's and a year's limit of a level: what the operator said, else the standard's in CNY, else nothing."""
    said = Limit.objects.filter(marketplace_id=marketplace_id, currency=currency, level=level).first()
    if said is not None:
        return said.a_day, said.a_year
    return rules.STANDARD[level] if currency == "CNY" else (0, 0)


def _same(found: Sending, asked: Sending) -> Sending:
    """The very same again is the same; another under its id is refused."""
    same = ("marketplace_id", "sender_id", "receiver_id", "amount", "currency", "note")
    if any(getattr(found, name) != getattr(asked, name) for name in same):
        raise Conflict("sending.id_reused", _("The id %(value)s has been used for something else."), field="sending_id",
                       value=str(found.pk))  # fmt: skip
    return found


def _count(made: Sending, now: datetime) -> None:
    """Adds it to what the sender has sent in its year, then on its day, unless that is beyond a limit."""
    level = Organisation.objects.values_list("verification", flat=True).get(pk=made.sender_id)
    a_day, a_year = limit_of(made.marketplace_id, made.currency, level)
    facts = _facts(made)
    for span, most in zip(_spans(made, now), (a_year, a_day), strict=True):
        if not execute(COUNT, {**facts, "span": span, "most": most}):
            found = row(COUNTED, {**facts, "span": span})
            raise Conflict(
                "sending.limit", _("Verified to level %(level)s you may still send %(left)s (minor units), not %(value)s."),
                field="amount", value=made.amount, level=level, left=max(0, most - (found[0] if found else 0)),
            )  # fmt: skip


def _spans(made: Sending, at: datetime) -> tuple[str, str]:
    """The year and the day of an instant, in the marketplace's zone."""
    day = at.astimezone(zone_of(made.marketplace_id)).date()
    return f"{day.year:04}", day.isoformat()


def _facts(made: Sending) -> dict[str, Any]:
    return {"market": made.marketplace_id, "sender": made.sender_id, "currency": made.currency, "amount": made.amount}


def _back(made: Sending, state: str, actor: Actor | None, now: datetime) -> Sending:
    post(
        [Void(id=uuid7_of(made.id, "free"), marketplace_id=made.marketplace_id, hold_id=_hold(made), reference=made.id)]
    )
    execute(UNCOUNT, {**_facts(made), "spans": list(_spans(made, made.sent_at))})
    return _ended(made, state, actor, now)


def _ended(made: Sending, state: str, actor: Actor | None, now: datetime) -> Sending:
    made.state, made.ended_at = state, now
    made.save(update_fields=["state", "ended_at"])
    _tell(f"sending.{state}", made, now, actor)
    return made


def _waiting(actor: Actor, sending_id: UUID, right: str, *, mine: str, now: datetime) -> Sending:
    own = require_own(actor, right)
    made = Sending.objects.select_for_update().filter(pk=sending_id, **{mine: own}).first()
    if made is None:
        raise NotFound("sending.unknown", _("There is no such money on its way: %(value)s."), field="sending",
                       value=str(sending_id))  # fmt: skip
    if made.state != "waiting" or made.expires_at <= now:
        state = "expired" if made.state == "waiting" else made.state
        raise Conflict("sending.over", _("This is over: it is %(value)s."), field="state", value=state)
    return made


def _wallets(made: Sending) -> tuple[AccountSpec, AccountSpec]:
    market, currency = made.marketplace_id, made.currency
    return AccountSpec(market, "wallet", made.sender_id, currency), AccountSpec(
        market, "wallet", made.receiver_id, currency
    )


def _hold(made: Sending) -> UUID:
    return uuid7_of(made.id, "hold")


def _tell(kind: str, made: Sending, now: datetime, actor: Actor | None) -> None:
    event = NewEvent(
        kind=kind, marketplace_id=made.marketplace_id, subject_type="sending", subject_id=made.pk, occurred_at=now,
        payload={"amount": made.amount, "currency": made.currency}, actor_id=actor.person_id if actor else None,
        organisation_id=made.sender_id, audience=(made.sender_id, made.receiver_id),
    )  # fmt: skip
    record([event])

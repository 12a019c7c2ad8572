"""Amending a trade: one party proposes, every party signs, and the last signature applies it, in one transaction.

What an amendment does to commitments is in `amending.py`. Nothing is written over: what was promised at first stays in the
row (`details.agreed`), in the opening event and in the agreement's parameters; what was signed is hashed, the hash in the log.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from huangpu.core.canonical import canonical, write_json
from huangpu.core.db import act, execute, lock
from huangpu.core.errors import Conflict, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, record
from huangpu.core.quantity import plain
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require

from . import amending, rights, rules, store
from .acts import event_of
from .amending import Change
from .models import Amendment, Signature
from .rules import Trade

# what is changed of a commitment beside its standing: how much was promised, and what it had been
CUT = """
UPDATE commerce_commitment c SET quantity = n.quantity, details = n.details
FROM jsonb_to_recordset(%s::jsonb) AS n(id uuid, quantity numeric, details jsonb) WHERE c.id = n.id
"""
AGREED = "UPDATE commerce_agreement SET amount = amount + %s, options = %s::jsonb WHERE id = %s"


@act
def propose_amendment(
    *, actor: Actor, agreement_id: UUID, changes: Sequence[Change], now: datetime, note: str = ""
) -> Amendment:
    """Proposes changes of what is still to be delivered and signs them for the actor's organisation.

    Event agreement.amendment_proposed. Refused as `amending.apply` says for what could not be
    applied now, with `amendment.no_party`, and with `amendment.open` while another one is not decided.
    """
    trade = _trade(actor, agreement_id)
    organisation_id = _party(actor, trade)
    number = 1 + (
        Amendment.objects.filter(agreement_id=agreement_id).order_by("-number").values_list("number", flat=True).first()
        or 0
    )
    fixed = [
        replace(one, delivered=trade.promise(one.ordinal).done_quantity)
        if one.ordinal and 1 <= one.ordinal <= len(trade.promises)
        else one
        for one in changes
    ]
    amending.apply(trade, fixed, number, now)  # on a copy: only to refuse what cannot be
    told = [one.data() for one in fixed]
    signed = hashlib.sha256(canonical({"agreement": trade.number, "amendment": number, "changes": told})).digest()
    try:
        amendment = Amendment.objects.create(
            id=uuid7(), marketplace_id=trade.marketplace_id, agreement_id=agreement_id, number=number, changes=told,
            note=note.strip()[:1000], terms_hash=signed, proposed_by_id=organisation_id, proposed_at=now,
        )  # fmt: skip
    except IntegrityError as other:
        raise Conflict("amendment.open", _("An amendment of this trade is not decided yet; sign or decline it first."),
                       field="agreement", value=trade.number) from other  # fmt: skip
    _sign(amendment, organisation_id, actor, now)
    _say("agreement.amendment_proposed", amendment, trade, actor, now, changes=told, note=amendment.note)
    return amendment


@act
def sign_amendment(*, actor: Actor, amendment_id: UUID, now: datetime) -> Amendment:
    """The signature of the actor's organisation. The last one applies it: event agreement.amended, with what moved.

    Refused with `amendment.closed`, `amendment.signed`, `amendment.outdated` where more was delivered since it was proposed,
    and as `amending.apply` and the ledger say. Of two signatures at once of one party one is refused.
    """
    amendment, trade, organisation_id = _begin(actor, amendment_id)
    if amendment.signatures.filter(organisation_id=organisation_id).exists():
        raise Conflict("amendment.signed", _("Your organisation has signed this already."), field="amendment",
                       value=amendment.number)  # fmt: skip
    _sign(amendment, organisation_id, actor, now)
    missing = amending.parties_of(trade) - set(amendment.signatures.values_list("organisation_id", flat=True))
    if missing:
        _say("agreement.amendment_signed", amendment, trade, actor, now)
        return amendment
    _apply(amendment, actor, now)
    amendment.state, amendment.closed_at = "signed", now
    amendment.save(update_fields=["state", "closed_at"])
    return amendment


@act
def decline_amendment(*, actor: Actor, amendment_id: UUID, now: datetime, reason: str = "") -> Amendment:
    """A party does not want it, or who proposed it takes it back. Nothing changes. Event agreement.amendment_declined.

    Refused with `amendment.closed`.
    """
    amendment, trade, organisation_id = _begin(actor, amendment_id)
    amendment.state = "withdrawn" if organisation_id == amendment.proposed_by_id else "declined"
    amendment.reason, amendment.closed_at = reason.strip()[:1000], now
    amendment.save(update_fields=["state", "reason", "closed_at"])
    _say("agreement.amendment_declined", amendment, trade, actor, now, state=amendment.state, reason=amendment.reason)
    return amendment


def _apply(amendment: Amendment, actor: Actor, now: datetime) -> None:
    """Loads the trade, amends it, and writes all of it guarded by the agreement's version, as every act does."""
    changes = [Change.of(data) for data in amendment.changes]
    applied: tuple[Trade, amending.Amended] | None = None

    def think(fresh: Trade) -> NewEvent:
        nonlocal applied
        amended = amending.apply(fresh, changes, amendment.number, now)
        rules.advance(fresh, now)
        applied = fresh, amended
        facts = {
            "amendment": str(amendment.id), "number": amendment.number, "terms_hash": amendment.hash_text,
            "changes": amendment.changes, "cut": amended.cut, "added": amended.added,
            "commitments": [{"ordinal": item.ordinal, "key": item.key} for item in fresh.promises if item.is_new],
        }  # fmt: skip
        return event_of("agreement.amended", fresh, actor, now, facts)

    store.change(amendment.agreement_id, think, now=now)
    assert applied is not None, "the store lets `think` think"
    trade, amended = applied
    cut = [
        {"id": item.id, "quantity": plain(item.quantity), "details": dict(item.details)}
        for item in trade.promises
        if item.changed and not item.is_new and item.quantity is not None and "agreed" in item.details
    ]
    if cut:
        execute(CUT, [write_json(cut)])
    execute(AGREED, [amended.added - amended.cut, write_json(amended.options), trade.id])


def _begin(actor: Actor, amendment_id: UUID) -> tuple[Amendment, Trade, UUID]:
    """The amendment under lock, if it is open and the actor may sign for a party."""
    amendment = lock(Amendment, [amendment_id]).get(amendment_id)
    if amendment is None:
        raise _unknown(amendment_id)
    trade = _trade(actor, amendment.agreement_id)
    organisation_id = _party(actor, trade)
    if amendment.state != "open":
        raise Conflict("amendment.closed", _("This amendment is decided already."), field="amendment",
                       value=amendment.number)  # fmt: skip
    return amendment, trade, organisation_id


def _trade(actor: Actor, agreement_id: UUID) -> Trade:
    trade = store.load(agreement_id)
    if not rights.may_see(actor, trade.marketplace_id, trade.roles.values()):
        raise NotFound("agreement.unknown", _("There is no agreement “%(value)s”."), field="agreement",
                       value=str(agreement_id))  # fmt: skip
    return trade


def _party(actor: Actor, trade: Trade) -> UUID:
    organisation_id = actor.organisation_id
    if organisation_id is None or organisation_id not in amending.parties_of(trade):
        raise Refused("amendment.no_party", _("Only the parties of %(number)s amend it."), number=trade.number)
    require(actor, "process.amend", organisation_id=organisation_id)
    return organisation_id


def _unknown(value: object) -> NotFound:
    return NotFound("amendment.unknown", _("There is no amendment “%(value)s”."), field="amendment", value=str(value))


def _sign(amendment: Amendment, organisation_id: UUID, actor: Actor, now: datetime) -> None:
    Signature.objects.create(
        id=uuid7(), amendment=amendment, organisation_id=organisation_id, person_id=actor.person_id, signed_at=now
    )


def _say(kind: str, amendment: Amendment, trade: Trade, actor: Actor, now: datetime, **facts: Any) -> None:
    told = {
        "amendment": str(amendment.id), "number": amendment.number, "terms_hash": amendment.hash_text, **facts
    }  # fmt: skip
    record([event_of(kind, trade, actor, now, told, moved=False)])

"""Conclude, perform, resolve: the only ways in which a trade begins, goes on and leaves its path.

Each is two statements, whatever the number of lines: load, think (`rules.py`, `options.py`, and `performers.py` for what the
verbs do to money and goods), and one call that writes all of it with the event (`store.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import row, statement_act
from huangpu.core.errors import Conflict, Invalid, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent
from huangpu.core.quantity import plain
from huangpu.flows.commerce.compiled import compile_terms
from huangpu.flows.commerce.templates import template as find_template
from huangpu.parties.actor import SYSTEM, Actor

from . import options, rights, rules, store
from .documents import Given, together, told
from .performers import PAST
from .rules import Promise, Trade


@dataclass(frozen=True, slots=True)
class Part:
    """What is performed of one commitment: by default as much as can be performed now."""

    ordinal: int
    quantity: Decimal | None = None
    amount: int | None = None


@statement_act
def conclude(
    *,
    actor: Actor,
    marketplace_id: UUID,
    template: str,
    parameters: Mapping[str, Any],
    parties: Mapping[str, UUID],
    title: Mapping[str, str],
    currency: str,
    now: datetime,
    origin_id: UUID | None = None,
) -> Trade:
    """An agreement with its commitments, what they hold of money and stock at once, and the opening event.

    `parameters` are the template's (plain JSON; amounts in minor units). `parties` gives an organisation to each role;
    the marketplace's operator is added. The actor must be a member of one of them. Refused with `template.unknown`,
    `terms.role_missing`, and what the ledger and the stock refuse.
    """
    market = row("SELECT operator_id, zone FROM parties_marketplace WHERE id = %s", [marketplace_id])
    if market is None:
        raise NotFound("marketplace.unknown", _("There is no marketplace “%(value)s”."), field="marketplace",
                       value=str(marketplace_id))  # fmt: skip
    operator_id, zone = market
    known = find_template(template)
    roles = {**parties, "operator": operator_id}
    if not actor.is_system and actor.organisation_id not in roles.values():
        raise Refused(
            "rights.refused", _("Only a party of the agreement can conclude it."), field="actor", value=template
        )
    compiled = compile_terms(known.build(parameters), roles)
    trade = Trade(
        id=uuid7(), marketplace_id=marketplace_id, operator_id=operator_id, number="", currency=currency, state="open",
        concluded_at=now, zone=store.zone_of(zone), roles=roles, options=compiled.options, origin_id=origin_id,
        promises=[rules.promise_of({**data, "id": uuid7()}) for data in compiled.commitments],
    )  # fmt: skip
    rules.advance(trade, now)
    facts = {
        "template": known.name, "version": known.version, "terms_hash": compiled.terms_hash.hex(), "title": dict(title),
        "amount": compiled.amount, "currency": currency, "parties": {role: str(party) for role, party in roles.items()},
        "origin": str(origin_id) if origin_id else None,
    }  # fmt: skip
    event = event_of("agreement.concluded", trade, actor, now, facts)
    agreement = {
        "prefix": known.prefix, "title": dict(title), "template": known.name, "template_version": known.version,
        "parameters": dict(parameters), "terms_hash": compiled.terms_hash.hex(), "amount": compiled.amount,
    }  # fmt: skip
    trade.number = store.insert(trade, event, agreement, now)
    return trade


@statement_act
def perform(
    *,
    actor: Actor,
    agreement_id: UUID,
    parts: Sequence[Part],
    now: datetime,
    details: Mapping[str, Any] | None = None,
    documents: Sequence[Given] = (),
) -> Trade:
    """A party keeps what it has promised: one verb, one or many commitments, in part or whole; one event.

    What waited on it becomes due, and what the terms say is automatic happens in the same transaction. `details` belong
    to the verb: carrier and tracking of a delivery, the number of an invoice, a remark. `documents` come with it.
    Refused as `rules.perform` and `documents.told` say, and with `rights.refused`, `parts.empty`, `parts.mixed`.
    """

    def think(trade: Trade) -> NewEvent:
        promises = [_promise(trade, part.ordinal) for part in parts]
        action = _one_action(promises)
        if not rights.may_see(actor, trade.marketplace_id, trade.roles.values()):
            raise NotFound("agreement.unknown", _("There is no agreement “%(value)s”."), field="agreement",
                           value=str(agreement_id))  # fmt: skip
        rights.require_perform(actor, action, {promise.provider_id for promise in promises})
        for part in parts:
            rules.perform(trade, part.ordinal, part.quantity, part.amount, now=now, by_house=actor.is_system)
        rules.advance(trade, now)
        facts = {"action": action, "details": dict(details or {}), **told(actor, trade, documents)}
        return event_of(PAST[action], trade, actor, now, facts)

    with together(documents):
        return store.change(agreement_id, think, now=now, details=details)


@statement_act
def resolve(
    *,
    actor: Actor,
    agreement_id: UUID,
    option: str,
    now: datetime,
    quantity: Decimal | None = None,
    amount: int | None = None,
    reason: str = "",
    documents: Sequence[Given] = (),
) -> Trade:
    """A party, the arbiter or the house uses an option of the terms: cancel, reject, return, dispute, decide.

    `documents` come with it. Refused as `options.exercise` and `documents.told` say, and with `rights.refused`.
    """

    def think(trade: Trade) -> NewEvent:
        known = options.find(trade, option)
        role = rights.role_for(actor, trade.marketplace_id, dict(trade.roles), known["by"])
        if role is None:
            raise rights.refused_option(option)
        options.exercise(trade, option, role=role, now=now, quantity=quantity, amount=amount)
        rules.advance(trade, now)
        facts = {
            "option": option, "role": role, "reason": reason[:1000], "decided": amount,
            "quantity": None if quantity is None else plain(quantity), **told(actor, trade, documents),
        }  # fmt: skip
        return event_of("process.resolved", trade, actor, now, facts)

    with together(documents):
        return store.change(agreement_id, think, now=now)


@statement_act
def lapse(*, agreement_id: UUID, ordinal: int, now: datetime) -> str | None:
    """The time of a commitment has passed: on silence the terms decide. Asks again whether it still holds, so it may be
    called at any time and any number of times. Returns what happened, or None."""
    trade = store.load(agreement_id)
    if options.lapse(trade, ordinal, now) is None:
        return None
    happened = ""

    def think(fresh: Trade) -> NewEvent:
        nonlocal happened
        due = fresh.promise(ordinal).due_at
        happened = options.lapse(fresh, ordinal, now) or ""
        if not happened:
            raise Conflict(
                "commitment.settled", _("It was settled in the meantime."), field="commitment", value=ordinal
            )
        assert due is not None, "the rules let nothing lapse that has no time"
        rules.advance(fresh, now)
        promise = fresh.promise(ordinal)
        facts = {"commitment": ordinal, "key": promise.key, "silence": happened, "due_at": rfc3339(due)}
        return event_of("commitment.lapsed", fresh, SYSTEM, now, facts)

    store.change(agreement_id, think, now=now)
    return happened


def event_of(
    kind: str, trade: Trade, actor: Actor, now: datetime, facts: dict[str, Any], *, moved: bool = True
) -> NewEvent:
    """The event of an act on a trade, with what it fulfilled and ended; without, where nothing of the trade has moved."""
    steps = [
        {
            "ordinal": step.promise.ordinal, "key": step.promise.key, "action": step.promise.action,
            "quantity": None if step.quantity is None else plain(step.quantity), "amount": step.amount,
            "automatic": step.by_house,
        }
        for step in trade.steps
    ]  # fmt: skip
    standing = {"fulfilled": steps, "ended": [item.key for item in trade.ended], "state": trade.state}
    return NewEvent(
        kind=kind, marketplace_id=trade.marketplace_id, subject_type="agreement", subject_id=trade.id, occurred_at=now,
        payload={**facts, **(standing if moved else {})},
        actor_id=actor.person_id, organisation_id=actor.organisation_id, audience=tuple(sorted(set(trade.roles.values()))),
    )  # fmt: skip


def _promise(trade: Trade, ordinal: int) -> Promise:
    if not 1 <= ordinal <= len(trade.promises):
        raise Invalid("commitment.unknown", _("There is no commitment %(value)s; they are numbered from 1 to %(last)s."),
                      field="commitment", value=ordinal, last=len(trade.promises))  # fmt: skip
    return trade.promise(ordinal)


def _one_action(promises: Sequence[Promise]) -> str:
    actions = {promise.action for promise in promises}
    if len(actions) != 1:
        raise Invalid(
            "parts.mixed" if actions else "parts.empty",
            _("One act performs one verb, on one commitment at least; here are: %(value)s."),
            field="parts",
            value=", ".join(sorted(actions)),
        )
    return actions.pop()

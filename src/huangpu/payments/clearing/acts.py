"""What may be done with settlement windows: gather what operations owe, close, confirm, settle."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, execute, rows
from huangpu.core.errors import Conflict, NotFound, Refused
from huangpu.core.ids import uuid7, uuid7_of
from huangpu.core.log.record import NewEvent, record
from huangpu.flows.funds.acts import ensure_accounts, post
from huangpu.flows.funds.rules import AccountSpec, Item, Transfer
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require
from huangpu.payments.checkout.rules import WALLET  # our own ledger: there is nothing to settle with it
from huangpu.payments.gateway.provider import provider_id

from . import rules
from .models import Window

KIND = "settlement"

GATHER = """
INSERT INTO clearing_obligation (operation_id, window_id, provider, merchant_id, amount)
SELECT o.id, %(window)s, o.provider, o.holder_id, CASE WHEN o.verb IN ('refund', 'payout') THEN -o.amount ELSE o.amount END
FROM operations_operation o LEFT JOIN clearing_obligation c ON c.operation_id = o.id
WHERE o.marketplace_id = %(market)s AND o.currency = %(currency)s AND o.state = 'succeeded' AND o.provider <> %(inside)s
  AND o.verb IN ('purchase', 'capture', 'top_up', 'refund', 'payout') AND o.ended_at >= %(since)s AND c.operation_id IS NULL
ON CONFLICT (operation_id) DO NOTHING
"""
SINCE = """
SELECT min(opened_at) - interval '1 hour' FROM (
  SELECT opened_at FROM clearing_window WHERE marketplace_id = %s AND currency = %s ORDER BY id DESC LIMIT 2) latest
"""
POSITIONS = """
SELECT provider, sum(amount)::bigint FROM clearing_obligation WHERE window_id = %s GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1
"""


@act
def gather(*, marketplace_id: UUID, currency: str, now: datetime) -> int:
    """Puts what has succeeded and is in no window yet into the open one, made when there is none; returns how much that was.

    A window that is being closed is waited for: each operation is in exactly one."""
    window = _open(marketplace_id, currency, now)
    since = rows(SINCE, [marketplace_id, currency])[0][0]
    return execute(GATHER, {
        "window": window.pk, "market": marketplace_id, "currency": currency, "inside": WALLET, "since": since,
    })  # fmt: skip


@act
def close(*, actor: Actor, window_id: UUID, now: datetime) -> Window:
    """No operation comes into it any more; the next window is open. Refused: `window.unknown`, `window.state`."""
    window = _locked(window_id)
    require(actor, "clearing.close", marketplace_id=window.marketplace_id)
    _require(window, "open")
    window.state, window.closed_at = "closed", now
    window.save(update_fields=["state", "closed_at"])
    _open(window.marketplace_id, window.currency, now)
    _tell("window.closed", window, now, {}, actor)
    return window


@act
def confirm(*, actor: Actor, window_id: UUID, now: datetime) -> Window:
    """The first of two: the positions of a closed window are right. Refused: as `close`."""
    window = _locked(window_id)
    require(actor, "clearing.settle", marketplace_id=window.marketplace_id)
    _require(window, "closed")
    window.state, window.confirmed_at, window.confirmed_by = "pending", now, actor.person_id
    window.save(update_fields=["state", "confirmed_at", "confirmed_by"])
    _tell("window.confirmed", window, now, {}, actor)
    return window


@act
def settle(*, actor: Actor, window_id: UUID, now: datetime) -> Window:
    """The second of two: each provider's net position moves between its account and the settlement account, all or none.

    Refused: as `close`, and `window.four_eyes` (who has confirmed it)."""
    window = _locked(window_id)
    require(actor, "clearing.settle", marketplace_id=window.marketplace_id)
    _require(window, "pending")
    if actor.person_id == window.confirmed_by:
        raise Refused("window.four_eyes", _("You have confirmed it; somebody else settles it."), field="actor")
    moves = _moves(window)
    if moves:
        post(moves)
    window.state, window.settled_at, window.settled_by = "settled", now, actor.person_id
    window.save(update_fields=["state", "settled_at", "settled_by"])
    _tell("window.settled", window, now, {"providers": len(moves)}, actor)
    return window


def positions(window_id: UUID) -> dict[str, int]:
    """What each provider owes the merchants of a window (above zero) or they owe it, in minor units."""
    return dict(rows(POSITIONS, [window_id]))


def _moves(window: Window) -> list[Item]:
    central = AccountSpec(window.marketplace_id, "settlement", None, window.currency)
    moves: list[Item] = []
    specs = [central]
    for provider, amount in positions(window.pk).items():
        own = AccountSpec(window.marketplace_id, "bank", provider_id(provider), window.currency)
        specs.append(own)
        debit, credit = (central, own) if amount > 0 else (own, central)
        moves.append(Transfer(id=uuid7_of(window.pk, provider), marketplace_id=window.marketplace_id, debit=debit.id,
                              credit=credit.id, amount=abs(amount), kind=KIND, reference=window.pk))  # fmt: skip
    ensure_accounts(specs)
    return moves


def _open(marketplace_id: UUID, currency: str, now: datetime) -> Window:
    """The open window, locked; made where there is none. One that is closed while it is waited for is followed by the next,
    which the second look finds."""
    found = None
    while found is None:
        made = Window(
            id=uuid7(), marketplace_id=marketplace_id, currency=currency, opened_at=now, closes_at=now + rules.WINDOW
        )
        Window.objects.bulk_create([made], ignore_conflicts=True)
        open_ones = Window.objects.filter(marketplace_id=marketplace_id, currency=currency, state="open")
        found = open_ones.select_for_update().first()
    return found


def _locked(window_id: UUID) -> Window:
    found = Window.objects.select_for_update().filter(pk=window_id).first()
    if found is None:
        raise NotFound("window.unknown", _("There is no window %(value)s."), field="window", value=str(window_id))
    return found


def _require(window: Window, state: rules.State) -> None:
    if window.state != state:
        raise Conflict(
            "window.state", _("The window is %(value)s; for that it has to be %(wanted)s."),
            field="state", value=window.state, wanted=state,
        )  # fmt: skip


def _tell(kind: str, window: Window, now: datetime, payload: dict[str, Any], actor: Actor) -> None:
    event = NewEvent(kind=kind, marketplace_id=window.marketplace_id, subject_type="window", subject_id=window.pk,
                     occurred_at=now, payload={"currency": window.currency, **payload}, actor_id=actor.person_id)  # fmt: skip
    record([event])

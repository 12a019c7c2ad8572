"""A trade in and out of the database: one statement to load it, one to write all that an act changed, with its event and
what follows for goods, money and papers.

No lock is held while the rules think. The write is guarded by the agreement's version: if another act was faster it
changes nothing at all, and the act thinks again on what is now true.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import DatabaseError, IntegrityError
from django.utils.translation import gettext_lazy as _

from huangpu.core.canonical import read_json, write_json
from huangpu.core.db import row, rows
from huangpu.core.errors import Conflict, HuangpuError, NotFound
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, told
from huangpu.core.quantity import plain
from huangpu.flows.commerce.terms import Due
from huangpu.flows.funds import acts as funds
from huangpu.flows.funds.rules import AccountSpec
from huangpu.flows.goods import acts as goods

from .papers import invoice_refused, invoices, shipped
from .performers import Effects, carry_out, reserve
from .rules import Promise, Step, Trade

ATTEMPTS_MAX = 8
PLAIN = ["id", "ordinal", "key", "flow", "action", "provider_id", "receiver_id"]
STATED = ["after", "stepwise", "automatic", "draws", "measure"]
REST = ["on_silence", "quantity", "unit", "amount"]
STANDING = ["state", "done_quantity", "done_amount", "open_since", "due_at", "late_at", "settled_at"]
# in the order of `Promise`; JSON as text, since most of it is empty or was read before
COLUMNS = [*PLAIN, "name::text", *STATED, "due::text", *REST, "details::text", *STANDING]
NAME, DUE, DETAILS = (COLUMNS.index(f"{name}::text") for name in ("name", "due", "details"))

AGREEMENT = (
    "id", "marketplace_id", "operator_id", "number", "currency", "state", "concluded_at", "zone", "options", "version",
    "origin_id", "roles",
)  # fmt: skip

LOAD = f"""
SELECT a.id, a.marketplace_id, m.operator_id, a.number, a.currency, a.state, a.concluded_at, m.zone, a.options::text, a.version,
       a.origin_id,
       (SELECT json_object_agg(role, organisation_id)::text FROM commerce_agreementparty WHERE agreement_id = a.id),
       {", ".join("c." + name for name in COLUMNS)}
FROM commerce_agreement a JOIN parties_marketplace m ON m.id = a.marketplace_id
LEFT JOIN commerce_commitment c ON c.agreement_id = a.id
WHERE a.id = %s ORDER BY c.ordinal
"""

# when how much of each delivery came: asked only where terms have a penalty for lateness
ARRIVALS = """
SELECT c.ordinal, e.occurred_at, f.quantity
FROM process_fulfilment f JOIN commerce_commitment c ON c.id = f.commitment_id JOIN log_event e ON e.id = f.event_id
WHERE f.agreement_id = %s AND c.action = 'deliver' ORDER BY f.id
"""


def load(agreement_id: UUID) -> Trade:
    """An agreement with everything the rules need. Refused with `agreement.unknown`."""
    found = rows(LOAD, [agreement_id], binary=True)
    if not found:
        raise NotFound(
            "agreement.unknown", _("There is no agreement “%(value)s”."), field="agreement", value=str(agreement_id)
        )
    first = dict(zip(AGREEMENT, found[0], strict=False))
    trade = Trade(
        **{name: first[name] for name in AGREEMENT if name not in ("zone", "roles", "options")},
        zone=zone_of(first["zone"]),
        roles={role: UUID(organisation) for role, organisation in read_json(first["roles"]).items()},
        options=_options(first["options"]),
        promises=[_promise(values[len(AGREEMENT) :]) for values in found if values[len(AGREEMENT)] is not None],
    )
    if trade.penalties:
        for ordinal, at, quantity in rows(ARRIVALS, [agreement_id]):
            trade.arrivals.setdefault(ordinal, []).append((at, quantity))
    return trade


def change(
    agreement_id: UUID, think: Callable[[Trade], NewEvent], *, now: datetime, details: Mapping[str, Any] | None = None
) -> Trade:
    """Loads a trade, lets `think` change it and say what happened, and writes it with the event and with what follows for
    goods and money; thinks again if somebody was faster.

    Refused with `agreement.busy` when others are always faster, and with what stock, ledger and invoices refuse.
    """
    for _attempt in range(ATTEMPTS_MAX):
        trade = load(agreement_id)
        event = think(trade)
        changed = [item for item in trade.promises if item.changed and not item.is_new]
        fresh = [item for item in trade.promises if item.is_new]
        data = {"version": trade.version, "changed": [{"id": item.id, **_standing(item)} for item in changed]}
        if _written("process_change", trade, event, data, fresh, carry_out(trade, dict(details or {})), now):
            return trade
    raise Conflict("agreement.busy", _("Too many acts on this agreement at once; try again."), field="agreement",
                   value=str(agreement_id))  # fmt: skip


def insert(trade: Trade, event: NewEvent, agreement: Mapping[str, Any], now: datetime) -> str:
    """Writes a new agreement with its parties, commitments and first fulfilments, the accounts of its parties where they are
    not open yet, and what follows; returns its human number. Refused as `change` is."""
    accounts = funds.unopened(_accounts(trade))
    data: dict[str, Any] = {
        "roles": dict(trade.roles),
        "agreement": {
            **agreement, "id": trade.id, "marketplace_id": trade.marketplace_id, "options": list(trade.options),
            "prefix": f"{agreement['prefix']}-{now.astimezone(trade.zone).year}-", "currency": trade.currency,
            "origin_id": trade.origin_id, "state": trade.state,
            "concluded_at": now, "closed_at": now if trade.state == "fulfilled" else None,
        },
    }  # fmt: skip
    if accounts:
        data["accounts"] = accounts
    effects = carry_out(trade, {})
    effects.moves[:0] = reserve(trade)  # reserved first, so that what is performed at once can use it up
    number = _written("process_conclude", trade, event, data, trade.promises, effects, now)
    funds.opened(accounts)
    return str(number)


def _accounts(trade: Trade) -> list[AccountSpec]:
    holders: list[tuple[str, UUID | None]] = [("wallet", party) for party in sorted(set(trade.roles.values()))]
    return [
        AccountSpec(trade.marketplace_id, book, holder, trade.currency)
        for book, holder in (*holders, ("escrow", None), ("fees", None))
    ]


def _written(call: str, trade: Trade, event: NewEvent, data: dict[str, Any], fresh: Sequence[Promise], effects: Effects,
             now: datetime) -> Any:  # fmt: skip
    """Calls one of the two functions of migration 0002, with only the keys that there is something for; what it answers."""
    data |= {
        "id": trade.id, "marketplace_id": trade.marketplace_id, "state": trade.state,
        "closed_at": now if trade.state in ("fulfilled", "terminated") else None, "events": [told(event)],
    }  # fmt: skip
    if fresh:
        data["fresh"] = [_row(item) for item in fresh]
    if trade.steps:
        data["fulfilled"] = [_step(step) for step in trade.steps]
    if effects.moves:
        data |= goods.written(effects.moves)
    if effects.ledger:
        data["ledger"] = funds.written(effects.ledger)
        data["group"] = uuid7() if len(effects.ledger) > 1 else None
    if shipment := shipped(trade, event, effects, now):
        data["shipments"] = [shipment]
    if effects.invoiced:
        data["invoices"] = invoices(trade, effects.invoiced, effects.details, now)
    try:
        answer = row(f"SELECT {call}(%s::jsonb)", [write_json(data)])
    except DatabaseError as wrong:
        if refusal := _refused(wrong, effects):
            raise refusal from wrong
        raise
    return answer and answer[0]


def _refused(wrong: DatabaseError, effects: Effects) -> HuangpuError | None:
    if isinstance(wrong, IntegrityError):
        return goods.refused(wrong, effects.moves) or invoice_refused(wrong, effects.details)
    return funds.refused(wrong, effects.ledger)


def _row(item: Promise) -> dict[str, Any]:
    return {
        "id": item.id, "ordinal": item.ordinal, "key": item.key, "flow": item.flow, "action": item.action,
        "provider_id": item.provider_id, "receiver_id": item.receiver_id, "name": dict(item.name), "after": item.after,
        "stepwise": item.stepwise, "automatic": item.automatic, "draws": item.draws, "measure": item.measure,
        "due": item.due.data() if item.due else None, "on_silence": item.on_silence,
        "quantity": None if item.quantity is None else plain(item.quantity), "unit": item.unit,
        "details": dict(item.details), **_standing(item),
    }  # fmt: skip


def _standing(item: Promise) -> dict[str, Any]:
    return {
        "amount": item.amount, "state": item.state, "done_quantity": plain(item.done_quantity),
        "done_amount": item.done_amount, "open_since": item.open_since, "due_at": item.due_at, "late_at": item.late_at,
        "settled_at": item.settled_at,
    }  # fmt: skip


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "commitment_id": step.promise.id,
        "quantity": None if step.quantity is None else plain(step.quantity),
        "amount": step.amount,
    }


def _promise(values: Sequence[Any]) -> Promise:
    data = list(values)
    data[NAME], data[DUE], data[DETAILS] = read_json(data[NAME]), _due(data[DUE]), read_json(data[DETAILS])
    return Promise(*data)


@lru_cache(maxsize=1024)
def _due(text: str | None) -> Due | None:
    return Due.of(read_json(text)) if text else None


@lru_cache(maxsize=256)
def _options(text: str) -> tuple[Mapping[str, Any], ...]:
    """The options of an agreement. Nothing changes them, so that acts may share what was read."""
    return tuple(read_json(text))


@cache
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that IANA name."""
    return ZoneInfo(name)

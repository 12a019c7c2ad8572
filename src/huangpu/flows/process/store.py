"""A trade in and out of the database: one statement to load it, one to write all that an act changed.

No lock is held while the rules think. The write is guarded by the agreement's version: if another act was faster it
changes nothing at all, and the act thinks again on what is now true.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import row, rows
from huangpu.core.errors import Conflict, NotFound
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, statement_parts
from huangpu.core.quantity import plain

from .rules import Promise, Trade, promise_of

ATTEMPTS_MAX = 8
STANDING = (  # of a commitment, what performing changes
    "amount bigint, state text, done_quantity numeric, done_amount bigint, open_since timestamptz, due_at timestamptz,"
    " late_at timestamptz, settled_at timestamptz"
)
TYPES = (
    "id uuid, ordinal smallint, key text, flow text, action text, provider_id uuid, receiver_id uuid, name jsonb,"
    " after jsonb, stepwise bool, automatic bool, draws smallint, measure text, due jsonb, on_silence text,"
    " quantity numeric, unit text, details jsonb, " + STANDING
)
COLUMNS = [part.split()[0] for part in TYPES.split(",")]  # of a commitment

AGREEMENT = (
    "id", "marketplace_id", "operator_id", "number", "currency", "state", "concluded_at", "zone", "options", "version",
    "origin_id", "roles",
)  # fmt: skip

LOAD = f"""
SELECT a.id, a.marketplace_id, m.operator_id, a.number, a.currency, a.state, a.concluded_at, m.zone, a.options, a.version,
       a.origin_id, (SELECT json_object_agg(role, organisation_id) FROM commerce_agreementparty WHERE agreement_id = a.id),
       {", ".join("c." + name for name in COLUMNS)}
FROM commerce_agreement a JOIN parties_marketplace m ON m.id = a.marketplace_id
LEFT JOIN commerce_commitment c ON c.agreement_id = a.id
WHERE a.id = %s ORDER BY c.ordinal
"""

ARRAY = "ARRAY(SELECT jsonb_array_elements_text(n.after)::smallint)"
NEW = f"""
  INSERT INTO commerce_commitment (agreement_id, marketplace_id, {", ".join(COLUMNS)})
  SELECT %s, %s, {", ".join(ARRAY if name == "after" else "n." + name for name in COLUMNS)}
  FROM jsonb_to_recordset(%s::jsonb) AS n({TYPES}){{guard}}
"""

CONCLUDE = """
WITH agreement AS (
  INSERT INTO commerce_agreement (id, marketplace_id, number, title, template, template_version, parameters, options,
                                  terms_hash, origin_id, currency, amount, state, version, concluded_at, closed_at)
  VALUES (%s, %s, %s || lpad(nextval('commerce_agreement_number')::text, 6, '0'), %s::jsonb, %s, %s, %s::jsonb, %s::jsonb,
          %s, %s, %s, %s, %s, 1, %s, %s)
  RETURNING number
), party AS (
  INSERT INTO commerce_agreementparty (agreement_id, role, organisation_id)
  SELECT %s, key, value::uuid FROM jsonb_each_text(%s::jsonb)
), fresh AS (""" + NEW.format(guard="") + """), fulfilled AS (
  INSERT INTO process_fulfilment (id, marketplace_id, event_id, agreement_id, commitment_id, quantity, amount, recorded_at)
  SELECT f.id, %s, %s, %s, f.commitment_id, f.quantity, f.amount, clock_timestamp()
  FROM jsonb_to_recordset(%s::jsonb) AS f(id uuid, commitment_id uuid, quantity numeric, amount bigint)
)
SELECT number FROM agreement
"""  # fmt: skip

GUARD = " WHERE EXISTS (SELECT FROM changed)"
WRITE = """
WITH changed AS (
  UPDATE commerce_agreement SET version = version + 1, state = %s, closed_at = %s WHERE id = %s AND version = %s RETURNING id
), kept AS (
  UPDATE commerce_commitment c
  SET state = n.state, done_quantity = n.done_quantity, done_amount = n.done_amount, amount = n.amount,
      open_since = n.open_since, due_at = n.due_at, late_at = n.late_at, settled_at = n.settled_at
  FROM jsonb_to_recordset(%s::jsonb) AS n(id uuid, """ + STANDING + """), changed
  WHERE c.id = n.id
), fresh AS (""" + NEW.format(guard=GUARD) + """), fulfilled AS (
  INSERT INTO process_fulfilment (id, marketplace_id, event_id, agreement_id, commitment_id, quantity, amount, recorded_at)
  SELECT f.id, %s, %s, %s, f.commitment_id, f.quantity, f.amount, clock_timestamp()
  FROM jsonb_to_recordset(%s::jsonb) AS f(id uuid, commitment_id uuid, quantity numeric, amount bigint)""" + GUARD + """
), {events}
SELECT 1 FROM changed
"""  # fmt: skip


def load(agreement_id: UUID) -> Trade:
    """An agreement with everything the rules need. Refused with `agreement.unknown`."""
    found = rows(LOAD, [agreement_id])
    if not found:
        raise NotFound(
            "agreement.unknown", _("There is no agreement “%(value)s”."), field="agreement", value=str(agreement_id)
        )
    first = dict(zip(AGREEMENT, found[0], strict=False))
    return Trade(
        **{name: first[name] for name in AGREEMENT if name not in ("zone", "roles", "options")},
        zone=zone_of(first["zone"]),
        roles={role: UUID(organisation) for role, organisation in _json(first["roles"]).items()},
        options=_json(first["options"]),
        promises=[_promise(values[len(AGREEMENT) :]) for values in found if values[len(AGREEMENT)] is not None],
    )


def change(
    agreement_id: UUID,
    think: Callable[[Trade], NewEvent],
    *,
    now: datetime,
    first: Trade | None = None,
) -> tuple[Trade, NewEvent]:
    """Loads a trade, lets `think` change it and say what happened, and writes both; thinks again if somebody was faster.

    Refused with `agreement.busy` when others are always faster.
    """
    for _attempt in range(ATTEMPTS_MAX):
        trade = first or load(agreement_id)
        first = None
        event = think(trade)
        if _write(trade, event, now):
            return trade, event
    raise Conflict("agreement.busy", _("Too many acts on this agreement at once; try again."), field="agreement",
                   value=str(agreement_id))  # fmt: skip


def _write(trade: Trade, event: NewEvent, now: datetime) -> bool:
    events, event_params = statement_parts([event], guard=GUARD)
    changed = [item for item in trade.promises if item.changed and not item.is_new]
    written = row(
        WRITE.replace("{events}", events),
        [
            trade.state, now if trade.state in ("fulfilled", "terminated") else None, trade.id, trade.version,
            json.dumps([{"id": str(item.id), **_standing(item)} for item in changed]),
            trade.id, trade.marketplace_id, _dump(item for item in trade.promises if item.is_new),
            trade.marketplace_id, event.id, trade.id, _steps(trade),
            *event_params,
        ],
    )  # fmt: skip
    return written is not None


def insert(trade: Trade, event: NewEvent, agreement: Mapping[str, Any], now: datetime) -> str:
    """Writes a new agreement with its parties, commitments and first fulfilments; returns its human number."""
    number = row(
        CONCLUDE,
        [
            trade.id, trade.marketplace_id, f"{agreement['prefix']}-{now.astimezone(trade.zone).year}-",
            json.dumps(agreement["title"]), agreement["template"], agreement["version"], json.dumps(agreement["parameters"]),
            json.dumps(list(trade.options)), agreement["terms_hash"], trade.origin_id, trade.currency, agreement["amount"],
            trade.state, now, now if trade.state == "fulfilled" else None,
            trade.id, json.dumps({role: str(party) for role, party in trade.roles.items()}),
            trade.id, trade.marketplace_id, _dump(trade.promises),
            trade.marketplace_id, event.id, trade.id, _steps(trade),
        ],
    )  # fmt: skip
    assert number is not None
    return str(number[0])


def _dump(promises: Any) -> str:
    return json.dumps([_row(item) for item in promises])


def _row(item: Promise) -> dict[str, Any]:
    return {
        "id": str(item.id), "ordinal": item.ordinal, "key": item.key, "flow": item.flow, "action": item.action,
        "provider_id": str(item.provider_id), "receiver_id": str(item.receiver_id), "name": dict(item.name),
        "after": list(item.after), "stepwise": item.stepwise, "automatic": item.automatic, "draws": item.draws,
        "measure": item.measure, "due": item.due.data() if item.due else None, "on_silence": item.on_silence,
        "quantity": None if item.quantity is None else plain(item.quantity), "unit": item.unit,
        "details": dict(item.details), **_standing(item),
    }  # fmt: skip


def _standing(item: Promise) -> dict[str, Any]:
    return {
        "amount": item.amount, "state": item.state, "done_quantity": plain(item.done_quantity),
        "done_amount": item.done_amount, "open_since": _instant(item.open_since), "due_at": _instant(item.due_at),
        "late_at": _instant(item.late_at), "settled_at": _instant(item.settled_at),
    }  # fmt: skip


def _steps(trade: Trade) -> str:
    return json.dumps(
        [
            {
                "id": str(uuid7()),
                "commitment_id": str(step.promise.id),
                "quantity": None if step.quantity is None else plain(step.quantity),
                "amount": step.amount,
            }
            for step in trade.steps
        ]
    )


def _promise(values: Sequence[Any]) -> Promise:
    data = dict(zip(COLUMNS, values, strict=True))
    for name in ("name", "due", "details"):
        data[name] = _json(data[name])
    promise = promise_of(data)
    for name in ("state", "done_quantity", "done_amount", "open_since", "due_at", "late_at", "settled_at"):
        setattr(promise, name, data[name])
    return promise


def _json(value: Any) -> Any:
    """Django leaves jsonb of plain SQL as text. Most of a commitment's objects are empty."""
    return ({} if value == "{}" else json.loads(value)) if isinstance(value, str) else value


def _instant(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


@cache
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that IANA name."""
    return ZoneInfo(name)

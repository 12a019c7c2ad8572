"""What may be done with money: post, open accounts, top up and withdraw.

`post` is the lane inside the caller's transaction: order and money stand or fall together. It is one SQL call. Group
commit and bulk will take the same items and call the same functions from transactions of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, execute, row
from huangpu.core.errors import Conflict, HuangpuError, Invalid
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, record
from huangpu.core.money import LARGEST
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require

from .rules import FLOORS, SLOTS, AccountSpec, Capture, Hold, Item, Transfer, Void, account_id

ENSURE = """
WITH fresh AS (
  INSERT INTO funds_account (id, marketplace_id, book, holder_id, currency, balance_min, sub_balances,
                             posted_debit, posted_credit, pending_debit, pending_credit)
  SELECT id, marketplace_id, book, holder_id, currency, balance_min, slots, 0, 0, 0, 0
  FROM jsonb_to_recordset(%s::jsonb) AS a(id uuid, marketplace_id uuid, book text, holder_id uuid, currency text,
                                          balance_min bigint, slots smallint)
  ORDER BY id ON CONFLICT DO NOTHING RETURNING id, sub_balances
)
INSERT INTO funds_subbalance (account_id, slot, posted_debit, posted_credit, pending_debit, pending_credit)
SELECT id, slot, 0, 0, 0, 0 FROM fresh, generate_series(0, sub_balances - 1) AS slot
"""


_open: set[UUID] = set()  # accounts that this process has seen committed; an account is never removed


@act
def ensure_accounts(specs: Iterable[AccountSpec]) -> None:
    """Opens the accounts that are not there yet; floor and slots follow from the book.

    One statement, or none when this process knows them all.
    """
    missing = [spec for spec in specs if spec.id not in _open]
    if not missing:
        return
    wanted = [
        {
            "id": str(spec.id),
            "marketplace_id": str(spec.marketplace_id),
            "book": spec.book,
            "holder_id": str(spec.holder_id) if spec.holder_id else None,
            "currency": spec.currency,
            "balance_min": FLOORS.get(spec.book),
            "slots": SLOTS.get(spec.book, 0),
        }
        for spec in missing
    ]
    execute(ENSURE, [json.dumps(wanted)])
    transaction.on_commit(lambda: _open.update(spec.id for spec in missing))


@act
def post(items: Sequence[Item]) -> bool:
    """Posts a linked group: all of it or nothing, in one SQL call. False: the very same group was posted before.

    The group is judged as a whole: a floor has to hold after it. Refused with `transfer.amount`, `.id_reused`,
    `.account_unknown`, `.currency_mismatch`, `.same_account`, `.exceeds_floor`, `.exceeds_ceiling`, `.hold_unknown` or
    `.hold_exhausted`; the error's `index` is the item's.
    """
    for index, item in enumerate(items):
        amount = item.amount
        if not 0 < amount <= LARGEST:
            raise Invalid(
                "transfer.amount",
                _("“%(value)s” is not an amount; write whole minor units above 0."),
                field="amount",
                value=amount,
                index=index,
            )
        if isinstance(item, Transfer | Hold) and item.debit == item.credit:
            raise Invalid("transfer.same_account", _("An account cannot pay itself."), field="credit", value=str(item.credit),
                          index=index)  # fmt: skip
    try:
        if len(items) == 1 and isinstance(items[0], Transfer):
            one = items[0]
            params = [one.id, one.marketplace_id, one.debit, one.credit, one.amount, one.kind, one.reference]
            done = row("SELECT ledger_transfer(%s, %s, %s, %s, %s, %s, %s)", params)
        else:
            done = row("SELECT ledger_post(%s::jsonb)", [json.dumps([_row(item) for item in items])])
    except DatabaseError as refused:
        raise _refusal(refused) from refused
    return bool(done and done[0])


def _row(item: Item) -> dict[str, Any]:
    """An item as `ledger_post` reads it: a funds_item in JSON."""
    data: dict[str, Any] = {
        "phase": PHASE[type(item)],
        "id": str(item.id),
        "marketplace_id": str(item.marketplace_id),
        "amount": item.amount,
        "kind": item.kind,
        "reference_id": str(item.reference) if item.reference else None,
    }
    if isinstance(item, Transfer | Hold):
        data["debit_id"], data["credit_id"] = str(item.debit), str(item.credit)
    else:
        data["hold_id"] = str(item.hold_id)
    if isinstance(item, Capture) and item.credit:
        data["credit_id"] = str(item.credit)
    if isinstance(item, Hold) and item.expires_at:
        data["expires_at"] = item.expires_at.isoformat()
    return data


PHASE: dict[type, str] = {Transfer: "transfer", Hold: "hold", Capture: "capture", Void: "void"}

REFUSALS: dict[str, Any] = {
    "transfer.id_reused": _("This id was used for another transfer; the same id must come with the same content."),
    "transfer.account_unknown": _("There is no account %(account)s."),
    "transfer.currency_mismatch": _("Money cannot go from an account in %(debit)s to one in %(credit)s."),
    "transfer.hold_unknown": _("There is no hold %(hold)s."),
}


def _refusal(error: DatabaseError) -> HuangpuError | DatabaseError:
    """What the database refused, as an error with a stable code; anything unexpected stays what it is."""
    diag = getattr(error.__cause__, "diag", None)
    if diag is None:
        return error
    if diag.sqlstate == "HP001":
        facts = json.loads(diag.message_detail)
        return Conflict(
            diag.message_primary, REFUSALS[diag.message_primary], field="items", value=facts.pop("id"), **facts
        )
    if diag.constraint_name == "funds_hold_not_overdrawn":
        return Conflict("transfer.hold_exhausted", _("There is not so much left in the hold."), field="amount")
    if diag.constraint_name == "funds_account_floor":
        facts = _account_facts(diag.message_detail)
        return Conflict(
            "transfer.exceeds_floor",
            _("There is not enough money in the account: %(missing)s minor units of %(currency)s are missing."),
            field="amount",
            value=facts["account"],
            **facts,
        )
    if diag.constraint_name == "funds_account_ceiling":
        return Conflict("transfer.exceeds_ceiling", _("The account may not hold so much."), field="amount")
    return error


def _account_facts(detail: str) -> dict[str, Any]:
    """From «Failing row contains (id, marketplace, book, holder, currency, min, max, debit, credit, …)»."""
    values = detail[detail.index("(") + 1 :].rstrip(").").split(", ")
    floor, debit, credit, held = (int(values[position]) for position in (5, 7, 8, 9))
    return {"account": values[0], "currency": values[4], "missing": floor - (credit - debit - held)}


@act
def top_up(*, actor: Actor, marketplace_id: UUID, organisation_id: UUID, amount: int, currency: str, now: datetime,
           transfer_id: UUID | None = None) -> UUID:  # fmt: skip
    """Money comes from the holder's bank into its wallet (the bank is simulated until the payment platform)."""
    return _with_bank("topup", actor, marketplace_id, organisation_id, amount, currency, now, transfer_id)


@act
def withdraw(*, actor: Actor, marketplace_id: UUID, organisation_id: UUID, amount: int, currency: str, now: datetime,
             transfer_id: UUID | None = None) -> UUID:  # fmt: skip
    """Money goes from the holder's wallet to its bank. Refused with `transfer.exceeds_floor`."""
    return _with_bank("withdrawal", actor, marketplace_id, organisation_id, amount, currency, now, transfer_id)


def _with_bank(kind: str, actor: Actor, marketplace_id: UUID, organisation_id: UUID, amount: int, currency: str,
               now: datetime, transfer_id: UUID | None) -> UUID:  # fmt: skip
    require(actor, f"funds.{'top_up' if kind == 'topup' else 'withdraw'}", organisation_id=organisation_id)
    ensure_accounts(
        [
            AccountSpec(marketplace_id, "wallet", organisation_id, currency),
            AccountSpec(marketplace_id, "bank", None, currency),
        ]
    )
    wallet = account_id(marketplace_id, "wallet", organisation_id, currency)
    bank = account_id(marketplace_id, "bank", None, currency)
    debit, credit = (bank, wallet) if kind == "topup" else (wallet, bank)
    id = transfer_id or uuid7()
    if post([Transfer(id, marketplace_id, debit, credit, amount, kind, organisation_id)]):
        record(
            [
                NewEvent(
                    kind="funds.topped_up" if kind == "topup" else "funds.withdrawn", marketplace_id=marketplace_id,
                    subject_type="account", subject_id=wallet, occurred_at=now, actor_id=actor.person_id,
                    organisation_id=organisation_id, audience=(organisation_id,),
                    payload={"amount": amount, "currency": currency, "transfer": str(id)},
                )
            ]
        )  # fmt: skip
    return id

"""What may be done with money: post, open accounts, top up and withdraw, let holds expire.

`post` is the lane inside the caller's transaction: order and money stand or fall together. It takes items and answers an
outcome each from one SQL call; the lanes for many small independent postings (group commit) and for settlement runs (bulk)
take the same items to the same functions from transactions of their own (lanes.py, docs/explanation/ledger.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, transaction

from huangpu.core.canonical import write_json
from huangpu.core.db import act, execute, row, rows
from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, record
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require

from . import refusals
from .rules import (
    CAPTURE,
    EXPIRY,
    HOLD,
    SINGLE,
    VOID,
    AccountSpec,
    Capture,
    Expiry,
    Hold,
    Item,
    Outcome,
    Transfer,
    Void,
    account_id,
    check,
)

SINGLE_SQL = "SELECT ledger_transfer(%s, %s, %s, %s, %s, %s, %s)"
GROUP_SQL = """
SELECT * FROM ledger_group(%s::smallint[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::bigint[],
  %s::boolean[], %s::text[], %s::uuid[], %s::timestamptz[], %s, coalesce(%s, clock_timestamp()))
"""
DUE = """
SELECT id, marketplace_id FROM funds_hold WHERE state = 'pending' AND expires_at <= %s
ORDER BY expires_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""
EXPIRE_BATCH = 200


_open: set[UUID] = set()  # accounts that this process has seen committed; an account is never removed
OPEN_KNOWN_MAX = 100_000


@act
def ensure_accounts(specs: Iterable[AccountSpec]) -> None:
    """Opens the accounts that are not there yet; one that is there stays as it is. One statement, or none when this
    process knows them all."""
    if missing := unopened(specs):
        execute("SELECT ledger_open(%s::jsonb)", [write_json(missing)])
        opened(missing)


def unopened(specs: Iterable[AccountSpec]) -> list[dict[str, Any]]:
    """Of these accounts the ones that this process does not know to be open, as the database's function `ledger_open` takes
    them, for a room whose own function calls that one. When that is done: `opened`."""
    missing = {spec.id: spec for spec in specs if spec.id not in _open}
    return [
        {
            "id": id, "marketplace_id": spec.marketplace_id, "book": spec.book, "currency": spec.currency,
            "holder_id": spec.holder_id, "balance_min": spec.kept.balance_min,
            "balance_max": spec.kept.balance_max, "sub_balances": spec.kept.sub_balances,
        }
        for id, spec in missing.items()
    ]  # fmt: skip


def opened(accounts: Sequence[Mapping[str, Any]]) -> None:
    """These accounts are open once the transaction commits: the process need not open them again."""
    if accounts:
        ids = [one["id"] for one in accounts]
        transaction.on_commit(lambda: _remember(ids))


def _remember(committed: Iterable[UUID]) -> None:
    if len(_open) > OPEN_KNOWN_MAX:
        _open.clear()
    _open.update(committed)


@act
def post(items: Sequence[Item], *, now: datetime | None = None) -> list[Outcome]:
    """Posts a linked group: all of it or nothing, in one SQL call (two when a single transfer is refused or known). An item
    whose id was posted before with the very same content changes nothing and is answered "existing".

    The group counts as a whole: floors and ceilings have to hold for its net effect, and since nobody sees it half done,
    for every state that is ever seen. A capture or void follows its hold; both may be in one group. `now` is the instant at
    which holds are expired or not; default: the database's clock.

    Refused before anything is written, with the item's `index`: `transfer.amount`, `.kind`, `.too_many`, `.id_reused`,
    `.account_unknown` (none of that id in the item's marketplace), `.same_account`, `.currency_mismatch`,
    `.exceeds_floor`, `.exceeds_ceiling`, `.hold_unknown`, `.hold_closed`, `.hold_exhausted`.
    """
    return post_within(items, now)


def post_within(items: Sequence[Item], now: datetime | None) -> list[Outcome]:
    """The same for an act that goes on with others when one group is refused: nothing of that was written."""
    if not items:
        return []
    check(items)
    if len(items) == 1 and isinstance(items[0], Transfer) and _transferred(items[0]):
        return [Outcome(items[0].id, "posted")]
    columns = [list(column) for column in zip(*map(_columns, items), strict=True)]
    answers = rows(GROUP_SQL, [*columns, uuid7() if len(items) > 1 else None, now])
    if answers[0][1] not in ("posted", "existing"):
        raise refusals.of(items, *answers[0])
    return [Outcome(items[index].id, result) for index, result, *_ in answers]


def written(items: Sequence[Item]) -> list[dict[str, Any]]:
    """Items as the database's function `ledger_items` takes them, for a room whose own function calls that one: a linked group,
    refused as `post` refuses, by `refused`. Refused here already what `check` refuses."""
    check(items)
    return [dict(zip(COLUMNS, _columns(item), strict=True)) for item in items]


def refused(wrong: DatabaseError, items: Sequence[Item]) -> HuangpuError | None:
    """What it means that `ledger_items` raised this error; None when it was not the ledger that refused."""
    cause = wrong.__cause__
    if not isinstance(cause, psycopg.Error) or cause.sqlstate != "HP001":
        return None
    answer = json.loads(cause.diag.message_detail or "{}")
    account = UUID(answer["account_id"]) if answer["account_id"] else None
    kept = (answer["book"] or "", answer["currency"] or "")  # told, since a failed transaction cannot be asked
    return refusals.of(items, answer["item"], answer["result"], account, answer["asked"], answer["available"], kept)


def _transferred(one: Transfer) -> bool:
    """The quick way, which answers False for whatever is not plainly right; `ledger_post` then says what it is."""
    params = [one.id, one.marketplace_id, one.debit, one.credit, one.amount, one.kind, one.reference]
    found = row(SINGLE_SQL, params)
    return bool(found and found[0])


COLUMNS = ("phase", "id", "marketplace_id", "debit_id", "credit_id", "hold_id", "amount", "closes", "kind", "reference_id",
           "expires_at")  # fmt: skip


def _columns(item: Item) -> tuple[Any, ...]:
    """The `COLUMNS` of an item, as the ledger's functions take them."""
    match item:
        case Transfer():
            own: tuple[Any, ...] = (SINGLE, item.debit, item.credit, None, item.amount, False, None)
        case Hold():
            own = (HOLD, item.debit, item.credit, None, item.amount, False, item.expires_at)
        case Capture():
            own = (CAPTURE, None, item.credit, item.hold_id, item.amount, item.final, None)
        case Void():
            own = (VOID, None, None, item.hold_id, item.amount, item.amount is None, None)
        case Expiry():
            own = (EXPIRY, None, None, item.hold_id, None, True, None)
    phase, debit, credit, hold, amount, closes, expires_at = own
    return (
        phase,
        item.id,
        item.marketplace_id,
        debit,
        credit,
        hold,
        amount,
        closes,
        item.kind,
        item.reference,
        expires_at,
    )


@act
def expire_holds(*, now: datetime, limit: int = EXPIRE_BATCH) -> int:
    """Frees what is left of holds whose time has come, at most `limit` of them; returns how many. Those that another act is
    at work on are left to it."""
    due = rows(DUE, [now, limit])
    post([Expiry(id=uuid7(), marketplace_id=marketplace, hold_id=hold) for hold, marketplace in due], now=now)
    return len(due)


@act
def top_up(
    *,
    actor: Actor,
    marketplace_id: UUID,
    organisation_id: UUID,
    amount: int,
    currency: str,
    now: datetime,
    transfer_id: UUID | None = None,
) -> UUID:
    """Money comes from the holder's bank into its wallet (a simulated bank; gateways come with the payment platform).

    For finance of the organisation. Returns the transfer's id; the same `transfer_id` again changes nothing.
    """
    require(actor, "funds.top_up", organisation_id=organisation_id)
    return _with_bank("top_up", actor, marketplace_id, organisation_id, amount, currency, now, transfer_id or uuid7())


@act
def withdraw(
    *,
    actor: Actor,
    marketplace_id: UUID,
    organisation_id: UUID,
    amount: int,
    currency: str,
    now: datetime,
    transfer_id: UUID | None = None,
) -> UUID:
    """Money goes from the holder's wallet to its bank. Refused with `transfer.exceeds_floor` when it is not there or held."""
    require(actor, "funds.withdraw", organisation_id=organisation_id)
    return _with_bank(
        "withdrawal", actor, marketplace_id, organisation_id, amount, currency, now, transfer_id or uuid7()
    )


def _with_bank(
    kind: str,
    actor: Actor,
    marketplace_id: UUID,
    organisation_id: UUID,
    amount: int,
    currency: str,
    now: datetime,
    id: UUID,
) -> UUID:
    ensure_accounts(
        [
            AccountSpec(marketplace_id, "wallet", organisation_id, currency),
            AccountSpec(marketplace_id, "bank", None, currency),
        ]
    )
    wallet = account_id(marketplace_id, "wallet", organisation_id, currency)
    bank = account_id(marketplace_id, "bank", None, currency)
    debit, credit = (bank, wallet) if kind == "top_up" else (wallet, bank)
    [outcome] = post(
        [
            Transfer(
                id=id,
                marketplace_id=marketplace_id,
                debit=debit,
                credit=credit,
                amount=amount,
                kind=kind,
                reference=organisation_id,
            )
        ]
    )
    if outcome.result == "posted":
        record(
            [
                NewEvent(
                    kind="funds.topped_up" if kind == "top_up" else "funds.withdrawn",
                    marketplace_id=marketplace_id,
                    subject_type="account",
                    subject_id=wallet,
                    occurred_at=now,
                    actor_id=actor.person_id,
                    organisation_id=organisation_id,
                    audience=(organisation_id,),
                    payload={"amount": amount, "currency": currency, "transfer": str(id)},
                )
            ]
        )
    return id

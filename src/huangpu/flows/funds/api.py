"""The endpoints of money: wallet, its transfers, top up and withdraw; the trial balance of a marketplace."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Field, Router, Schema

from huangpu.core import clock
from huangpu.core.money import LARGEST, exponent
from huangpu.core.web.paging import Page
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require

from . import acts, queries
from .rules import PHASES

router = Router(tags=["funds"])


class WalletOut(Schema):
    """A wallet. Amounts are minor units of its currency."""

    account: UUID
    currency: str
    balance: int = Field(description="credits less debits")
    held: int = Field(description="what of it is set aside in holds")
    available: int = Field(description="what may be spent")


class EntryOut(Schema):
    """A line of the statement, newest first. `posted` and `held` are what it changed, the rest what was there after it."""

    id: UUID
    posted_at: datetime
    phase: str = Field(description="single, hold, capture, void or expiry")
    kind: str
    reference: UUID = Field(description="the agreement or other act it belongs to")
    hold: UUID | None
    other_account: UUID
    posted: int
    held: int
    balance: int
    held_after: int


class MoveIn(Schema):
    """Money from or to the organisation's bank, in minor units."""

    amount: int = Field(gt=0, le=LARGEST)
    currency: str | None = Field(None, description="left out: the marketplace's")


class MovedOut(Schema):
    """The transfer that was made, and the wallet after it."""

    transfer: UUID
    wallet: WalletOut


class BookOut(Schema):
    """The sums of all accounts of a book in a currency."""

    book: str
    currency: str
    accounts: int
    posted_debit: int
    posted_credit: int
    pending_debit: int
    pending_credit: int


def _own(request: PartyRequest, act: str) -> UUID:
    require(request.actor, act)
    assert request.actor.organisation_id is not None, "whose right comes from a role in an organisation acts for one"
    return request.actor.organisation_id


def _currency(request: PartyRequest, currency: str | None) -> str:
    chosen = currency or request.marketplace.currency
    exponent(chosen)  # refuses what is no currency
    return chosen


def _wallet(request: PartyRequest, currency: str | None) -> dict[str, Any]:
    own = _own(request, "funds.see")
    found = queries.wallet(request.marketplace.id, own, _currency(request, currency))
    return {
        "account": found.account_id,
        "currency": found.currency,
        "balance": found.posted,
        "held": found.held,
        "available": found.available,
    }


@router.get("/m/{marketplace}/wallet", response=WalletOut, summary="The wallet of the caller's organisation")
def get_wallet(request: PartyRequest, marketplace: str, currency: str | None = None) -> Any:
    return _wallet(request, currency)


@router.get("/m/{marketplace}/wallet/transfers", response=Page[EntryOut], summary="The wallet's statement")
def list_transfers(
    request: PartyRequest, marketplace: str, currency: str | None = None, cursor: str | None = None, limit: int = 50
) -> Any:
    own = _own(request, "funds.see")
    page = queries.wallet_statement(request.marketplace.id, own, _currency(request, currency), cursor, limit)
    items = [
        {
            "id": line.id, "posted_at": line.posted_at, "phase": PHASES[line.phase], "kind": line.kind,
            "reference": line.reference_id, "hold": line.hold_id, "other_account": line.other_id, "posted": line.posted,
            "held": line.held, "balance": line.balance, "held_after": line.held_after,
        }
        for line in page.items
    ]  # fmt: skip
    return Page[Any].model_construct(items=items, next_cursor=page.next_cursor)


@router.post("/m/{marketplace}/wallet/top-up", response=MovedOut, summary="Bring money in from the bank (simulated)")
def top_up(request: PartyRequest, marketplace: str, data: MoveIn) -> Any:
    return _moved(request, data, acts.top_up)


@router.post("/m/{marketplace}/wallet/withdraw", response=MovedOut, summary="Send money to the bank (simulated)")
def withdraw(request: PartyRequest, marketplace: str, data: MoveIn) -> Any:
    return _moved(request, data, acts.withdraw)


def _moved(request: PartyRequest, data: MoveIn, act: Any) -> dict[str, Any]:
    transfer = act(
        actor=request.actor, marketplace_id=request.marketplace.id, organisation_id=_own(request, "funds.see"),
        amount=data.amount, currency=_currency(request, data.currency), now=clock.now(),
    )  # fmt: skip
    return {"transfer": transfer, "wallet": _wallet(request, data.currency)}


@router.get("/m/{marketplace}/books", response=list[BookOut], summary="The trial balance, for the operator")
def list_books(request: PartyRequest, marketplace: str) -> Any:
    require(request.actor, "funds.see_books", marketplace_id=request.marketplace.id)
    return queries.trial_balance(request.marketplace.id)

"""The endpoints of money: what one's organisation has on a marketplace, its statement, its bank."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Field, Router, Schema

from huangpu.core import clock
from huangpu.core.money import LARGEST, exponent
from huangpu.core.web.paging import LIMIT_DEFAULT, Page
from huangpu.parties.actor import Actor
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require, require_own

from . import acts, days, keys, queries
from .models import Account, ClosedDay
from .rights import ledger_of

router = Router(tags=["funds"])

Currency = Annotated[str, Field(max_length=3, examples=["CNY"])]
MINOR = "Minor units of the currency."


class WalletOut(Schema):
    """What the organisation has: `posted` is its own, `held` of it is set aside, `available` may be spent."""

    currency: str
    posted: int = Field(description=MINOR)
    held: int = Field(description=MINOR)
    available: int = Field(description=MINOR)


class EntryOut(Schema):
    """A line of the statement, newest first: its change of the wallet, and what that was after it."""

    id: UUID
    posted_at: datetime
    kind: str = Field(description="top_up, withdrawal, escrow, release, charge, refund, pay …")
    reference: UUID = Field(alias="reference_id", description="The agreement or other act it belongs to.")
    posted: int = Field(description=MINOR)
    held: int = Field(description=MINOR)
    balance: int = Field(description=MINOR)
    held_after: int = Field(description=MINOR)


class AmountIn(Schema):
    amount: int = Field(description=MINOR, ge=1, le=LARGEST)


def _own(actor: Actor, act: str) -> UUID:
    """The organisation that the caller acts for, which may do this."""
    own = require_own(actor, act)
    require(actor, act, organisation_id=own)
    return own


def _wallet(request: PartyRequest, organisation_id: UUID, currency: str) -> dict[str, Any]:
    exponent(currency)  # refuses what is no currency
    found = queries.wallet(request.marketplace.pk, organisation_id, currency)
    return {"currency": currency, "posted": found.posted, "held": found.held, "available": found.available}


@router.get("/m/{marketplace}/wallets", response=list[WalletOut], summary="What one's organisation has")
def wallets(request: PartyRequest, marketplace: str) -> list[dict[str, Any]]:
    """One wallet a currency."""
    own = _own(request.actor, "funds.see")
    known = Account.objects.filter(marketplace_id=request.marketplace.pk, book="wallet", holder_id=own)
    currencies = known.order_by("currency").values_list("currency", flat=True)
    return [_wallet(request, own, currency) for currency in currencies]


@router.get("/m/{marketplace}/wallets/{currency}", response=WalletOut, summary="A wallet")
def wallet(request: PartyRequest, marketplace: str, currency: Currency) -> dict[str, Any]:
    """Empty where nothing was ever paid in."""
    return _wallet(request, _own(request.actor, "funds.see"), currency)


@router.get("/m/{marketplace}/wallets/{currency}/statement", response=Page[EntryOut], summary="A wallet's statement")
def statement(
    request: PartyRequest,
    marketplace: str,
    currency: Currency,
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Any]:
    """Every change of the wallet with the balance after it, newest first."""
    own = _own(request.actor, "funds.see")
    exponent(currency)
    return queries.wallet_statement(request.marketplace.pk, own, currency, cursor, limit)


@router.post("/m/{marketplace}/wallets/{currency}/top-up", response=WalletOut, summary="Bring money in")
def top_up(request: PartyRequest, marketplace: str, currency: Currency, body: AmountIn) -> dict[str, Any]:
    """From the organisation's bank into its wallet. The bank is simulated."""
    own = _own(request.actor, "funds.top_up")
    exponent(currency)
    acts.top_up(
        actor=request.actor,
        marketplace_id=request.marketplace.pk,
        organisation_id=own,
        amount=body.amount,
        currency=currency,
        now=clock.now(),
    )
    return _wallet(request, own, currency)


@router.post("/m/{marketplace}/wallets/{currency}/withdraw", response=WalletOut, summary="Send money out")
def withdraw(request: PartyRequest, marketplace: str, currency: Currency, body: AmountIn) -> dict[str, Any]:
    """From the wallet to the organisation's bank; what is held cannot go."""
    own = _own(request.actor, "funds.withdraw")
    exponent(currency)
    acts.withdraw(
        actor=request.actor,
        marketplace_id=request.marketplace.pk,
        organisation_id=own,
        amount=body.amount,
        currency=currency,
        now=clock.now(),
    )
    return _wallet(request, own, currency)


class BookOut(Schema):
    """The sums of all accounts of a book in a currency."""

    book: str
    currency: str
    accounts: int
    posted_debit: int = Field(description=MINOR)
    posted_credit: int = Field(description=MINOR)
    pending_debit: int = Field(description=MINOR)
    pending_credit: int = Field(description=MINOR)


@router.get("/m/{marketplace}/books", response=list[BookOut], summary="The trial balance of a marketplace")
def books(request: PartyRequest, marketplace: str) -> list[queries.BookTotal]:
    """For its operator and the regulator. In each currency debits equal credits, posted and pending."""
    require(request.actor, "funds.see_books", marketplace_id=request.marketplace.pk)
    return queries.trial_balance(request.marketplace.pk)


class ClosedDayOut(Schema):
    """A signed trial balance: `signature` is Ed25519 over the UTF-8 bytes of `statement`, `digest` their SHA-256, which the
    next day's statement repeats as `before`."""

    day: date
    currency: str
    statement: str = Field(
        description="RFC 8785 JSON: the totals by book in minor units, of all that was posted before `until`."
    )
    digest: str = Field(description="64 hexadecimal digits.")
    signature: str = Field(description="Base64.")
    public_key: str = Field(description="PEM.")
    closed_at: datetime

    @staticmethod
    def resolve_digest(closed: ClosedDay) -> str:
        return bytes(closed.digest).hex()

    @staticmethod
    def resolve_signature(closed: ClosedDay) -> str:
        return keys.base64_of(bytes(closed.signature))

    @staticmethod
    def resolve_public_key(closed: ClosedDay) -> str:
        return keys.pem(bytes(closed.public_key))


class CloseDayIn(Schema):
    new_key: bool = Field(False, description="Sign with a new key from this day on, for when the old one is lost.")


@router.get("/m/{marketplace}/ledger/days", response=Page[ClosedDayOut], summary="The signed trial balances")
def closed_days(
    request: PartyRequest,
    marketplace: str,
    currency: Currency | None = None,
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
) -> Page[Any]:
    """One a day and currency, those closed last first. For the operator, its auditors and the city's."""
    return queries.closed_days(ledger_of(request), currency, cursor, limit)


@router.get("/m/{marketplace}/ledger/days/{day}/{currency}", response=ClosedDayOut, summary="A signed trial balance")
def closed_day(request: PartyRequest, marketplace: str, day: date, currency: Currency) -> ClosedDay:
    """What was posted until the end of a day, as it was signed then."""
    return queries.closed_day(ledger_of(request), day, currency)


@router.post("/m/{marketplace}/ledger/days/{day}", response=list[ClosedDayOut], summary="Close a day")
def close_day(request: PartyRequest, marketplace: str, day: date, body: CloseDayIn) -> list[ClosedDay]:
    """The house does it by itself within the hour; this is for who cannot wait, and for a new key."""
    return days.close_day(
        actor=request.actor, marketplace_id=request.marketplace.pk, day=day, now=clock.now(), new_key=body.new_key
    )

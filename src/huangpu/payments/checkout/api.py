"""Payments by API: ask for one, follow it, pay it back; the takings, and a day's bill as a file."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from ninja import Field, Router, Schema, Status

from huangpu.core import clock
from huangpu.core.errors import Invalid
from huangpu.core.ids import uuid7
from huangpu.core.money import LARGEST
from huangpu.core.web.paging import LIMIT_DEFAULT, Page
from huangpu.parties.request import PartyRequest
from huangpu.parties.rights import require_own
from huangpu.payments.gateway.provider import payable
from huangpu.payments.gateway.provider import title as title_of
from huangpu.payments.operations.models import Operation, Payment

from . import acts, bill, paying, phone, queries
from .models import Checkout

router = Router(tags=["payments"])

MINOR = "Minor units of the currency."
DAYS_MAX = 366
Amount = Annotated[int, Field(ge=1, le=LARGEST, description=MINOR)]


class ProviderOut(Schema):
    name: str
    title: dict[str, str]


class CheckoutIn(Schema):
    title: str = Field(description="What is paid, as the payer reads it.", min_length=1, max_length=acts.TITLE_MAX)
    amount: Amount
    currency: str = Field("CNY", max_length=3)
    reference: str = Field(
        "", max_length=acts.REFERENCE_MAX, description="Your own, once each; left out: one is made up."
    )
    channel: Literal["web", "qr"] = "web"
    back: str = Field("", max_length=500, description="Where the payer goes when it is paid.")
    minutes_open: int = Field(24 * 60, ge=1, le=90 * 24 * 60)

    def asked(self) -> acts.Asked:
        return acts.Asked(
            title=self.title, amount=self.amount, currency=self.currency, reference=self.reference, channel=self.channel,
            back=self.back, kept_open=timedelta(minutes=self.minutes_open),
        )  # fmt: skip


class PhoneIn(Schema):
    title: str = Field(min_length=1, max_length=acts.TITLE_MAX)
    amount: Amount
    currency: str = Field("CNY", max_length=3)
    reference: str = Field("", max_length=acts.REFERENCE_MAX)
    phone: str = Field(max_length=40, description="Where the bank sends the code. It is not kept.")
    provider: str = Field(max_length=32, description="The payer's bank, as `/payment-providers` names it.")


class CodeIn(Schema):
    code: str = Field(max_length=40)


class PayCodeIn(CheckoutIn):
    code: str = Field(max_length=40, description="What the payer's wallet shows: eighteen digits.")


class RefundIn(Schema):
    amount: Amount
    operation: UUID | None = Field(None, description="The purchase or capture to pay back; left out: the largest.")


class CheckoutOut(Schema):
    """`state`: open, paying, paid, refunded, cancelled, expired. `link` is the payer's."""

    id: UUID
    title: str
    reference: str
    amount: int = Field(description=MINOR)
    currency: str
    channel: str
    state: str
    link: str
    payment: UUID | None
    opened_at: datetime
    expires_at: datetime


class OperationOut(Schema):
    """`state`: asked, pending (the payer or the bank has not decided), unknown (no answer yet), succeeded, declined."""

    id: UUID
    verb: str
    amount: int = Field(description=MINOR)
    state: str
    provider: str
    reference: str = Field(description="The provider's.")
    reason: str
    asked_at: datetime
    ended_at: datetime | None


class PaymentOut(Schema):
    id: UUID
    channel: str
    provider: str
    reference: str
    currency: str
    amount: int = Field(description=MINOR)
    authorised: int = Field(description=MINOR)
    captured: int = Field(description=MINOR)
    refunded: int = Field(description=MINOR)
    refunding: int = Field(description="Asked to be paid back and not answered yet. " + MINOR)
    opened_at: datetime


class PaymentFullOut(PaymentOut):
    operations: list[OperationOut]


class ChoiceIn(Schema):
    provider: str = Field(max_length=32, description="As `/payment-providers` names it.")


class PayOut(Schema):
    """What a payer may know of a checkout. `page`: where the bank asks the payer to agree, once it can be shown."""

    title: str
    amount: int = Field(description=MINOR)
    currency: str
    state: str
    page: str


class TakingOut(Schema):
    day: date
    captured: int = Field(description=MINOR)
    refunded: int = Field(description=MINOR)
    fees: int = Field(description=MINOR)
    net: int = Field(description=MINOR)
    payments: int


def _shown(request: HttpRequest, made: Checkout, marketplace: str) -> dict[str, Any]:
    return {
        "id": made.pk, "title": made.title, "reference": made.reference, "amount": made.amount, "currency": made.currency,
        "channel": made.channel, "state": queries.state(made, clock.now()), "payment": made.payment_id,
        "link": request.build_absolute_uri(paying.address(marketplace, made)),
        "opened_at": made.opened_at, "expires_at": made.expires_at,
    }  # fmt: skip


@router.get("/payment-providers", response=list[ProviderOut], auth=None, summary="The banks a payer may choose from")
def providers(request: HttpRequest) -> list[dict[str, Any]]:
    """Those of this installation."""
    return [{"name": name, "title": title_of(name)} for name in payable()]


@router.post("/m/{marketplace}/checkouts", response={201: CheckoutOut}, summary="Ask for a payment")
def open_checkout(request: PartyRequest, marketplace: str, body: CheckoutIn) -> Status[Any]:
    """Whoever has the link can pay it, once."""
    made = acts.open_checkout(
        actor=request.actor, marketplace_id=request.marketplace.pk, asked=body.asked(), now=clock.now()
    )
    return Status(201, _shown(request, made, marketplace))


@router.post("/m/{marketplace}/checkouts/by-phone", response={201: CheckoutOut}, summary="Take an order by phone")
def order_by_phone(request: PartyRequest, marketplace: str, body: PhoneIn) -> Status[Any]:
    """The bank sends a code to the payer's phone; pass it on when the payer has told it."""
    asked = acts.Asked(body.title, body.amount, body.currency, body.reference, channel="phone")
    made = phone.order(
        actor=request.actor, marketplace_id=request.marketplace.pk, asked=asked, phone=body.phone, provider=body.provider,
        operation_id=uuid7(), now=clock.now(),
    )  # fmt: skip
    return Status(201, _shown(request, made, marketplace))


@router.post(
    "/m/{marketplace}/checkouts/by-pay-code", response={201: CheckoutOut}, summary="Take a payment by a pay code"
)
def charge_code(request: PartyRequest, marketplace: str, body: PayCodeIn) -> Status[Any]:
    """The code that the payer's wallet shows, scanned or typed."""
    made = acts.charge_code(
        actor=request.actor, marketplace_id=request.marketplace.pk, code=body.code, asked=body.asked(), operation_id=uuid7(),
        now=clock.now(),
    )  # fmt: skip
    made.refresh_from_db()
    return Status(201, _shown(request, made, marketplace))


@router.get("/m/{marketplace}/checkouts", response=Page[CheckoutOut], summary="What was asked for")
def checkouts(
    request: PartyRequest, marketplace: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """Newest first."""
    found = queries.checkouts(request.marketplace.pk, require_own(request.actor, "checkout.see"), cursor, limit)
    shown = [_shown(request, made, marketplace) for made in found.items]
    return Page[Any].model_construct(items=shown, next_cursor=found.next_cursor)


@router.get("/m/{marketplace}/checkouts/{checkout}", response=CheckoutOut, summary="A request for payment")
def one_checkout(request: PartyRequest, marketplace: str, checkout: UUID) -> dict[str, Any]:
    """Its state now."""
    payee = require_own(request.actor, "checkout.see")
    return _shown(request, queries.own_checkout(request.marketplace.pk, payee, checkout), marketplace)


@router.post("/m/{marketplace}/checkouts/{checkout}/cancel", response=CheckoutOut, summary="Withdraw a request")
def cancel(request: PartyRequest, marketplace: str, checkout: UUID) -> dict[str, Any]:
    """Nobody can pay it any more."""
    acts.cancel_checkout(actor=request.actor, checkout_id=checkout, now=clock.now())
    return one_checkout(request, marketplace, checkout)


@router.post(
    "/m/{marketplace}/checkouts/{checkout}/code", response=CheckoutOut, summary="Pass on the code told by phone"
)
def told_code(request: PartyRequest, marketplace: str, checkout: UUID, body: CodeIn) -> dict[str, Any]:
    """The bank decides; follow the state."""
    phone.told(actor=request.actor, checkout_id=checkout, code=body.code, now=clock.now())
    return one_checkout(request, marketplace, checkout)


@router.post("/m/{marketplace}/checkouts/{checkout}/pay", response=CheckoutOut, summary="Pay from one's wallet")
def pay(request: PartyRequest, marketplace: str, checkout: UUID) -> dict[str, Any]:
    """The payer's side: the whole amount, from the wallet of the payer's organisation."""
    acts.pay_from_wallet(actor=request.actor, checkout_id=checkout, operation_id=uuid7(), now=clock.now())
    return _shown(request, Checkout.objects.select_related("payment").get(pk=checkout), marketplace)


@router.get("/m/{marketplace}/pay/{token}", response=PayOut, auth=None, summary="What is to be paid, for its payer")
def to_pay(request: PartyRequest, marketplace: str, token: str) -> dict[str, Any]:
    """By the link's token; for apps that show it themselves."""
    made = queries.by_token(request.marketplace.pk, token)
    state = queries.state(made, clock.now())
    page = paying.progress(request, made, queries.under_way(made), state).get("bank_page", "")
    return {"title": made.title, "amount": made.amount, "currency": made.currency, "state": state, "page": page}


@router.post("/m/{marketplace}/pay/{token}/choice", response=PayOut, auth=None, summary="Choose a bank, as the payer")
def choose(request: PartyRequest, marketplace: str, token: str, body: ChoiceIn) -> dict[str, Any]:
    """The bank is asked; its page can be shown as soon as it has answered."""
    made = queries.by_token(request.marketplace.pk, token)
    acts.choose(actor=request.actor, checkout_id=made.pk, provider=body.provider, operation_id=uuid7(), now=clock.now())
    return to_pay(request, marketplace, token)


@router.post("/m/{marketplace}/pay/{token}/other-way", response=PayOut, auth=None, summary="Choose again, as the payer")
def other_way(request: PartyRequest, marketplace: str, token: str) -> dict[str, Any]:
    """What was asked of the bank is cancelled; of what was agreed meanwhile it says whether it stays."""
    made = queries.by_token(request.marketplace.pk, token)
    acts.change_mind(actor=request.actor, checkout_id=made.pk, now=clock.now())
    return to_pay(request, marketplace, token)


@router.get("/m/{marketplace}/payments", response=Page[PaymentOut], summary="Payments of all channels")
def payments(
    request: PartyRequest, marketplace: str, cursor: str | None = None, limit: int = LIMIT_DEFAULT
) -> Page[Any]:
    """Those of one's organisation, newest first."""
    return queries.payments(request.marketplace.pk, require_own(request.actor, "checkout.see"), cursor, limit)


@router.get(
    "/m/{marketplace}/payments/{payment}", response=PaymentFullOut, summary="A payment and what was asked on it"
)
def one_payment(request: PartyRequest, marketplace: str, payment: UUID) -> dict[str, Any]:
    """Each operation with its state."""
    payee = require_own(request.actor, "checkout.see")
    return _full(queries.own_payment(request.marketplace.pk, payee, payment))


@router.post("/m/{marketplace}/payments/{payment}/refunds", response={201: OperationOut}, summary="Pay back")
def refund(request: PartyRequest, marketplace: str, payment: UUID, body: RefundIn) -> Status[Operation]:
    """Some of what was captured, or all of it; the money is set aside at once and goes when the bank has done it."""
    asked = acts.pay_back(
        actor=request.actor, marketplace_id=request.marketplace.pk, payment_id=payment, amount=body.amount,
        about_id=body.operation, now=clock.now(),
    )  # fmt: skip
    return Status(201, Operation.objects.get(pk=asked))


@router.get("/m/{marketplace}/takings", response=list[TakingOut], summary="Takings a day")
def takings(
    request: PartyRequest,
    marketplace: str,
    first: date | None = None,
    last: date | None = None,
    currency: str | None = None,
) -> list[queries.Taking]:
    """From `first` to `last`, both included, days of the marketplace's zone; left out: the fortnight until today."""
    payee, market = require_own(request.actor, "checkout.see"), request.marketplace
    last = last or clock.now().astimezone(ZoneInfo(market.zone)).date()
    first = first or last - timedelta(days=13)
    if not 0 <= (last - first).days < DAYS_MAX:
        raise Invalid(
            "takings.days", _("From %(value)s it is at most %(most)s days, and not backwards."),
            field="last", value=first.isoformat(), most=DAYS_MAX,
        )  # fmt: skip
    return queries.takings(
        marketplace_id=market.pk, payee_id=payee, currency=currency or market.currency, first=first, last=last,
        zone=ZoneInfo(market.zone),
    )  # fmt: skip


@router.get("/m/{marketplace}/takings/{day}/bill", response={200: None}, summary="A day's bill as a file")
def day_bill(request: PartyRequest, marketplace: str, day: date) -> HttpResponse:
    """CSV (RFC 4180), one line for each operation that moved money that day; its SHA-256 is in `Repr-Digest` (RFC 9530)."""
    payee, market = require_own(request.actor, "checkout.see"), request.marketplace
    content = bill.written(bill.lines(market.pk, payee, day, ZoneInfo(market.zone)))
    return HttpResponse(
        content,
        content_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="bill-{day.isoformat()}.csv"',
            "Repr-Digest": bill.digest(content),
        },
    )


def _full(found: Payment) -> dict[str, Any]:
    shown = {name: getattr(found, name) for name in PaymentOut.model_fields}
    return {**shown, "operations": queries.operations(found.pk)}

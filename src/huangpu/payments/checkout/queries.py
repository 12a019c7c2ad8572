"""What may be asked of payments: a checkout's state, a payee's list, one payment with all that happened, a time's takings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import midnight
from huangpu.core.db import rows
from huangpu.core.errors import NotFound
from huangpu.core.web.paging import Page, page_of
from huangpu.payments.operations.models import Operation, Payment, Told

from . import rules
from .models import Checkout

TAKINGS = """
SELECT (o.ended_at AT TIME ZONE %(zone)s)::date AS day,
  coalesce(sum(o.amount) FILTER (WHERE o.verb <> 'refund'), 0)::bigint,
  coalesce(sum(o.amount) FILTER (WHERE o.verb = 'refund'), 0)::bigint,
  coalesce(sum((o.amount * p.fee_ppm + 500000) / 1000000) FILTER (WHERE o.verb <> 'refund'), 0)::bigint,
  count(*) FILTER (WHERE o.verb <> 'refund')
FROM operations_operation o JOIN operations_payment p ON p.id = o.payment_id
WHERE o.holder_id = %(payee)s AND o.marketplace_id = %(market)s AND o.currency = %(currency)s AND o.state = 'succeeded'
  AND o.verb IN ('purchase', 'capture', 'refund') AND o.ended_at >= %(begin)s AND o.ended_at < %(end)s
GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Taking:
    """What a payee took on a day, in minor units: captured, paid back, what the marketplace kept; how many payments."""

    day: date
    captured: int = 0
    refunded: int = 0
    fees: int = 0
    payments: int = 0

    @property
    def net(self) -> int:
        return self.captured - self.refunded - self.fees


def takings(
    *, marketplace_id: UUID, payee_id: UUID, currency: str, first: date, last: date, zone: ZoneInfo
) -> list[Taking]:
    """One line a day from `first` to `last`, both included, in the marketplace's zone; a day without any is all zeros."""
    values = {
        "market": marketplace_id, "payee": payee_id, "currency": currency, "zone": zone.key,
        "begin": midnight(first, zone), "end": midnight(last + timedelta(days=1), zone),
    }  # fmt: skip
    found = {line[0]: Taking(*line) for line in rows(TAKINGS, values)}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [found.get(day, Taking(day)) for day in days]


def state(made: Checkout, now: datetime) -> rules.State:
    """The state of a checkout at that time."""
    paid = made.payment
    return rules.state_of(
        amount=made.amount, under_way=paid.authorising if paid else 0, captured=paid.captured if paid else 0,
        refunded=paid.refunded if paid else 0, cancelled=made.cancelled_at is not None, expires_at=made.expires_at, now=now,
    )  # fmt: skip


def unknown(value: object) -> NotFound:
    """The refusal of a checkout that there is not."""
    return NotFound(
        "checkout.unknown", _("There is no request for payment %(value)s."), field="checkout", value=str(value)
    )


def by_token(marketplace_id: UUID, token: str) -> Checkout:
    """The checkout of a link. Refused: `checkout.unknown`."""
    found = Checkout.objects.select_related("payment").filter(marketplace_id=marketplace_id, token=token).first()
    if found is None:
        raise unknown(token)
    return found


def own_checkout(marketplace_id: UUID, payee_id: UUID, checkout_id: UUID) -> Checkout:
    """A checkout of a payee's own. Refused: `checkout.unknown`."""
    own = Checkout.objects.select_related("payment").filter(marketplace_id=marketplace_id, payee_id=payee_id)
    found = own.filter(pk=checkout_id).first()
    if found is None:
        raise unknown(checkout_id)
    return found


def checkouts(marketplace_id: UUID, payee_id: UUID, cursor: str | None, limit: int) -> Page[Any]:
    """A payee's checkouts, newest first."""
    own = Checkout.objects.select_related("payment").filter(marketplace_id=marketplace_id, payee_id=payee_id)
    return page_of(own, cursor, limit)


def payments(marketplace_id: UUID, payee_id: UUID, cursor: str | None, limit: int) -> Page[Any]:
    """A payee's payments of all channels, newest first."""
    own = Payment.objects.filter(marketplace_id=marketplace_id, payee_id=payee_id).select_related("checkout")
    return page_of(own, cursor, limit)


def own_payment(marketplace_id: UUID, payee_id: UUID, payment_id: UUID) -> Payment:
    """A payment of a payee's own. Refused: `payment.unknown`."""
    own = Payment.objects.select_related("checkout").filter(marketplace_id=marketplace_id, payee_id=payee_id)
    found = own.filter(pk=payment_id).first()
    if found is None:
        raise NotFound("payment.unknown", _("There is no payment %(value)s."), field="payment", value=str(payment_id))
    return found


def operations(payment_id: UUID | None) -> list[Operation]:
    """What was asked on a payment, in order."""
    return list(Operation.objects.filter(payment_id=payment_id).order_by("asked_at", "pk")) if payment_id else []


def under_way(made: Checkout) -> Operation | None:
    """The operation by which a checkout is being paid, or was asked to be last."""
    if made.payment_id is None:
        return None
    asked = Operation.objects.filter(payment_id=made.payment_id, verb__in=("purchase", "authorise"))
    return asked.order_by("-asked_at", "-pk").first()


def refundable(payment: Payment) -> Operation | None:
    """The operation by which a payment's money came, while some of it can be paid back."""
    if payment.captured <= payment.refunding + payment.refunded + payment.charged_back:
        return None
    came = payment.operations.filter(verb__in=("purchase", "capture"), state="succeeded")
    return came.order_by("-amount", "pk").first()


def elsewhere(marketplace_id: UUID, payee_id: UUID, limit: int) -> list[Payment]:
    """A payee's latest payments that came without a checkout: by terminals and by the API."""
    own = Payment.objects.filter(marketplace_id=marketplace_id, payee_id=payee_id, checkout=None)
    return list(own.order_by("-pk")[:limit])


def last_reason(operation: Operation | None) -> str:
    """Why the provider has not done what was asked, as it said last; "" when it said nothing of the kind."""
    if operation is None:
        return ""
    last = Told.objects.filter(operation=operation).order_by("-told_at", "-pk").values_list("reason", flat=True).first()
    return last or ""


def watched(made: Checkout, asked: Operation | None, now: datetime) -> str:
    """What a page that waits has to show, when that operation is under way; another text when there is something new."""
    parts = [state(made, now), asked.state if asked else "", last_reason(asked)]
    tries = Told.objects.filter(operation=asked).count() if asked and made.channel == "phone" else 0
    return ".".join([*parts, str(tries)])

"""The small payments of the demo city: a fortnight of takings from the buyers' wallets, some paid back, two still open."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from huangpu.core.ids import uuid7
from huangpu.payments.checkout import acts as checkouts
from huangpu.payments.checkout.acts import Asked
from huangpu.payments.checkout.models import Checkout
from huangpu.payments.gateway.provider import known
from huangpu.payments.operations import acts as operations
from huangpu.payments.operations import asking
from huangpu.payments.terminals import acts as terminals

if TYPE_CHECKING:
    from .fill import City, Firm, Stall

DAYS = 14
ACQUIRER = "acquirer"
WHAT = (
    ("备件 Spare parts", 380_00, 4_600_00),
    ("样品 Samples", 90_00, 800_00),
    ("上门安装 Installation", 600_00, 2_400_00),
    ("检测服务 Inspection", 300_00, 1_500_00),
    ("加急运费 Express freight", 80_00, 450_00),
)
CHANNELS = ("web", "web", "qr", "qr", "phone")


def pay_everywhere(city: City) -> None:
    """In the first marketplace: the first supplier sells every day, two others now and then."""
    stall = city.stalls[0]
    for number, back in enumerate(range(DAYS - 1, -1, -1), 1):
        for place, seller in enumerate(stall.suppliers[:3]):
            for _payment in range(city.random.randrange(2, 6) if place == 0 else city.random.randrange(2)):
                _sell(city, stall, seller, back)
        city.progress("Takings", number, DAYS)
    if ACQUIRER in known():  # a city that is only filled, as in a test, has no simulated banks
        for name in ("一号收银台 Till 1", "二号收银台 Till 2"):
            terminals.enrol(actor=stall.suppliers[0].actor(), marketplace_id=stall.market.id, name=name, provider=ACQUIRER,
                            now=city.now)  # fmt: skip
    for channel in ("web", "qr"):
        _ask(city, stall, stall.suppliers[0], channel, city.now - timedelta(minutes=20))


def _sell(city: City, stall: Stall, seller: Firm, back: int) -> None:
    """One payment on a day some days ago, in working hours; one of eight is paid back in part an hour later."""
    then = city.now - timedelta(days=back, minutes=city.random.randrange(5, 240))
    made = _ask(city, stall, seller, city.random.choice(CHANNELS), then)
    payer = city.random.choice(stall.buyers).actor()
    paid = checkouts.pay_from_wallet(actor=payer, checkout_id=made.pk, operation_id=uuid7(), now=then)
    asking.attempt(paid, now=then + timedelta(seconds=1))
    later = then + timedelta(hours=1)
    if city.random.randrange(8) == 0 and later < city.now:
        made.refresh_from_db()
        assert made.payment_id is not None
        wish = operations.Wish("refund", made.amount // 3, uuid7(), paid)
        asked = operations.ask(actor=seller.actor(), payment_id=made.payment_id, wish=wish, now=later)
        asking.attempt(asked, now=later)


def _ask(city: City, stall: Stall, seller: Firm, channel: str, then: datetime) -> Checkout:
    title, low, high = city.random.choice(WHAT)
    asked = Asked(title, city.random.randrange(low, high, 100), "CNY", channel=channel)
    return checkouts.open_checkout(actor=seller.actor(), marketplace_id=stall.market.id, asked=asked, now=then)

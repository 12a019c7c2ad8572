"""How a manufacturer buys: the terms "manufacturing.purchase", version 2.

The buyer's money is held; the seller delivers in parts; the buyer inspects and accepts, or says nothing and has accepted;
what has been accepted is paid out at once, less the marketplace's fee; the seller invoices it. Since version 2 a part that
comes late may cost the seller an agreed share of its value, which goes back to the buyer when that part is paid, and only what
has been accepted is invoiced: a rejection leaves no invoice that would have to be credited.

When it goes otherwise: the seller may leave when the money does not come in time; a rejected delivery is owed again; what
is not delivered in time may be cancelled, and its money goes back; either side may call the arbiter, who divides what is held.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from huangpu.flows.commerce.templates import register
from huangpu.flows.commerce.terms import (
    ARBITER,
    Line,
    Silence,
    Terms,
    accept,
    award_by_arbiter,
    charge,
    days,
    deliver,
    hold,
    invoice,
    option,
    penalty,
    refund,
    release,
)

BUYER, SELLER = "buyer", "seller"


def purchase_terms(parameters: Mapping[str, Any]) -> Terms:
    """`parameters`: `lines` [{key, name, quantity, unit, amount, item?, from_place?, to_place?}], `fee` (minor units, borne by
    the seller), `pay_within`, `deliver_within`, `inspect_within` (days), `pay_at_once` (the hold is part of concluding),
    `release_by_hand` (the buyer releases what it has accepted instead of the house), `late_penalty` {rate, per, cap} (shares as
    decimal texts, "day" or "week"; left out: none)."""
    lines = [line_of(data) for data in parameters["lines"]]
    price, fee = sum(line.amount for line in lines), int(parameters.get("fee", 0))
    by_itself = not parameters.get("release_by_hand", False)
    paid = hold(BUYER, price, due=days(parameters["pay_within"]), at_conclusion=bool(parameters.get("pay_at_once")))
    delivered = deliver(SELLER, BUYER, lines, after=paid, due=days(parameters["deliver_within"]))
    accepted = accept(BUYER, delivered, due=days(parameters["inspect_within"]), on_silence=Silence.DEEMED)
    released = release(BUYER, SELLER, price - fee, draws=paid, after=accepted, automatic=by_itself)
    late = parameters.get("late_penalty")
    penalised = late and penalty(SELLER, BUYER, out_of=released, rate=Decimal(late["rate"]), per=late["per"],
                                 cap=Decimal(late["cap"]), after=accepted)  # fmt: skip
    charged = charge(SELLER, fee, draws=paid, after=accepted)
    invoiced = invoice(SELLER, BUYER, price, after=accepted, due=days(parameters["inspect_within"]))
    everything = (paid, delivered, accepted, penalised or None, released, charged, invoiced)
    return Terms(
        *everything,
        options=(
            option("withdraw_unpaid", by=SELLER, late=paid, ends=everything),
            *(
                option(f"reject/{promise.line.key}", by=BUYER, after=promise, undoes=promise, line=promise)
                for promise in delivered
                if promise.line
            ),
            option("cancel_undelivered", by=BUYER, late=delivered, ends=delivered,
                   then=refund(BUYER, draws=paid, after=(released, charged), key="refund_undelivered")),
            option("dispute", by=(BUYER, SELLER), after=paid, suspends=True),
            option("decide", by=ARBITER, ends=everything, decides=True,
                   then=(award_by_arbiter(BUYER, SELLER, draws=paid), refund(BUYER, draws=paid, key="refund_decided"))),
        ),
    )  # fmt: skip


def line_of(data: Mapping[str, Any]) -> Line:
    """A line from plain JSON: quantity as text, amount in minor units."""
    return Line(
        key=str(data["key"]),
        name=data["name"],
        quantity=Decimal(data["quantity"]),
        unit=data["unit"],
        amount=int(data["amount"]),
        item_id=data.get("item"),
        from_place=data.get("from_place"),
        to_place=data.get("to_place"),
        lot=data.get("lot", ""),
        serial=data.get("serial", ""),
    )


def declare() -> None:
    """Makes the sector's templates known."""
    register("manufacturing.purchase", version=2, prefix="PO", build=purchase_terms)

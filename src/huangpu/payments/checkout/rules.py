"""Checkouts, purely: what state one is in, and what a payer may do then."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

State = Literal["open", "paying", "paid", "refunded", "cancelled", "expired"]

CHANNELS = ("web", "qr", "phone")
WALLET = "wallet"  # the provider that is the payer's own wallet here
KEPT_OPEN = timedelta(hours=24)
KEPT_OPEN_MOST = timedelta(days=90)


def state_of(
    *, amount: int, under_way: int, captured: int, refunded: int, cancelled: bool, expires_at: datetime, now: datetime
) -> State:
    """The state of a checkout over `amount` whose payment has so much asked for, captured and paid back.

    Money that came counts before everything else: who has paid in the last second has paid.
    """
    if captured >= amount:
        return "refunded" if refunded >= captured else "paid"
    if under_way:
        return "paying"
    if cancelled:
        return "cancelled"
    return "expired" if expires_at <= now else "open"


def masked(phone: str) -> str:
    """A phone number as it may be shown again: its last four digits."""
    return f"•••• {phone[-4:]}"

"""What the clients do with payments: a supplier asks for money, a payer pays from a wallet or at a bank, some goes back."""

from __future__ import annotations

import itertools
import re

import httpx

from huangpu.channels.simulators.banks import AT_ONCE, BANKS

from .journal import ACKNOWLEDGED, Client
from .market import Firm, Market

AMOUNT = 10**5  # fen; each comes once only, so that a doubled payment would show
REFUNDED = 0.3  # share of the payments
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def pay(client: Client, market: Market, place: int) -> None:
    """One payment after another, half of them from a wallet, half at a bank."""
    begun: dict[str, int] = {}
    with httpx.Client(timeout=10) as person:
        for count in itertools.count(1):
            if client.stop.is_set():
                return
            amount = AMOUNT + 10 * count + place
            if id := _one(client, market, market.suppliers[place], amount, person):
                begun[id] = amount
            _maybe_back(client, market.suppliers[place], begun)


def _one(client: Client, market: Market, payee: Firm, amount: int, person: httpx.Client) -> str | None:
    """Asks for an amount and has it paid as far as that is the payer's part; returns the checkout."""
    opened = client.act("payment.open", payee, "/checkouts", {"title": "Chaos {key}", "amount": amount})
    if opened.outcome != ACKNOWLEDGED or "id" not in opened.answer:
        return None
    id, token = opened.answer["id"], opened.answer["link"].rstrip("/").split("/")[-1]
    if client.random.random() < 0.5:
        client.act("payment.wallet", market.payer, f"/checkouts/{id}/pay", {})
    else:
        bank = client.random.choice(sorted(set(BANKS) - AT_ONCE))
        asked = client.act("payment.bank", market.payer, f"/pay/{token}/choice", {"provider": bank})
        if asked.outcome == ACKNOWLEDGED:
            _agree(client, market.payer, token, person)
    return str(id)


def _agree(client: Client, payer: Firm, token: str, person: httpx.Client) -> None:
    """The payer goes to the bank's page, however often it is not there, and agrees."""
    while not client.stop.is_set():
        seen = client.read(payer, f"/pay/{token}")
        if seen is None or seen["state"] != "paying":
            return
        if seen["page"] and _agreed_at(person, seen["page"]):
            return
        client.stop.wait(0.2)


def _agreed_at(person: httpx.Client, page: str) -> bool:
    try:
        shown = person.get(page)
        token = TOKEN.search(shown.text)
        if shown.status_code != 200 or token is None:
            return shown.status_code == 200  # there is nothing to decide any more
        form = {"decision": "agree", "csrfmiddlewaretoken": token.group(1)}
        return person.post(page, data=form, headers={"Referer": page}).status_code == 302
    except httpx.HTTPError:
        return False


def _maybe_back(client: Client, payee: Firm, begun: dict[str, int]) -> None:
    """Of one of the payments that were begun, if it is paid by now, a third goes back now and then."""
    if not begun or client.random.random() > REFUNDED:
        return
    id = client.random.choice(sorted(begun))
    found = client.read(payee, f"/checkouts/{id}")
    if found and found["state"] == "paid":
        amount = begun.pop(id)
        client.act("payment.refund", payee, f"/payments/{found['payment']}/refunds", {"amount": amount // 3})

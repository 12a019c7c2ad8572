"""Who pays and who is paid: names, accounts, and the institutions that keep them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _
from stdnum import bic, iban

from huangpu.core.errors import Invalid

from .xml import Element, need, node, text

NAME_MAX = 140
OTHER_MAX = 34


@dataclass(frozen=True, slots=True)
class Account:
    """A party with its account at an institution. `number` is an IBAN where it is one, else the institution's own; `agent` a
    BIC (ISO 9362). Refused: `iso20022.name`, `iso20022.account`, `iso20022.agent`."""

    name: str
    number: str
    agent: str

    def __post_init__(self) -> None:
        if not 0 < len(self.name.strip()) <= NAME_MAX:
            raise Invalid(
                "iso20022.name", _("“%(value)s” is no name; it has 1 to %(most)s characters."),
                field="Nm", value=self.name[:200], most=NAME_MAX,
            )  # fmt: skip
        looks_like_iban = self.number[:2].isalpha() and self.number[2:4].isdigit()
        if not 0 < len(self.number) <= OTHER_MAX or (looks_like_iban and not iban.is_valid(self.number)):
            raise Invalid(
                "iso20022.account", _("“%(value)s” is no account: an IBAN whose check digits are right, or a number."),
                field="IBAN", value=self.number[:40],
            )  # fmt: skip
        if not bic.is_valid(self.agent):
            raise Invalid("iso20022.agent", _("“%(value)s” is no BIC."), field="BICFI", value=self.agent[:20])

    @property
    def is_iban(self) -> bool:
        return bool(iban.is_valid(self.number))


def party(name: str, of: Account) -> Element:
    """Dbtr, Cdtr."""
    return node(name, node("Nm", of.name))


def account(name: str, of: Account, currency: str = "") -> Element:
    """DbtrAcct, CdtrAcct, Acct."""
    id = node("IBAN", of.number) if of.is_iban else node("Othr", node("Id", of.number))
    return node(name, node("Id", id), node("Ccy", currency) if currency else None)


def agent(name: str, bic_: str) -> Element:
    """DbtrAgt, CdtrAgt, InstgAgt …"""
    return node(name, node("FinInstnId", node("BICFI", bic_)))


def read_account(of: Element, side: str) -> Account:
    """The debtor's ("Dbtr") or the creditor's ("Cdtr") out of an element that has all three."""
    return Account(need(of, f"{side}/Nm"), number(of, f"{side}Acct"), need(of, f"{side}Agt/FinInstnId/BICFI"))


def number(of: Element, path: str) -> str:
    """The number of an account."""
    return text(of, f"{path}/Id/IBAN") or need(of, f"{path}/Id/Othr/Id")

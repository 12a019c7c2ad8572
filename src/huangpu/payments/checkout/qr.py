"""A checkout as a code that a merchant shows (EMVCo QR Code Specification for Payment Systems, merchant-presented mode)."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.payments.standards.emvco import merchant
from huangpu.payments.standards.emvco.parts import AdditionalData, LocalName, Template

from .models import Checkout

SYSTEM = "6f1b4d0c2a7e8c5d9b3e0a4f7c218d55"  # our payment system's identifier: a UUID without hyphens
CATEGORY = "0000"  # ISO 18245: not told


def payload(made: Checkout, payee: Mapping[str, str], marketplace: str) -> str:
    """The text of the code. `payee`: the payee's name by language."""
    latin = "".join(letter for letter in payee.get("en", "") if letter.isascii() and letter.isprintable()).strip()
    chinese = payee.get("zh-hans", "")
    code = merchant.MerchantCode(
        accounts=(Template.of("26", SYSTEM, [("01", marketplace), ("02", made.token)]),),
        currency=made.currency, country="CN", mcc=CATEGORY, name=latin[:25] or "Huangpu", city="Shanghai", amount=made.amount,
        dynamic=True, additional=AdditionalData(reference=made.reference[:25]) if made.reference.isascii() else None,
        local=LocalName(language="zh", name=chinese[:25]) if chinese else None,
    )  # fmt: skip
    return merchant.encode(code)


def read(text: str) -> tuple[str, str]:
    """The marketplace and the token in a code of ours. Refused: `checkout.code` (another system's), and what the standard's
    reader refuses."""
    account = merchant.decode(text.strip()).account(SYSTEM)
    if account is None:
        raise Invalid("checkout.code", _("This code asks for a payment elsewhere, not in Huangpu."), field="code")
    return account.value("01"), account.value("02")

"""What the ledger refused, as errors with stable codes. Asked only after a refusal, so it may look things up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict, HuangpuError, Invalid
from huangpu.core.words import money_text

from .models import Account, Hold
from .rules import Item

SENTENCES: dict[str, Any] = {
    "id_reused": _("The id %(value)s was used for another transfer; the same id must come with the same content."),
    "account_unknown": _("There is no account %(account)s in this marketplace."),
    "same_account": _("An account cannot pay itself; name two."),
    "currency_mismatch": _("Money cannot go from an account in one currency to one in another (%(account)s)."),
    "hold_unknown": _("There is no hold %(hold)s in this marketplace."),
    "hold_closed": _("The hold %(hold)s is closed: it was used up, voided, or its time has come."),
    "hold_exhausted": _("There is less left in the hold than asked for: %(available)s of %(asked)s."),
    "exceeds_floor": _("There is not enough money: %(asked)s is asked for, and %(available)s is available."),
    "exceeds_ceiling": _("The account may not hold so much: %(asked)s comes in, and there is room for %(available)s."),
}
MALFORMED = ("same_account",)


def of(
    items: Sequence[Item],
    index: int,
    result: str,
    account: UUID | None,
    asked: int | None,
    available: int | None,
    kept: tuple[str, str] | None = None,
) -> HuangpuError:
    """The error for `items[index]`: Invalid for what can never be right, Conflict for what the books do not allow now.

    Its parameters: `index`, `item` (the id), and where they say something `hold`, `account`, `book`, `asked` and
    `available` (written for a person), with `asked_minor`, `available_minor` and `missing` in minor units.
    `kept`: book and currency of the account, where they are known already.
    """
    item = items[index]
    facts: dict[str, Any] = {"index": index, "item": str(item.id)}
    if hold := getattr(item, "hold_id", None):
        facts["hold"] = str(hold)
    if account is not None:
        facts["account"] = str(account)
    if result in ("exceeds_floor", "exceeds_ceiling", "hold_exhausted"):
        book, currency = kept or _kept_as(account, item)
        facts |= {
            "book": book,
            "asked_minor": asked,
            "available_minor": available,
            "missing": (asked or 0) - (available or 0),
        }
        facts |= {"asked": _written(asked, currency), "available": _written(available, currency)}
    kind = Invalid if result in MALFORMED else Conflict
    return kind(f"transfer.{result}", SENTENCES[result], field="amount", value=str(item.id), **facts)


def _kept_as(account: UUID | None, item: Item) -> tuple[str, str]:
    """Book and currency of the account that refused, or of the hold's."""
    accounts = Account.objects.all()
    if account is None:
        hold = getattr(item, "hold_id", item.id)
        found = (
            accounts.filter(pk__in=Hold.objects.filter(pk=hold).values("debit_id"))
            .values_list("book", "currency")
            .first()
        )
    else:
        found = accounts.filter(pk=account).values_list("book", "currency").first()
    return found or ("", "")


def _written(amount: int | None, currency: str) -> str:
    return money_text(amount or 0, currency) if currency else str(amount)

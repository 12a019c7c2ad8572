"""The numeric codes of ISO 4217, as DE 49 carries them, against the letters that money is kept in.

DE 4 counts minor units by ISO 4217; money here counts them by CLDR, the source of `core.money`. Currencies on whose decimals
the two disagree are left out, so that no amount can grow or shrink a hundredfold on its way.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.payments.standards import currencies

DISPUTED = frozenset(["AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SOS", "SYP", "YER"])
LETTERS = {number: letters for number, letters in currencies.LETTERS.items() if letters not in DISPUTED}
NUMBERS = {letters: number for number, letters in LETTERS.items()}


def letters_of(number: str) -> str:
    """The letters of a numeric code: «156» → «CNY». Refuses with `iso8583.currency`."""
    if number not in LETTERS:
        raise _unknown(number)
    return LETTERS[number]


def number_of(letters: str) -> str:
    """The numeric code of a currency: «CNY» → «156». Refuses with `iso8583.currency`."""
    if letters not in NUMBERS:
        raise _unknown(letters)
    return NUMBERS[letters]


def _unknown(value: str) -> Invalid:
    return Invalid(
        "iso8583.currency",
        _("“%(value)s” in DE 49 is not a currency a terminal can use; write an ISO 4217 number such as 156."),
        field="DE 49",
        value=value,
    )

"""Money is an integer of minor units with its ISO 4217 currency. No float comes near it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction

from babel.core import get_global
from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import gettext_lazy as _

from .errors import Invalid

CURRENCIES: frozenset[str] = frozenset(get_global("all_currencies"))
LARGEST = 2**53 - 1  # what RFC 8785 can write in an event: 90 trillion yuan in fen


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` counts the currency's smallest unit (fen for CNY, yen for JPY)."""

    minor: int
    currency: str

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def __le__(self, other: Money) -> bool:
        return not other < self

    @property
    def major(self) -> Decimal:
        """The amount in whole units, exact: Money(12345, 'CNY').major == Decimal('123.45')."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def text(self, locale: str = "en") -> str:
        """The amount for a person: «¥123.45» in zh, «CN¥123.45» in en."""
        return format_currency(self.major, self.currency, locale=locale)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise Invalid(
                "currency.mismatch",
                _("The amount is in %(value)s, but %(expected)s is expected."),
                field="currency",
                value=other.currency,
                expected=self.currency,
            )


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has (ISO 4217): 2 for CNY, 0 for JPY, 3 for KWD."""
    if currency not in CURRENCIES:
        raise Invalid(
            "currency.unknown",
            _("“%(value)s” is not an ISO 4217 currency code; write three capital letters such as CNY."),
            field="currency",
            value=currency,
        )
    return get_currency_precision(currency)


def parse_money(text: str | int | Decimal, currency: str, *, field: str = "amount") -> Money:
    """Money from a person's or a file's decimal («1,234.50»). Refuses what the minor unit cannot hold."""
    places = exponent(currency)
    try:
        value = Decimal(str(text).replace(",", "").strip())
        minor = value.scaleb(places)
    except InvalidOperation:
        value = minor = Decimal("NaN")
    if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) > LARGEST:
        raise Invalid(
            "amount.invalid",
            _("“%(value)s” is not an amount in %(currency)s; write digits with at most %(places)s decimals."),
            field=field,
            value=str(text),
            currency=currency,
            places=places,
        )
    return Money(int(minor), currency)


def line_total(quantity: Decimal, unit_price: Decimal, currency: str) -> int:
    """Minor units of a line: exact quantity times exact unit price (in whole units), rounded half up once."""
    exact = (quantity * unit_price).scaleb(exponent(currency))
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def share(total: int, part: Fraction) -> int:
    """The share of a total that a fraction (0 to 1) earns so far, rounded down: what is left comes with the last part."""
    return int(total * part)


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """A total split pro rata over weights, each rounded down, the remainder on the last. Sums to the total, always."""
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("weights must sum to more than zero")
    shares = [total * weight // whole for weight in weights[:-1]]
    return [*shares, total - sum(shares)]

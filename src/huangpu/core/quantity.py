"""A quantity has its unit, by UN/CEFACT Recommendation 20, and six decimals at the most."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from .errors import Invalid

PLACES = 6
LARGEST = Decimal(10) ** 12

# The units the demo city and the imported tenders use, by Rec 20 code: English and Chinese symbols.
UNITS: dict[str, tuple[str, str]] = {
    "C62": ("pcs", "个"),
    "H87": ("pcs", "件"),
    "EA": ("each", "个"),
    "SET": ("set", "套"),
    "PR": ("pair", "双"),
    "KGM": ("kg", "千克"),
    "GRM": ("g", "克"),
    "TNE": ("t", "吨"),
    "LTR": ("l", "升"),
    "MTR": ("m", "米"),
    "KMT": ("km", "千米"),
    "MTK": ("m²", "平方米"),
    "MTQ": ("m³", "立方米"),
    "HUR": ("h", "小时"),
    "DAY": ("day", "天"),
    "MON": ("month", "月"),
    "ANN": ("year", "年"),
    "KWH": ("kWh", "千瓦时"),
    "MWH": ("MWh", "兆瓦时"),
    "PK": ("pack", "包"),
    "XPK": ("pack", "包"),
    "XBX": ("box", "箱"),
    "BX": ("box", "箱"),
    "RO": ("roll", "卷"),
    "XRO": ("roll", "卷"),
    "E48": ("service", "项"),
    "E54": ("trip", "次"),
    "ROM": ("room", "间"),
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact decimal of at most six places with its Rec 20 unit code."""

    value: Decimal
    unit: str

    def text(self) -> str:
        """For a person: «12.5 t», «12.5 吨»."""
        return f"{plain(self.value)} {unit_name(self.unit)}"


def plain(value: Decimal) -> str:
    """A decimal without exponent or trailing zeros: '12.5', '3000', '0'. Also how events write a decimal."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def unit_name(code: str) -> str:
    """The unit's symbol in the reader's language; an unknown code is shown as it is."""
    names = UNITS.get(code)
    if names is None:
        return code
    return names[1] if (get_language() or "en").startswith("zh") else names[0]


def parse_quantity(text: str | int | Decimal, unit: str, *, field: str = "quantity") -> Quantity:
    """A quantity above zero from a person's or a file's decimal."""
    if not re.fullmatch(r"[A-Z0-9]{2,3}", unit):
        raise Invalid(
            "unit.invalid",
            _("“%(value)s” is not a unit code; write a UN/CEFACT Rec 20 code such as TNE or C62."),
            field="unit",
            value=unit,
        )
    return Quantity(parse_decimal(text, field=field), unit)


def parse_decimal(text: str | int | Decimal, *, field: str = "quantity", zero: bool = False) -> Decimal:
    """The number of a quantity, above zero or (`zero`: none is an answer, too) from zero on. Nothing written is no number."""
    try:
        value = Decimal(str(text).replace(",", "").strip())
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 <= value <= LARGEST or value != round(value, PLACES) or not (value or zero):
        wanted = (
            _("“%(value)s” is not a quantity; write 0 or more, at most six decimals.")
            if zero
            else _("“%(value)s” is not a quantity; write a number above 0 with at most six decimals.")
        )
        raise Invalid("quantity.invalid", wanted, field=field, value=str(text))
    return value

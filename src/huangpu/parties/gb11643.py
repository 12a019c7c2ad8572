"""The citizen identity number (公民身份号码), GB 11643-1999: 18 characters.

    1-6   where it was first registered       a division code of GB/T 2260 at that time
    7-14  the date of birth                   YYYYMMDD
    15-17 a serial number                     odd for men, even for women
    18    the check character                 ISO 7064 MOD 11-2: 0-9 or X

The place is only ever a warning. Divisions were merged and renamed while numbers stayed, and python-stdnum's `cn.ric`, which
demands that the county existed in the year of birth, refuses about a fifth of the numbers whose checksum is right.
A citizen number is personal information: check it, keep the answer, and do not keep the number without a purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

from django.utils.translation import gettext_lazy as _
from stdnum import numdb

from huangpu.core.errors import Invalid

from .gb32100 import PROVINCES

WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
FORMER_PROVINCES = frozenset({"83"})  # residents of Taiwan on the mainland


@dataclass(frozen=True, slots=True)
class Citizen:
    """What a valid number says, and what about it is unusual."""

    number: str
    division: str
    born: date
    sex: str  # "male", "female"
    warnings: tuple[Any, ...] = ()


def check_character(first: str) -> str:
    """The 18th character for the first seventeen digits (ISO 7064 MOD 11-2)."""
    total = sum(int(one) * weight for one, weight in zip(first, WEIGHTS, strict=True))
    return "0123456789X"[(12 - total) % 11]


def _wrong(code: str, value: str, message: Any, **params: Any) -> Invalid:
    return Invalid(f"identifier.{code}", message, field="value", value=value, scheme="CN-RIC", **params)


def parse(number: str, *, today: date) -> Citizen:
    """The parts of a number in its normal form. `today` bounds the date of birth.

    Invalid: `identifier.length`, `identifier.character`, `identifier.date`, `identifier.check`, each with the position,
    what was found and what would be right. An unknown place is a warning of the answer, never an error.
    """
    if len(number) != 18:
        message = _("“%(value)s” has %(length)s characters; a citizen identity number has 18.")
        raise _wrong("length", number, message, length=len(number))
    for place, one in enumerate(number, 1):
        if one not in "0123456789" and not (place == 18 and one == "X"):
            message = _(
                "Character %(position)s of “%(value)s” is “%(found)s”; the first 17 are digits, the last a digit or X."
            )
            raise _wrong("character", number, message, position=place, found=one, wanted="0-9")
    born = _born(number, today)
    if (wanted := check_character(number[:17])) != number[17]:
        message = _(
            "The last character of “%(value)s” is “%(found)s”, but the seventeen before it ask for “%(wanted)s”: "
            "one of the eighteen is mistyped, or two have changed places."
        )
        raise _wrong("check", number, message, position=18, found=number[17], wanted=wanted)
    sex = "male" if int(number[16]) % 2 else "female"
    return Citizen(number, number[:6], born, sex, _about_place(number[:6], born))


def _born(number: str, today: date) -> date:
    text = number[6:14]
    try:
        born = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        message = _("Characters 7 to 14 of “%(value)s” are “%(found)s”, which is no date; write year, month, day.")
        raise _wrong("date", number, message, position=7, found=text, wanted="YYYYMMDD") from None
    if born > today:
        message = _("Characters 7 to 14 of “%(value)s” say that the person will be born on %(found)s.")
        raise _wrong("date", number, message, position=7, found=born.isoformat(), wanted=f"<= {today.isoformat()}")
    return born


@cache
def _counties(division: str) -> str:
    """What python-stdnum's table (a file of the package, read once) knows of a division code; empty: nothing."""
    known: dict[str, str] = {}
    for _part, facts in numdb.get("cn/loc").info(division):
        known.update(facts)
    return known.get("county", "")


def _about_place(division: str, born: date) -> tuple[Any, ...]:
    if division[:2] not in PROVINCES | FORMER_PROVINCES:
        return (_("The first two characters stand for no province; the number may still be right."),)
    counties = _counties(division)
    if not counties:
        return (_("The first six characters stand for no known county; the number may still be right."),)
    periods = [county[1:].split("]")[0].split("-") for county in counties.split(",") if county.startswith("[")]
    if len(periods) < len(counties.split(",")):
        return ()
    if any((not a or born.year >= int(a)) and (not b or born.year <= int(b)) for a, b in periods):
        return ()
    return (_("The county did not exist under this code in the year of birth; the number may still be right."),)


def make(random: Random, *, division: str = "310115", born: date | None = None) -> str:
    """A valid number of chance, the same for the same state of `random`. For demonstrations and tests."""
    day = born or date(1960, 1, 1) + timedelta(days=random.randrange(45 * 365))
    first = f"{division}{day:%Y%m%d}{random.randrange(1, 1000):03d}"
    return first + check_character(first)

"""The unified social credit code (统一社会信用代码), GB 32100-2015 with its amendment 1 of 2016: 18 characters.

    1     who registers (登记管理部门)        A-Z without I O S V Z, and digits, as AUTHORITIES lists
    2     what kind of body (机构类别)        as AUTHORITIES lists for that authority
    3-8   where it is registered              a division code of GB/T 2260
    9-17  the organisation code               GB 11714: eight characters and its own check character, mod 11
    18    the check character                 GB/T 17710, mod 31-3 over the first seventeen

The standard's mod 31 catches every change of one character and every swap of two neighbours. python-stdnum's `cn.uscc` was
not taken: it accepts a broken organisation code inside (positions 9-17) and any authority, category and division.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
ORGANISATION_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

LOOKS_LIKE = {
    "I": "1",
    "O": "0",
    "Q": "0",
    "S": "5",
    "Z": "2",
    "V": "U",
}  # what a letter that is not used was meant to be

OTHER: dict[str, Any] = {"9": _("other body")}
AUTHORITIES: dict[str, tuple[Any, dict[str, Any]]] = {
    "1": (
        _("staffing commission (机构编制)"),
        {"1": _("state organ"), "2": _("public institution"), "3": _("mass organisation"), **OTHER},
    ),
    "2": (_("foreign affairs (外交)"), {"1": _("resident foreign news office"), **OTHER}),
    "3": (
        _("justice (司法行政)"),
        {
            "1": _("law firm"),
            "2": _("notary office"),
            "3": _("legal service office"),
            "4": _("forensic institute"),
            "5": _("arbitration commission"),
            **OTHER,
        },
    ),
    "4": (_("culture (文化)"), {"1": _("foreign cultural centre"), **OTHER}),
    "5": (
        _("civil affairs (民政)"),
        {"1": _("social association"), "2": _("private non-enterprise unit"), "3": _("foundation"), **OTHER},
    ),
    "6": (
        _("tourism (旅游)"),
        {"1": _("foreign tourism office"), "2": _("Hong Kong, Macao or Taiwan tourism office"), **OTHER},
    ),
    "7": (_("religious affairs (宗教)"), {"1": _("place of worship"), "2": _("religious school"), **OTHER}),
    "8": (_("trade unions (工会)"), {"1": _("basic trade union"), **OTHER}),
    "9": (
        _("market regulation (工商)"),
        {"1": _("enterprise"), "2": _("individual business"), "3": _("farmers' cooperative")},
    ),
    "A": (_("Central Military Commission (中央军委)"), {"1": _("military institution"), **OTHER}),
    "N": (
        _("agriculture (农业)"),
        {"1": _("group collective"), "2": _("village collective"), "3": _("township collective"), **OTHER},
    ),
    "Y": (_("other authority (其他)"), {"1": _("body of no listed kind")}),
}

# The first two digits of GB/T 2260; 10 stands in these codes for bodies that the state itself registers ("100000").
PROVINCES = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Body:
    """What a valid code says of who carries it."""

    code: str
    authority: str
    category: str
    division: str
    organisation_code: str  # GB 11714, nine characters

    @property
    def authority_name(self) -> Any:
        return AUTHORITIES[self.authority][0]

    @property
    def category_name(self) -> Any:
        return AUTHORITIES[self.authority][1][self.category]


def check_character(first: str) -> str:
    """The 18th character for the first seventeen (GB 32100, annex A; GB/T 17710)."""
    total = sum(ALPHABET.index(one) * weight for one, weight in zip(first, WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def organisation_check_character(first: str) -> str:
    """The ninth character of an organisation code for the first eight (GB 11714-1997)."""
    total = sum(ORGANISATION_ALPHABET.index(one) * w for one, w in zip(first, ORGANISATION_WEIGHTS, strict=True))
    return "0123456789X0"[11 - total % 11]


def _wrong(code: str, value: str, message: Any, **params: Any) -> Invalid:
    return Invalid(f"identifier.{code}", message, field="value", value=value, scheme="CN-USCC", **params)


def parse(code: str) -> Body:
    """The parts of a code in its normal form (capitals, no spaces).

    Invalid: `identifier.length`, `identifier.character`, `identifier.authority`, `identifier.category`,
    `identifier.division`, `identifier.check`, `identifier.organisation_check`; each with position, found and wanted.
    """
    if len(code) != 18:
        message = _("“%(value)s” has %(length)s characters; a unified social credit code has 18.")
        raise _wrong("length", code, message, length=len(code))
    _characters(code)
    authority, category, division = code[0], code[1], code[2:8]
    _authority(code, authority, category)
    _division(code, division)
    if (wanted := check_character(code[:17])) != code[17]:
        message = _(
            "The last character of “%(value)s” is “%(found)s”, but the seventeen before it ask for “%(wanted)s”: "
            "one of the eighteen is mistyped, or two have changed places."
        )
        raise _wrong("check", code, message, position=18, found=code[17], wanted=wanted)
    if (wanted := organisation_check_character(code[8:16])) != code[16]:
        message = _(
            "Character 17 of “%(value)s” is “%(found)s”, but the organisation code before it (characters 9 to 16) asks for "
            "“%(wanted)s” (GB 11714). No register has given out such a code."
        )
        raise _wrong("organisation_check", code, message, position=17, found=code[16], wanted=wanted)
    return Body(code, authority, category, division, code[8:17])


def _characters(code: str) -> None:
    for place, one in enumerate(code, 1):
        if 3 <= place <= 8 and one not in "0123456789":
            message = _("Character %(position)s of “%(value)s” is “%(found)s”; characters 3 to 8 are digits.")
            raise _wrong("character", code, message, position=place, found=one, wanted=LOOKS_LIKE.get(one, "0-9"))
        if one in ALPHABET:
            continue
        if one in LOOKS_LIKE:
            message = _(
                "Character %(position)s of “%(value)s” is “%(found)s”; these codes use no I, O, S, V and Z. "
                "Perhaps “%(wanted)s” is meant."
            )
            raise _wrong("character", code, message, position=place, found=one, wanted=LOOKS_LIKE[one])
        message = _("Character %(position)s of “%(value)s” is “%(found)s”; only digits and capital letters are used.")
        raise _wrong("character", code, message, position=place, found=one, wanted=ALPHABET)


def _authority(code: str, authority: str, category: str) -> None:
    if authority not in AUTHORITIES:
        message = _(
            "The first character of “%(value)s” is “%(found)s”, which stands for no registering authority; it is one of "
            "%(wanted)s (9 for companies)."
        )
        raise _wrong("authority", code, message, position=1, found=authority, wanted=" ".join(AUTHORITIES))
    if category not in AUTHORITIES[authority][1]:
        message = _(
            "The second character of “%(value)s” is “%(found)s”; after “%(authority)s” it is one of %(wanted)s."
        )
        wanted = " ".join(AUTHORITIES[authority][1])
        raise _wrong("category", code, message, position=2, found=category, wanted=wanted, authority=authority)


def _division(code: str, division: str) -> None:
    if division == "100000":
        return
    district_of_no_city = division[2:4] == "00" and division[4:] != "00"
    if division[:2] not in PROVINCES or district_of_no_city:
        message = _(
            "Characters 3 to 8 of “%(value)s” are “%(found)s”, which no division of China has (GB/T 2260); "
            "Pudong in Shanghai is 310115, for example."
        )
        raise _wrong("division", code, message, position=3, found=division, wanted="GB/T 2260")


def make(random: Random, *, division: str = "310115", authority: str = "9", category: str = "1") -> str:
    """A valid code of no real body's choosing: the same for the same state of `random`. For demonstrations and tests.

    The organisation code starts with "MA", as the series given out since 2015 does, followed by chance.
    """
    body = "MA" + "".join(random.choice(ALPHABET) for _ in range(6))
    first = f"{authority}{category}{division}{body}{organisation_check_character(body)}"
    return parse(first + check_character(first)).code

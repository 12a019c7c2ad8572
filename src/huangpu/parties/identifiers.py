"""Codes that registers give to organisations, by scheme: org-id.guide's names where there are some.

`check` is the one door: it brings a code into its normal form and refuses what the scheme's own standard rules out, saying
which character is wrong and what would be right. A scheme that is not known here passes as it is, and says so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from stdnum import ean
from stdnum.iso7064 import mod_97_10
from stdnum.md import idno
from stdnum.ua import edrpou, rntrc

from huangpu.core.errors import Invalid

from . import gb32100

SCHEME_LENGTH_MAX, VALUE_LENGTH_MAX = 32, 64


@dataclass(frozen=True, slots=True)
class Checked:
    """A code in its normal form. `known`: its scheme has a check here, and the code passed it."""

    scheme: str
    value: str
    known: bool
    warnings: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Scheme:
    """A list of codes: what it is called, an example, and its check (which answers warnings or raises Invalid)."""

    code: str
    name: Any
    example: str
    check: Callable[[str], tuple[Any, ...]]


def normal(value: str) -> str:
    """One width, capitals, no spaces and hyphens: how codes are compared and stored."""
    return re.sub(r"[\s\-‐-―−]", "", unicodedata.normalize("NFKC", value)).upper()


def _uscc(value: str) -> tuple[Any, ...]:
    gb32100.parse(value)
    return ()


def _wrong(code: str, scheme: str, value: str, message: Any, **params: Any) -> Invalid:
    return Invalid(f"identifier.{code}", message, field="value", value=value, scheme=scheme, **params)


def _digits(scheme: str, value: str, lengths: tuple[int, ...]) -> None:
    for place, one in enumerate(value, 1):
        if one not in "0123456789":
            message = _("Character %(position)s of “%(value)s” is “%(found)s”; a code of %(scheme)s has digits only.")
            raise _wrong("character", scheme, value, message, position=place, found=one, wanted="0-9")
    if len(value) not in lengths:
        message = _("“%(value)s” has %(length)s digits; a code of %(scheme)s has %(wanted)s.")
        raise _wrong("length", scheme, value, message, length=len(value), wanted=" / ".join(map(str, lengths)))


def _last(scheme: str, value: str, wanted: str) -> None:
    if not value.endswith(wanted):
        message = _(
            "“%(value)s” ends with “%(found)s”, but what stands before asks for “%(wanted)s”: a character is mistyped, "
            "or two have changed places."
        )
        found = value[-len(wanted) :]
        raise _wrong("check", scheme, value, message, position=len(value), found=found, wanted=wanted)


def _edr(value: str) -> tuple[Any, ...]:
    """Legal persons have 8 digits (ЄДРПОУ), sole traders the 10 of their tax number (РНОКПП)."""
    _digits("UA-EDR", value, (8, 10))
    part = edrpou if len(value) == 8 else rntrc
    _last("UA-EDR", value, str(part.calc_check_digit(value)))
    return ()


def _idno(value: str) -> tuple[Any, ...]:
    _digits("MD-IDNO", value, (13,))
    _last("MD-IDNO", value, str(idno.calc_check_digit(value[:-1])))
    return ()


def _gln(value: str) -> tuple[Any, ...]:
    _digits("GLN", value, (13,))
    _last("GLN", value, str(ean.calc_check_digit(value[:-1])))
    return ()


def _lei(value: str) -> tuple[Any, ...]:
    """ISO 17442: 18 characters and two check digits (ISO 7064 MOD 97-10)."""
    if len(value) != 20:
        message = _("“%(value)s” has %(length)s characters; an LEI has 20.")
        raise _wrong("length", "LEI", value, message, length=len(value), wanted=20)
    for place, one in enumerate(value, 1):
        if not (one.isascii() and (one.isdigit() or (one.isalpha() and place <= 18))):
            message = _(
                "Character %(position)s of “%(value)s” is “%(found)s”; an LEI is letters and digits, then two digits."
            )
            raise _wrong("character", "LEI", value, message, position=place, found=one, wanted="0-9 A-Z")
    _last("LEI", value, mod_97_10.calc_check_digits(value[:18]))
    return ()


SCHEMES: dict[str, Scheme] = {
    scheme.code: scheme
    for scheme in (
        Scheme("CN-USCC", _("Unified social credit code (China, GB 32100)"), "91350100M000100Y43", _uscc),
        Scheme("UA-EDR", _("Unified State Register (Ukraine)"), "32855961", _edr),
        Scheme("MD-IDNO", _("State identification number (Moldova)"), "1008600038413", _idno),
        Scheme("GLN", _("Global location number (GS1)"), "6901234567892", _gln),
        Scheme("LEI", _("Legal entity identifier (ISO 17442)"), "213800KUD8LAJWSQ9D15", _lei),
    )
}
ALIASES = {"XI-LEI": "LEI", "CN-SCC": "CN-USCC", "GS1-GLN": "GLN"}


def check(scheme: str, value: str) -> Checked:
    """The code in its normal form, or Invalid with the position that is wrong and what would be right.

    Of a scheme without a check here the code is taken as it is, without the spaces around it.
    Invalid: `identifier.scheme`, `identifier.empty`, `identifier.too_long`, and what the scheme's own check says.
    """
    code = ALIASES.get(scheme.strip().upper(), scheme.strip().upper())
    if not re.fullmatch(r"[A-Z0-9][A-Z0-9._-]{0,31}", code):
        message = _("“%(value)s” is not the name of a scheme; write one such as CN-USCC, UA-EDR or LEI.")
        raise Invalid("identifier.scheme", message, field="scheme", value=scheme)
    known = SCHEMES.get(code)
    text = normal(value) if known else value.strip()
    if not text or "\0" in text:
        raise _wrong("empty", code, value, _("The code is missing."))
    if len(text) > VALUE_LENGTH_MAX:
        message = _("The code has %(length)s characters; at most %(wanted)s are kept.")
        raise _wrong("too_long", code, value, message, length=len(text), wanted=VALUE_LENGTH_MAX)
    warnings = known.check(text) if known else ()
    return Checked(code, text, known is not None, warnings)


def is_good(scheme: str, value: str) -> bool:
    """Whether the code passes its scheme's check: for imports, which drop and report instead of refusing."""
    try:
        check(scheme, value)
    except Invalid:
        return False
    return True

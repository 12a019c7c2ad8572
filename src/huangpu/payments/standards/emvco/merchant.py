"""A code that a merchant presents: EMV QRCPS-MPM v1.1 (November 2020), between a text and a typed value.

`decode` is strict: it names the object that is wrong. What it does not know it keeps, so that `encode(decode(text)) == text`
for every text that is accepted, and a value that was changed is written in the place of the old one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.core.money import LARGEST, Money, parse_money
from huangpu.payments.standards.currencies import LETTERS, NUMBERS

from .parts import ROOT, AdditionalData, LocalName, Template, Tip, read_template, require, template_object
from .place import in_place
from .tlv import Object, check, checksum, read, shown, write

BYTES_MAX = (
    512  # section 4.1: the payload «should not exceed 512 alphanumeric characters», fewer if they take more bytes
)
CAPACITY = 2953  # bytes in the largest QR code (version 40-L, ISO/IEC 18004): more cannot have been scanned
STATIC, DYNAMIC = "11", "12"
MANDATORY = ("52", "53", "58", "59", "60")
PERSON = frozenset({"52", "59", "60"})  # left out by PromptPay and VietQR, in which a person pays a person

DECIMAL = re.compile(r"[0-9]+(\.[0-9]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MerchantCode:
    """Whom to pay, and how much.

    `accounts`: 02–25 are the card networks' own (`Object`), 26–51 are templates. `currency`: letters of ISO 4217. `amount`:
    minor units, None when the payer's app asks. `dynamic`: for one payment only, None when the code does not say. `name` and
    `city` are ASCII; another writing goes to `local`. `mcc`, `name`, `city` may be "" where a scheme leaves them out.
    """

    accounts: tuple[Object | Template, ...]
    currency: str
    country: str
    mcc: str = ""
    name: str = ""
    city: str = ""
    amount: int | None = None
    dynamic: bool | None = None
    tip: Tip | None = None
    postal_code: str = ""
    additional: AdditionalData | None = None
    local: LocalName | None = None
    templates: tuple[Template, ...] = ()
    reserved: tuple[Object, ...] = ()
    kept: tuple[Object, ...] = field(default=(), compare=False, repr=False)

    def account(self, guid: str) -> Template | None:
        """The account of a payment system, by its identifier in any case of letters (Pix is written in both)."""
        templates = (one for one in self.accounts if isinstance(one, Template))
        return next((one for one in templates if one.guid.casefold() == guid.casefold()), None)


def encode(code: MerchantCode, *, may_lack: frozenset[str] = frozenset(), bytes_max: int = BYTES_MAX) -> str:
    """The text of a code, with its checksum.

    `bytes_max`: how many bytes of UTF-8 it may take; `CAPACITY` where a scheme's own codes are longer (SGQR).
    Invalid: what `decode` refuses, `emvco.too_long`, and `emvco.place` when an object stands where ids of its kind do not.
    """
    kept = [one for one in code.kept if one.id != "63"]  # which stays the last, also after what is new
    text = write(in_place(kept, _objects(code), lambda one: one.id))[:-4]
    _fits(f"{text}0000", bytes_max)
    text += checksum(text)
    if _sorted(decode(text, may_lack=may_lack)) != _sorted(code):
        ids = " ".join(one.id for one in _loose(code))
        raise Invalid(
            "emvco.place",
            _(
                "An object among %(value)s stands where ids of its kind do not: accounts are 02 to 51, templates 80 to 99."
            ),
            field=None,
            value=ids,
        )
    return text


def decode(text: str, *, may_lack: frozenset[str] = frozenset()) -> MerchantCode:
    """A code from its text. `may_lack`: ids that a scheme leaves out although the standard has them, see `PERSON`.

    Invalid: `emvco.too_long`, `emvco.text`, `emvco.id`, `emvco.length`, `emvco.duplicate`, `emvco.missing`, `emvco.order`,
    `emvco.crc`, `emvco.format`, `emvco.value`, `emvco.currency`, `emvco.country`, `emvco.amount`, `emvco.tip`, `emvco.percent`,
    `emvco.request`, `emvco.language`. The field is the path of the data object, «62-05».
    """
    _fits(text, CAPACITY)
    objects = read(text)
    found = {one.id: one for one in objects}
    require(found, ("00", "63"))
    if objects[0].id != "00" or objects[-1].id != "63":
        raise Invalid(
            "emvco.order",
            _("Data object 00 is the first and 63 the last; here it is %(value)s and %(last)s."),
            field="00",
            value=objects[0].id,
            last=objects[-1].id,
        )
    right = checksum(text[:-4])
    if found["63"].value != right:
        raise Invalid(
            "emvco.crc",
            _("The code is damaged: its checksum in %(field)s is “%(value)s” and would be %(right)s."),
            field="63",
            value=shown(found["63"].value),
            right=right,
        )
    require(found, [id for id in MANDATORY if id not in may_lack])
    return _typed({id: check(one, ROOT[id]) for id, one in found.items()}, objects)


def _sorted(code: MerchantCode) -> MerchantCode:
    """The same code with its objects by id: their order says nothing."""
    return replace(
        code,
        accounts=tuple(sorted(code.accounts, key=lambda one: one.id)),
        templates=tuple(sorted(code.templates, key=lambda one: one.id)),
        reserved=tuple(sorted(code.reserved, key=lambda one: one.id)),
    )


def _loose(code: MerchantCode) -> list[Object | Template]:
    loose: list[Object | Template] = [*code.accounts, *code.templates, *code.reserved]
    if code.additional:
        loose += [*code.additional.templates, *code.additional.reserved]
    return [*loose, *(code.local.reserved if code.local else ())]


def _fits(text: str, most: int) -> None:
    try:
        length = len(text.encode())
    except UnicodeEncodeError as wrong:
        raise Invalid(
            "emvco.text",
            _("“%(value)s” is half a character: the text is not Unicode."),
            field=None,
            value=f"U+{ord(text[wrong.start]):04X}",
        ) from wrong
    if length > most:
        raise Invalid(
            "emvco.too_long",
            _("The code has %(value)s bytes; it may have %(most)s."),
            field=None,
            value=length,
            most=most,
        )


def _typed(values: dict[str, str], objects: tuple[Object, ...]) -> MerchantCode:
    """The value of objects of which each is of its format."""
    _one_of(values, "00", ("01",))
    _one_of(values, "01", (STATIC, DYNAMIC))
    currency = _currency(values["53"])
    _country(values["58"])
    accounts = tuple(one if one.id < "26" else read_template(one) for one in objects if "02" <= one.id <= "51")
    if not accounts:
        require((), ("26",))
    return MerchantCode(
        accounts=accounts,
        currency=currency,
        country=values["58"],
        mcc=values.get("52", ""),
        name=values.get("59", ""),
        city=values.get("60", ""),
        amount=_amount(values["54"], currency, "54") if "54" in values else None,
        dynamic=values["01"] == DYNAMIC if "01" in values else None,
        tip=_tip(values, currency),
        postal_code=values.get("61", ""),
        additional=AdditionalData.read(values["62"]) if "62" in values else None,
        local=LocalName.read(values["64"]) if "64" in values else None,
        templates=tuple(read_template(one) for one in objects if one.id >= "80"),
        reserved=tuple(one for one in objects if "65" <= one.id <= "79"),
        kept=objects,
    )


def _objects(code: MerchantCode) -> Iterable[Object]:
    """What a code is written as, in the order of ids, the checksum (still empty) last."""
    kept = {one.id: one.value for one in code.kept}
    tip = code.tip
    texts = {
        "00": "01",
        "01": "" if code.dynamic is None else DYNAMIC if code.dynamic else STATIC,
        "52": code.mcc,
        "53": _number(code.currency),
        "54": "" if code.amount is None else _amount_text(code.amount, code.currency, "54", kept),
        "55": "" if tip is None else "02" if tip.fixed is not None else "03" if tip.percent is not None else "01",
        "56": "" if tip is None or tip.fixed is None else _amount_text(tip.fixed, code.currency, "56", kept),
        "57": "" if tip is None or tip.percent is None else _percent_text(tip.percent, kept),
        "58": code.country,
        "59": code.name,
        "60": code.city,
        "61": code.postal_code,
    }
    yield Object("00", texts.pop("00"))
    if texts["01"]:
        yield Object("01", texts.pop("01"))
    for account in code.accounts:
        yield account if isinstance(account, Object) else template_object(account)
    yield from (Object(id, value) for id, value in texts.items() if value)
    if code.additional:
        yield code.additional.object()
    if code.local:
        yield code.local.object()
    yield from code.reserved
    yield from (template_object(one) for one in code.templates)
    yield Object("63", "0000")


def _one_of(values: dict[str, str], id: str, allowed: tuple[str, ...]) -> None:
    if id in values and values[id] not in allowed:
        raise Invalid(
            "emvco.value",
            _("“%(value)s” in %(field)s has no meaning; write %(allowed)s."),
            field=id,
            value=values[id],
            allowed=" / ".join(allowed),
        )


def _currency(number: str) -> str:
    if number not in LETTERS:
        raise Invalid(
            "emvco.currency",
            _("“%(value)s” in %(field)s is no currency; write an ISO 4217 number such as 156."),
            field="53",
            value=number,
        )
    return LETTERS[number]


def _number(letters: str) -> str:
    if letters not in NUMBERS:
        raise Invalid(
            "emvco.currency",
            _("“%(value)s” is no currency; write three letters of ISO 4217 such as CNY."),
            field="53",
            value=shown(letters),
        )
    return NUMBERS[letters]


def _country(letters: str) -> None:
    if not re.fullmatch("[A-Z]{2}", letters):
        raise Invalid(
            "emvco.country",
            _("“%(value)s” in %(field)s is no country; write two letters of ISO 3166-1 such as CN."),
            field="58",
            value=letters,
        )


def _amount(text: str, currency: str, id: str) -> int:
    """Minor units of an amount's text: «98.73», «98» and «98.» are amounts, «98,73», «3 705» and «0» are none."""
    try:
        minor = parse_money(text, currency).minor if DECIMAL.fullmatch(text) else 0
    except Invalid:
        minor = 0  # finer than the currency is
    if not minor:
        raise Invalid(
            "emvco.amount",
            _("“%(value)s” in %(field)s is not an amount in %(currency)s; write digits above 0, such as 98.73."),
            field=id,
            value=text,
            currency=currency,
        )
    return minor


def _amount_text(minor: int, currency: str, id: str, kept: dict[str, str]) -> str:
    """As it was spelled, if it still says this, else with all decimals of the currency."""
    if not 0 < minor <= LARGEST:
        raise Invalid(
            "emvco.amount",
            _("“%(value)s” in %(field)s is not an amount in %(currency)s; write minor units above 0."),
            field=id,
            value=minor,
            currency=currency,
        )
    return _kept(kept.get(id), minor, lambda text: _amount(text, currency, id)) or f"{Money(minor, currency).major:f}"


def _tip(values: dict[str, str], currency: str) -> Tip | None:
    """What 55, 56 and 57 say together (section 4.8): each of them only with the others it belongs to."""
    _one_of(values, "55", ("01", "02", "03"))
    said = values.get("55")
    for id, needed in (("56", "02"), ("57", "03")):
        if (id in values) != (said == needed):
            raise Invalid(
                "emvco.tip",
                _("“%(value)s” in 55 does not go with the fee: 02 has a fee in 56, 03 a percentage in 57, 01 neither."),
                field=id,
                value=said or "",
            )
    if said is None:
        return None
    return Tip(
        fixed=_amount(values["56"], currency, "56") if said == "02" else None,
        percent=_percent(values["57"]) if said == "03" else None,
    )


def _percent(text: str) -> Decimal:
    percent = Decimal(text) if DECIMAL.fullmatch(text) else Decimal(0)
    if not Decimal("0.01") <= percent <= Decimal("99.99") or percent != percent.quantize(Decimal("0.01")):
        raise Invalid(
            "emvco.percent",
            _("“%(value)s” in %(field)s is not a percentage; write 00.01 to 99.99, without a sign."),
            field="57",
            value=text,
        )
    return percent


def _percent_text(percent: Decimal, kept: dict[str, str]) -> str:
    return _kept(kept.get("57"), percent, _percent) or f"{percent:f}"


def _kept(text: str | None, value: Any, reading: Callable[[str], Any]) -> str:
    """A text that was read, if under `reading` it says the value; else ""."""
    try:
        return text if text and reading(text) == value else ""
    except Invalid:
        return ""

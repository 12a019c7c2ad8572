"""The parts of a merchant's code that have an inside: templates, additional data, the name in another language, the tip.

Each can be read from data objects and turned into them again. What a part does not know (ids reserved for later) it keeps and
writes again where it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

from .place import in_place
from .tlv import DIGITS, NUMERIC, SPECIAL, STRING, Format, Object, check, path, read, shown, write

ASK = "***"  # in place of a value of the additional data: the payer's app asks for it
GUID = Format(SPECIAL, 1, 32)
ANY = Format(STRING, 1, 99)


@dataclass(frozen=True, slots=True)
class Template:
    """A template of a payment system (26–51 under the root, 80–99, and 50–99 of the additional data): whose it is says the
    globally unique identifier in 00, an AID, a UUID without hyphens or a reversed domain; the rest is that system's."""

    id: str
    objects: tuple[Object, ...]

    @classmethod
    def of(cls, id: str, guid: str, values: Iterable[tuple[str, str]] = ()) -> Template:
        """A template of an identifier and values under their ids: `Template.of("26", "org.example.pay", [("01", "7")])`."""
        return cls(id, (Object("00", guid), *(Object(one, value) for one, value in values)))

    @property
    def guid(self) -> str:
        return self.value("00")

    def value(self, id: str) -> str:
        """The value under an id, "" when there is none."""
        return next((one.value for one in self.objects if one.id == id), "")


@dataclass(frozen=True, slots=True)
class UnionPay:
    """A merchant's account with UnionPay as its objects 15 and 16 have it: the acquirer's and the forwarding institution's
    number of eight digits each, and the merchant's of fifteen characters."""

    acquirer: str
    forwarder: str
    merchant: str

    def object(self, id: str = "15") -> Object:
        """The data object. Invalid: `emvco.union_pay`."""
        one = Object(id, f"{self.acquirer}{self.forwarder}{self.merchant}")
        if id not in ("15", "16") or self != UnionPay.read(one):
            raise Invalid(
                "emvco.union_pay",
                _(
                    "“%(value)s” in %(field)s is no account of UnionPay: in 15 or 16 write eight digits of the acquirer, "
                    "eight of the forwarder, fifteen characters of the merchant."
                ),
                field=id,
                value=shown(one.value),
            )
        return one

    @classmethod
    def read(cls, one: Object) -> UnionPay | None:
        """What object 15 or 16 says, or None when it is not of that form: the numbers of other networks are their own."""
        numbers, merchant = one.value[:16], one.value[16:]
        if one.id not in ("15", "16") or len(one.value) != 31 or not DIGITS.issuperset(numbers):
            return None
        return cls(numbers[:8], numbers[8:], merchant)


@dataclass(frozen=True, slots=True)
class Tip:
    """What comes on top: `fixed` minor units, or `percent` (0.01 to 99.99), or neither: the payer is asked for a tip."""

    fixed: int | None = None
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdditionalData:
    """Template 62. Each text has 1 to 25 characters, or is `ASK`; "" when it is not there. `request`: what the payer's app
    shall send along, of A (address), M (mobile number), E (email). `tax_id` and `channel` came with version 1.1."""

    bill_number: str = ""
    mobile_number: str = ""
    store: str = ""
    loyalty: str = ""
    reference: str = ""
    customer: str = ""
    terminal: str = ""
    purpose: str = ""
    request: str = ""
    tax_id: str = ""
    channel: str = ""
    templates: tuple[Template, ...] = ()
    reserved: tuple[Object, ...] = ()
    kept: tuple[Object, ...] = field(default=(), compare=False, repr=False)

    def object(self) -> Object:
        """The data object. Invalid as `read` would find it."""
        texts = [Object(id, value) for id, (name, _form) in LABELS.items() if (value := str(getattr(self, name)))]
        inside = [*texts, *self.reserved, *(template_object(one, within="62") for one in self.templates)]
        return Object("62", write(in_place(self.kept, inside, _id), within="62"))

    @classmethod
    def read(cls, value: str) -> AdditionalData:
        """From the value of 62. Invalid: `emvco.format`, `emvco.request`, `emvco.template` and what `tlv.read` refuses."""
        objects = read(value, within="62")
        texts = {LABELS[one.id][0]: check(one, LABELS[one.id][1], within="62") for one in objects if one.id in LABELS}
        request = texts.get("request", "")
        if len(set(request)) < len(request) or not set(request) <= set("AME"):
            raise Invalid(
                "emvco.request",
                _("“%(value)s” in %(field)s asks for nothing known; write A, M and E, each at most once."),
                field="62-09",
                value=shown(request),
            )
        others = [one for one in objects if one.id not in LABELS]
        return cls(
            templates=tuple(read_template(one, within="62") for one in others if one.id >= "50"),
            reserved=tuple(_reserved(one, within="62") for one in others if one.id < "50"),
            kept=objects,
            **texts,
        )


LABELS: dict[str, tuple[str, Format]] = {
    "01": ("bill_number", Format(SPECIAL, 1, 25)),
    "02": ("mobile_number", Format(SPECIAL, 1, 25)),
    "03": ("store", Format(SPECIAL, 1, 25)),
    "04": ("loyalty", Format(SPECIAL, 1, 25)),
    "05": ("reference", Format(SPECIAL, 1, 25)),
    "06": ("customer", Format(SPECIAL, 1, 25)),
    "07": ("terminal", Format(SPECIAL, 1, 25)),
    "08": ("purpose", Format(SPECIAL, 1, 25)),
    "09": ("request", Format(SPECIAL, 1, 3)),
    "10": ("tax_id", Format(SPECIAL, 1, 20)),
    "11": ("channel", Format(SPECIAL, 3, 3)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalName:
    """Template 64: the merchant's name and city in the merchant's own language, two letters of ISO 639."""

    language: str
    name: str
    city: str = ""
    reserved: tuple[Object, ...] = ()
    kept: tuple[Object, ...] = field(default=(), compare=False, repr=False)

    def object(self) -> Object:
        """The data object. Invalid as `read` would find it."""
        texts = [("00", self.language), ("01", self.name), ("02", self.city)]
        inside = [*(Object(id, value) for id, value in texts if value), *self.reserved]
        return Object("64", write(in_place(self.kept, inside, _id), within="64"))

    @classmethod
    def read(cls, value: str) -> LocalName:
        """From the value of 64. Invalid: `emvco.missing`, `emvco.format`, `emvco.language`, what `tlv.read` refuses."""
        objects = read(value, within="64")
        found = {one.id: one for one in objects}
        require(found, ("00", "01"), within="64")
        language = check(found["00"], Format(SPECIAL, 2, 2), within="64")
        if not language.isalpha():
            raise Invalid(
                "emvco.language",
                _("“%(value)s” in %(field)s is no language; write two letters of ISO 639, such as ZH."),
                field="64-00",
                value=language,
            )
        return cls(
            language=language,
            name=check(found["01"], Format(STRING, 1, 25), within="64"),
            city=check(found["02"], Format(STRING, 1, 15), within="64") if "02" in found else "",
            reserved=tuple(_reserved(one, within="64") for one in objects if one.id > "02"),
            kept=objects,
        )


def read_template(one: Object, *, within: str = "") -> Template:
    """A template from its object. Invalid: `emvco.missing` without an identifier, `emvco.format`, what `tlv.read` refuses."""
    inside = path(within, one.id)
    objects = read(one.value, within=inside)
    found = {each.id: each for each in objects}
    require(found, ("00",), within=inside)
    check(found["00"], GUID, within=inside)
    for each in objects:
        check(each, ANY, within=inside)
    return Template(one.id, objects)


def template_object(template: Template, *, within: str = "") -> Object:
    """The object of a template. Invalid: `emvco.id`, `emvco.length`."""
    return Object(template.id, write(template.objects, within=path(within, template.id)))


def require(found: Iterable[str], ids: Iterable[str], *, within: str = "") -> None:
    """That the ids are among those found. Invalid: `emvco.missing`."""
    there = set(found)
    for id in ids:
        if id not in there:
            raise Invalid(
                "emvco.missing", _("Data object %(field)s is not there; it has to be."), field=path(within, id)
            )


def _reserved(one: Object, *, within: str) -> Object:
    check(one, ANY, within=within)
    return one


def _id(one: Object) -> str:
    return one.id


ROOT: dict[str, Format] = {
    **{f"{number:02}": Format(SPECIAL, 1, 99) for number in range(2, 52)},
    "00": Format(NUMERIC, 2, 2),
    "01": Format(NUMERIC, 2, 2),
    "52": Format(NUMERIC, 4, 4),
    "53": Format(NUMERIC, 3, 3),
    "54": Format(SPECIAL, 1, 13),
    "55": Format(NUMERIC, 2, 2),
    "56": Format(SPECIAL, 1, 13),
    "57": Format(SPECIAL, 1, 5),
    "58": Format(SPECIAL, 2, 2),
    "59": Format(SPECIAL, 1, 25),
    "60": Format(SPECIAL, 1, 15),
    "61": Format(SPECIAL, 1, 10),
    "63": Format(SPECIAL, 4, 4),
    **{id: ANY for id in ("62", "64", *(f"{number}" for number in range(65, 100)))},
}

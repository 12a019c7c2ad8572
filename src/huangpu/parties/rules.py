"""What a party's facts, a member's roles and a marketplace's settings may be. Pure: no I/O, no clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid, InvalidMany

from .identifiers import Checked, check
from .rights import MARKETPLACE_ROLES, ORGANISATION_ROLES

T = TypeVar("T")

NAME_LENGTH_MAX = 200
IDENTIFIERS_MAX = 10
SECTORS = (
    *("manufacturing", "commodities", "retail", "distribution", "freight", "port"),
    *("express", "banking", "insurance", "wealth", "directory", "travel"),
)
MARKETS = ("posted", "listing", "tender", "auction", "orderbook", "booking", "matching")
LANGUAGES = ("zh-hans", "en")
LEVELS = (0, 1, 2, 3)  # how far an identity is checked: not; the code; the licence; the persons behind it
_web = URLValidator(schemes=["http", "https"])


@dataclass(frozen=True, slots=True)
class Facts:
    """What an organisation says of itself. `identifiers`: (scheme, code) pairs."""

    name: Mapping[str, str]
    country: str = "CN"
    identifiers: tuple[tuple[str, str], ...] = ()
    district: str = ""
    industry: str = ""
    address: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator sets of a marketplace. `fee_ppm`: millionths of a trade's value, borne by the seller."""

    name: Mapping[str, str]
    tagline: Mapping[str, str] = field(default_factory=dict)
    colour: str = "#0b5c8a"
    sectors: tuple[str, ...] = ("manufacturing",)
    currency: str = "CNY"
    zone: str = "Asia/Shanghai"
    language: str = "zh-hans"
    fee_ppm: int = 0
    jurisdiction: str = "CN"
    markets: tuple[str, ...] = MARKETS  # those that are lawful here

    @property
    def profile(self) -> dict[str, Any]:
        return {"jurisdiction": self.jurisdiction, "markets": list(self.markets)}


class Gathered:
    """Runs checks one after the other and raises all that was refused at once."""

    def __init__(self) -> None:
        self.errors: list[Invalid] = []

    def take(self, checked: Callable[[], T]) -> T | None:
        try:
            return checked()
        except InvalidMany as several:
            self.errors.extend(several.errors)
        except Invalid as one:
            self.errors.append(one)
        return None

    def done(self) -> None:
        if len(self.errors) == 1:
            raise self.errors[0]
        if self.errors:
            raise InvalidMany(self.errors)


def names(given: Mapping[str, str], *, field: str = "name", required: bool = True) -> dict[str, str]:
    """A name in languages, trimmed; empty ones are left out.

    Invalid: `parties.name_missing`, `parties.name_language`, `parties.name_too_long`.
    """
    kept = {language.strip().lower(): " ".join(name.split()) for language, name in given.items() if name.strip()}
    if required and not kept:
        raise Invalid("parties.name_missing", _("Write the name, in Chinese or in English."), field=field)
    for language, name in kept.items():
        if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})*", language):
            message = _("“%(value)s” is no language; write zh-hans or en.")
            raise Invalid("parties.name_language", message, field=field, value=language)
        if len(name) > NAME_LENGTH_MAX or "\0" in name:
            message = _("The name has %(length)s characters; at most %(most)s are kept.")
            raise Invalid(
                "parties.name_too_long", message, field=field, value=name[:40], length=len(name), most=NAME_LENGTH_MAX
            )
    return kept


def text(given: str, *, field: str, length_max: int) -> str:
    """A line of text, trimmed. Invalid: `parties.text`."""
    kept = given.strip()
    if len(kept) > length_max or "\0" in kept:
        message = _("This text has %(length)s characters; at most %(most)s are kept.")
        raise Invalid("parties.text", message, field=field, value=kept[:40], length=len(kept), most=length_max)
    return kept


def code(given: str, *, field: str) -> str:
    """A short code such as a district's. Invalid: `parties.code`."""
    kept = given.strip().lower()
    if not re.fullmatch(r"[a-z0-9-]{0,32}", kept):
        message = _("“%(value)s” is no code; write up to 32 small letters, digits and hyphens.")
        raise Invalid("parties.code", message, field=field, value=given[:40])
    return kept


def country(given: str) -> str:
    """ISO 3166-1 alpha-2. Invalid: `parties.country`."""
    kept = given.strip().upper()
    if not re.fullmatch(r"[A-Z]{2}", kept):
        message = _("“%(value)s” is no country; write its two letters, such as CN.")
        raise Invalid("parties.country", message, field="country", value=given[:40])
    return kept


def email(given: str, *, field: str = "email") -> str:
    """An e-mail address, or empty. Invalid: `parties.email`."""
    kept = given.strip()
    try:
        if kept:
            validate_email(kept)
    except ValidationError:
        message = _("“%(value)s” is no e-mail address; write one such as name@example.com.")
        raise Invalid("parties.email", message, field=field, value=kept[:80]) from None
    return kept


def phone(given: str) -> str:
    """A telephone number as people write it, or empty. Invalid: `parties.phone`."""
    kept = " ".join(given.split())
    if kept and not re.fullmatch(r"\+?[0-9 ()/.-]{3,38}(?:\s?(?:x|ext\.?|转)\s?\d{1,6})?", kept):
        message = _("“%(value)s” is no telephone number; write one such as +86 21 1234 5678.")
        raise Invalid("parties.phone", message, field="phone", value=kept[:40])
    return text(kept, field="phone", length_max=40)


def website(given: str) -> str:
    """A web address (http or https only), or empty. Invalid: `parties.website`."""
    kept = given.strip()
    try:
        if kept:
            _web(kept)
    except ValidationError:
        message = _("“%(value)s” is no web address; write one such as https://example.com.")
        raise Invalid("parties.website", message, field="website", value=kept[:80]) from None
    return text(kept, field="website", length_max=200)


def identifiers(given: Iterable[tuple[str, str]]) -> list[Checked]:
    """The codes in their normal form, each once. Invalid as `identifiers.check` says, and `parties.identifiers_many`."""
    gathered, kept = Gathered(), {}
    for scheme, value in list(given)[: IDENTIFIERS_MAX + 1]:
        found = gathered.take(partial(check, scheme, value))
        if found is not None:
            kept[found.scheme, found.value] = found
    gathered.done()
    if len(kept) > IDENTIFIERS_MAX:
        message = _("At most %(most)s codes of an organisation are kept.")
        raise Invalid("parties.identifiers_many", message, field="identifiers", most=IDENTIFIERS_MAX)
    return list(kept.values())


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Facts in the form in which they are stored."""

    columns: dict[str, Any]
    identifiers: list[Checked]


def facts(given: Facts, *, identified: bool = True) -> Cleaned:
    """What an organisation says of itself, checked. All that is wrong is raised at once, each with its field.

    `identified`: a code is required, and of a Chinese organisation its unified social credit code
    (`parties.identifier_missing`): who trades must be somebody that a register knows (电子商务法, article 27).
    """
    gathered = Gathered()
    columns: dict[str, Any] = {
        "name": gathered.take(lambda: names(given.name)),
        "country": gathered.take(lambda: country(given.country)),
        "district": gathered.take(lambda: code(given.district, field="district")),
        "industry": gathered.take(lambda: code(given.industry, field="industry")),
        "address": gathered.take(lambda: text(given.address, field="address", length_max=300)),
        "email": gathered.take(lambda: email(given.email)),
        "phone": gathered.take(lambda: phone(given.phone)),
        "website": gathered.take(lambda: website(given.website)),
    }
    refused = len(gathered.errors)
    found = gathered.take(lambda: identifiers(given.identifiers))
    if identified and refused == len(gathered.errors):  # a code that was refused is not missing as well
        gathered.take(lambda: _identified(columns["country"] or "", found or []))
    gathered.done()
    return Cleaned(columns, found or [])


def _identified(country: str, found: list[Checked]) -> None:
    schemes = {one.scheme for one in found}
    if country == "CN" and "CN-USCC" not in schemes:
        message = _("Write the unified social credit code: 18 characters, on the business licence.")
        raise Invalid("parties.identifier_missing", message, field="value")
    if not schemes:
        message = _("Write the code under which a public register knows the organisation.")
        raise Invalid("parties.identifier_missing", message, field="value")


def roles(given: Iterable[str]) -> list[str]:
    """Roles in an organisation, each once, in the order of the table. Invalid: `parties.role`, `parties.role_missing`."""
    wanted = set(given)
    for role in sorted(wanted - set(ORGANISATION_ROLES)):
        message = _("“%(value)s” is no role; the roles are: %(roles)s.")
        raise Invalid("parties.role", message, field="roles", value=role[:40], roles=", ".join(ORGANISATION_ROLES))
    if not wanted:
        raise Invalid("parties.role_missing", _("Choose at least one role."), field="roles")
    return [role for role in ORGANISATION_ROLES if role in wanted]


def token_roles(given: Iterable[str], *, own: frozenset[str], offices: frozenset[str]) -> list[str]:
    """What a token may do: only what its maker may. `own`: roles in the organisation, `offices`: in the marketplace.

    Invalid: `parties.role`, `parties.role_missing`, `token.more_than_own`.
    """
    wanted = set(given)
    office = [role for role in MARKETPLACE_ROLES if role in wanted]
    listed = roles(wanted - set(office)) if wanted - set(office) or not office else []
    held = set(ORGANISATION_ROLES) if "owner" in own else set(own)
    for role in (*listed, *office):
        if role not in (offices if role in MARKETPLACE_ROLES else held):
            message = _("You do not have the role “%(value)s” here, so a token of yours cannot have it.")
            raise Invalid("token.more_than_own", message, field="roles", value=role)
    return [*listed, *office]


def settings(given: Settings) -> dict[str, Any]:
    """A marketplace's settings as its columns. All that is wrong is raised at once, each with its field."""
    gathered = Gathered()
    columns = {
        "name": gathered.take(lambda: names(given.name)),
        "tagline": gathered.take(lambda: names(given.tagline, field="tagline", required=False)),
        "colour": gathered.take(lambda: _form(given.colour.lower(), "colour", r"#[0-9a-f]{6}", "#0b5c8a")),
        "currency": gathered.take(lambda: _form(given.currency.upper(), "currency", r"[A-Z]{3}", "CNY")),
        "zone": gathered.take(lambda: _one_of(given.zone, "zone", available_timezones(), "Asia/Shanghai")),
        "language": gathered.take(lambda: _one_of(given.language, "language", LANGUAGES)),
        "sectors": gathered.take(lambda: [_one_of(one, "sectors", SECTORS) for one in dict.fromkeys(given.sectors)]),
        "fee_ppm": gathered.take(lambda: fee(given.fee_ppm)),
    }
    place = gathered.take(lambda: country(given.jurisdiction))
    open_markets = gathered.take(lambda: [_one_of(one, "markets", MARKETS) for one in dict.fromkeys(given.markets)])
    gathered.done()
    return {**columns, "profile": {"jurisdiction": place, "markets": open_markets}}


def fee(given: int) -> int:
    """A share in millionths. Invalid: `marketplace.fee`."""
    if not 0 <= given <= 1_000_000:
        message = _("A fee is from 0 to 1,000,000 millionths of a trade's value, not %(value)s.")
        raise Invalid("marketplace.fee", message, field="fee_ppm", value=given)
    return given


def slug(given: str) -> str:
    """The address of a marketplace below /m/. Invalid: `marketplace.slug`."""
    return _form(given.strip(), "slug", r"[a-z][a-z0-9-]{0,38}[a-z0-9]", "steel")


def _form(given: str, field: str, pattern: str, example: str) -> str:
    if not re.fullmatch(pattern, given):
        message = _("“%(value)s” does not have the form of this setting; write for example %(example)s.")
        raise Invalid(f"marketplace.{field}", message, field=field, value=given[:40], example=example)
    return given


def _one_of(given: str, field: str, known: Iterable[str], example: str = "") -> str:
    if given not in known:
        message = _("“%(value)s” is not one of those that there are, such as %(example)s.")
        shown = example or ", ".join(known)
        raise Invalid(f"marketplace.{field}", message, field=field, value=given[:40], example=shown)
    return given


def fee_of_percent(text: str) -> int:
    """A fee as people write it, in percent with up to four decimals, in millionths. Invalid: `marketplace.fee`."""
    kept = text.strip().removesuffix("%").strip() or "0"
    if not re.fullmatch(r"\d{1,3}(\.\d{1,4})?", kept):
        message = _("“%(value)s” is no percentage; write one such as 0.3, with at most four decimals.")
        raise Invalid("marketplace.fee", message, field="fee_ppm", value=text[:40])
    return fee(int(Decimal(kept) * 10_000))


def percent_of_fee(fee_ppm: int) -> str:
    """A fee in millionths as a percentage without needless zeros: 3000 is «0.3»."""
    return f"{(Decimal(fee_ppm) / 10_000).normalize():f}"

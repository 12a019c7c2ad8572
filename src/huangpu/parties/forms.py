"""What the pages of parties have in common: the fields of their forms, and facts in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from huangpu.core.errors import HuangpuError, Refused

from . import gb32100, queries, rules, words
from .identifiers import SCHEMES, is_good
from .models import Identifier, Marketplace, Organisation
from .rights import ROLE_NAMES


def errors_of(error: HuangpuError, *, has_fields: bool = True) -> dict[str, str]:
    """What was wrong, by field; what belongs to none stands under "form". A missing right is not shown in a form: it is
    raised again, for the error page."""
    if isinstance(error, Refused):
        raise error
    return {(one.field if has_fields else None) or "form": str(one) for one in error.each}


def facts_of(form: QueryDict, identifiers: tuple[tuple[str, str], ...] = ()) -> rules.Facts:
    """The fields of a form of facts."""
    given = {name: form.get(name, "") for name in ("district", "industry", "address", "email", "phone", "website")}
    names = {"zh-hans": form.get("name_zh", ""), "en": form.get("name_en", "")}
    return rules.Facts(name=names, country=form.get("country", "CN"), identifiers=identifiers, **given)


def fact_choices() -> dict[str, Any]:
    """What the fields of a form of facts offer."""
    return {
        "industries": [("", "–"), *words.INDUSTRIES.items()],
        "districts": [("", "–"), *words.DISTRICTS.items()],
        "schemes": [(one.code, one.name) for one in SCHEMES.values()],
    }


def code_of(organisation: Organisation) -> str:
    """The code that is shown beside a name: the unified social credit code where there is one."""
    found = sorted(organisation.identifiers.all(), key=lambda one: (one.scheme != "CN-USCC", one.pk))
    return found[0].value if found else ""


def described(identifier: Identifier) -> dict[str, Any]:
    """A code as a page shows it: its scheme's name, what it says, and how far it is checked."""
    says = ""
    if identifier.scheme == "CN-USCC" and is_good(identifier.scheme, identifier.value):
        body = gb32100.parse(identifier.value)
        says = f"{body.authority_name} · {body.category_name}"
    if identifier.verified_at:
        state, about = "done", _("Found in the register")
    elif identifier.scheme not in SCHEMES:
        state, about = "info", _("Not checked here")
    elif is_good(identifier.scheme, identifier.value):
        state, about = "info", _("Well formed")
    else:
        state, about = "late", _("Not a valid code")
    scheme = SCHEMES[identifier.scheme].name if identifier.scheme in SCHEMES else identifier.scheme
    return {"identifier": identifier, "scheme": scheme, "says": says, "state": state, "about": about}


def settings_of(form: QueryDict) -> rules.Settings:
    """The fields of a form of a marketplace's settings. A fee is written in percent with up to four decimals."""
    return rules.Settings(
        name={"zh-hans": form.get("name_zh", ""), "en": form.get("name_en", "")},
        tagline={"zh-hans": form.get("tagline_zh", ""), "en": form.get("tagline_en", "")},
        colour=form.get("colour", ""),
        sectors=tuple(form.getlist("sectors")),
        currency=form.get("currency", "CNY"),
        zone=form.get("zone", "Asia/Shanghai"),
        language=form.get("language", "zh-hans"),
        fee_ppm=rules.fee_of_percent(form.get("fee_percent", "")),
        jurisdiction=form.get("jurisdiction", "CN"),
        markets=tuple(form.getlist("markets")),
    )


def uuids(texts: Iterable[str]) -> list[UUID]:
    """The texts that are UUIDs."""
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def shown_members(organisation_id: UUID) -> list[dict[str, Any]]:
    """Members with their roles in words."""
    return [
        {
            "person": one.person,
            "roles": one.roles,
            "words": [ROLE_NAMES[role] for role in one.roles if role in ROLE_NAMES],
        }
        for one in queries.members_of(organisation_id)
    ]


def fields_of_settings(market: Marketplace | None) -> QueryDict:
    """A marketplace's settings as the fields of its form; of a new one what the rules start from."""
    fields = QueryDict(mutable=True)
    start = rules.Settings(name={})
    source: Any = market or start
    for name in ("colour", "currency", "zone", "language"):
        fields[name] = getattr(source, name)
    for language, short in (("zh-hans", "zh"), ("en", "en")):
        fields[f"name_{short}"] = source.name.get(language, "")
        fields[f"tagline_{short}"] = source.tagline.get(language, "")
    fields["fee_percent"] = rules.percent_of_fee(source.fee_ppm)
    fields["jurisdiction"] = source.profile.get("jurisdiction", "CN")
    fields.setlist("sectors", list(source.sectors))
    fields.setlist("markets", list(source.profile.get("markets", [])))
    return fields


def settings_choices(given: QueryDict) -> dict[str, Any]:
    """The boxes of the settings' form, ticked as given."""

    def boxes(table: Mapping[str, Any], name: str) -> list[tuple[str, Any, bool]]:
        ticked = set(given.getlist(name))
        return [(code, word, code in ticked) for code, word in table.items()]

    return {
        "sector_boxes": boxes(words.SECTORS, "sectors"),
        "market_boxes": boxes(words.MARKETS, "markets"),
        "language_choices": [("zh-hans", "简体中文"), ("en", "English")],
        "tried": given,
    }

"""What may be asked of parties: who is acting, organisations, their members, marketplaces."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db import connection, models
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import row
from huangpu.core.errors import Conflict, NotFound, NotSignedIn, Refused
from huangpu.core.search import query

from .actor import ANONYMOUS, Actor
from .models import ApiToken, Invitation, Marketplace, MarketplaceRole, Membership, Organisation
from .rights import CITY_ROLES, MARKETPLACE_ROLES, ORGANISATION_ROLES

TOKEN_PREFIX = "hp_"

M = TypeVar("M", bound=models.Model)

_ACTOR = """
SELECT person.city_roles, member.organisation_id, member.roles,
       ARRAY(SELECT role FROM parties_marketplacerole r WHERE r.person_id = person.id AND r.marketplace_id = %(marketplace)s),
       EXISTS (SELECT 1 FROM parties_marketplacerole r JOIN parties_marketplace city ON city.id = r.marketplace_id
               WHERE r.person_id = person.id AND r.role = 'operator' AND city.is_city)
FROM parties_person person
LEFT JOIN parties_membership member ON member.person_id = person.id AND member.ended_at IS NULL
WHERE person.id = %(person)s AND person.is_active
ORDER BY coalesce(member.organisation_id = %(organisation)s, false) DESC, member.id
LIMIT 1
"""

_TOKEN = """
SELECT token.id, token.organisation_id, token.marketplace_id, token.roles, person.id, member.roles, person.city_roles,
       ARRAY(SELECT role FROM parties_marketplacerole r
             WHERE r.person_id = person.id AND r.marketplace_id = token.marketplace_id)
FROM parties_apitoken token
JOIN parties_person person ON person.id = token.created_by_id AND person.is_active
JOIN parties_membership member ON member.person_id = person.id AND member.organisation_id = token.organisation_id
                              AND member.ended_at IS NULL
WHERE token.secret_hash = %s AND token.revoked_at IS NULL
"""


def actor_for(
    *, person_id: UUID | None, organisation_id: UUID | None = None, marketplace_id: UUID | None = None
) -> Actor:
    """Who acts when this person does: for that organisation if a member of it, else for the first it joined; with the
    roles that follow there, in the marketplace and in the city. Nobody, or a closed account, is ANONYMOUS. One statement.
    """
    if person_id is None:
        return Actor(None, None, marketplace_id) if marketplace_id else ANONYMOUS
    found = row(_ACTOR, {"person": person_id, "organisation": organisation_id, "marketplace": marketplace_id})
    if found is None:
        return Actor(None, None, marketplace_id) if marketplace_id else ANONYMOUS
    city_roles, organisation, roles, market_roles, operates_city = found
    return Actor(
        person_id=person_id,
        organisation_id=organisation,
        marketplace_id=marketplace_id,
        roles=_known(roles, ORGANISATION_ROLES),
        market_roles=frozenset(market_roles),
        city_roles=_known(city_roles, CITY_ROLES) | ({"operator"} if operates_city else frozenset()),
    )


def _known(stored: Any, known: tuple[str, ...]) -> frozenset[str]:
    """A stored JSON list of roles; a role that does not exist (any more) gives nothing."""
    listed = json.loads(stored) if isinstance(stored, str) else stored
    return frozenset(listed or ()) & frozenset(known)


@dataclass(frozen=True, slots=True)
class TokenActor:
    """Who acts by a token, and which token it is."""

    token_id: UUID
    actor: Actor


def secret_hash(secret: str) -> bytes:
    """What is kept of a token: SHA-256 of its whole text. It holds 256 bits of chance, so no salt is needed."""
    return hashlib.sha256(secret.encode()).digest()


def actor_for_token(secret: str, *, marketplace_id: UUID | None) -> TokenActor:
    """Who acts when this token is shown: its organisation on its marketplace, with the token's roles as far as its maker
    still has them. One statement. Raises NotSignedIn `token.unknown`, or Refused `token.other_marketplace`.
    """
    found = row(_TOKEN, [secret_hash(secret)]) if secret.startswith(TOKEN_PREFIX) else None
    if found is None:
        message = _("This token is not known here, has been revoked, or its maker has left the organisation.")
        raise NotSignedIn("token.unknown", message, field="Authorization")
    token_id, organisation_id, bound_to, roles, person_id, maker_roles, _city, offices = found
    if marketplace_id is not None and marketplace_id != bound_to:
        raise Refused(
            "token.other_marketplace",
            _(
                "This token was made for another marketplace. Make one for this marketplace in the organisation's settings."
            ),
            field="Authorization",
        )
    given = _known(roles, (*ORGANISATION_ROLES, *MARKETPLACE_ROLES))
    own = _known(maker_roles, ORGANISATION_ROLES)
    actor = Actor(
        person_id=person_id,
        organisation_id=organisation_id,
        marketplace_id=bound_to,
        roles=given & frozenset(ORGANISATION_ROLES) if "owner" in own else given & own,
        market_roles=given & frozenset(offices),
    )
    return TokenActor(token_id, actor)


def city() -> Marketplace:
    """The city's own marketplace. Conflict `marketplace.no_city` before the city is founded."""
    found = Marketplace.objects.select_related("operator").filter(is_city=True).first()
    if found is None:
        raise Conflict(
            "marketplace.no_city", _("The city has not been founded yet: run `huangpu demo`, or found it first.")
        )
    return found


def city_id() -> UUID:
    """The marketplace in whose log stands what concerns no single market."""
    found = Marketplace.objects.filter(is_city=True).values_list("pk", flat=True).first()
    return found or city().pk


def marketplaces(*, with_city: bool = False) -> QuerySet[Marketplace]:
    """The marketplaces with their operators, newest first; the city's own only when asked for."""
    found = Marketplace.objects.select_related("operator")
    return found if with_city else found.filter(is_city=False)


def offices(marketplace_id: UUID) -> QuerySet[MarketplaceRole]:
    """Who operates a marketplace and who arbitrates in it."""
    held = MarketplaceRole.objects.filter(marketplace_id=marketplace_id).select_related("person")
    return held.order_by("-role", "person__username")


def organisation(organisation_id: UUID) -> Organisation:
    """An organisation with its identifiers. NotFound `parties.organisation_unknown`."""
    found = Organisation.objects.prefetch_related("identifiers").filter(pk=organisation_id).first()
    if found is None:
        message = _("There is no such organisation here.")
        raise NotFound("parties.organisation_unknown", message, value=str(organisation_id))
    return found


def search_organisations(text: str = "", *, country: str = "", imported: bool | None = None) -> QuerySet[Organisation]:
    """Organisations whose names and codes hold every word of the text (Chinese by pairs of characters)."""
    found = Organisation.objects.prefetch_related("identifiers")
    if asked := query(text):
        found = found.filter(search=SearchQuery(asked, search_type="raw", config="simple"))
    elif text.strip():
        return found.none()
    if country:
        found = found.filter(country=country.upper())
    return found if imported is None else found.filter(imported=imported)


def memberships_of(person_id: UUID) -> QuerySet[Membership]:
    """The organisations that a person belongs to, the first joined first."""
    own = Membership.objects.filter(person_id=person_id, ended_at__isnull=True).select_related("organisation")
    return own.order_by("pk")


def members_of(organisation_id: UUID) -> QuerySet[Membership]:
    """Who belongs to an organisation, the first joined first."""
    held = Membership.objects.filter(organisation_id=organisation_id, ended_at__isnull=True).select_related("person")
    return held.order_by("pk")


def invitations_of(organisation_id: UUID, *, now: datetime) -> QuerySet[Invitation]:
    """The invitations that somebody can still accept."""
    held = Invitation.objects.filter(organisation_id=organisation_id, ended_at__isnull=True, expires_at__gt=now)
    return held.select_related("invited_by").order_by("pk")


def invitation_by(secret: str, *, now: datetime) -> Invitation | None:
    """The invitation behind a link, while somebody can still accept it."""
    held = Invitation.objects.filter(secret_hash=secret_hash(secret), ended_at__isnull=True, expires_at__gt=now)
    return held.select_related("organisation", "invited_by").first()


def tokens_of(organisation_id: UUID) -> QuerySet[ApiToken]:
    """The tokens of an organisation that are in use."""
    held = ApiToken.objects.filter(organisation_id=organisation_id, revoked_at__isnull=True)
    return held.select_related("marketplace", "created_by").order_by("pk")


def marketplace_by_slug(slug: str) -> Marketplace | None:
    """The marketplace with its operator, or None. Asked by every request, so in plain SQL: the ORM costs it a millisecond."""
    market, operator = Marketplace._meta.concrete_fields, Organisation._meta.concrete_fields
    found = row(_marketplace_sql(), [slug])
    if found is None:
        return None
    made = _instance(Marketplace, market, found[: len(market)])
    made.operator = _instance(Organisation, operator, found[len(market) :])
    return made


@cache
def _marketplace_sql() -> str:
    columns = [f"m.{field.column}" for field in Marketplace._meta.concrete_fields]
    columns += [f"o.{field.column}" for field in Organisation._meta.concrete_fields]
    return (
        f"SELECT {', '.join(columns)} FROM parties_marketplace m JOIN parties_organisation o ON o.id = m.operator_id"
        " WHERE m.slug = %s"
    )


def _instance(model: type[M], fields: Sequence[Any], values: Sequence[Any]) -> M:
    read = [
        field.from_db_value(value, None, connection) if hasattr(field, "from_db_value") else value
        for field, value in zip(fields, values, strict=True)
    ]
    return model.from_db("default", [field.attname for field in fields], read)

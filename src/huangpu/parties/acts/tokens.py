"""API tokens: made with some of one's own roles, shown once, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid, NotFound, Refused

from .. import rules
from ..actor import Actor
from ..models import ApiToken, Marketplace, MarketplaceRole
from ..queries import TOKEN_PREFIX, secret_hash
from ..rights import require
from .writing import write_event

TOKENS_MAX = 100  # that are not revoked, of one organisation


@act
def create_token(
    *, actor: Actor, marketplace_id: UUID, name: str, roles: Iterable[str], now: datetime
) -> tuple[ApiToken, str]:
    """Makes a token for the organisation one acts for, on one marketplace, with some of one's own roles. Returns it and
    its secret (`hp_…`), which is kept nowhere: only its SHA-256 is.

    Invalid: `token.name`, `parties.role…`, `token.more_than_own`; NotFound `marketplace.unknown`; Conflict `token.many`.
    """
    require(actor, "parties.create_token")
    if actor.person_id is None or actor.organisation_id is None:
        raise Refused("parties.no_person", _("A member makes a token, for an organisation."), field="actor")
    kept_name = rules.text(name, field="name", length_max=100)
    if not kept_name:
        raise Invalid("token.name", _("Write what the token is for, so that you know it again."), field="name")
    if not Marketplace.objects.filter(pk=marketplace_id).exists():
        message = _("There is no such marketplace.")
        raise NotFound("marketplace.unknown", message, field="marketplace", value=str(marketplace_id))
    offices = frozenset(
        MarketplaceRole.objects.filter(marketplace_id=marketplace_id, person_id=actor.person_id).values_list(
            "role", flat=True
        )
    )
    kept_roles = rules.token_roles(roles, own=actor.roles, offices=offices)
    if ApiToken.objects.filter(organisation_id=actor.organisation_id, revoked_at__isnull=True).count() >= TOKENS_MAX:
        message = _("%(most)s tokens are in use already; revoke some first.")
        raise Conflict("token.many", message, most=TOKENS_MAX)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        organisation_id=actor.organisation_id,
        marketplace_id=marketplace_id,
        created_by_id=actor.person_id,
        name=kept_name,
        roles=kept_roles,
        secret_hash=secret_hash(secret),
        created_at=now,
    )
    payload = {"token": str(token.pk), "roles": kept_roles}
    subject, audience = ("organisation", actor.organisation_id), (actor.organisation_id,)
    write_event(actor, "token.created", subject, payload, now=now, audience=audience, marketplace_id=marketplace_id)
    return token, secret


@act
def revoke_token(*, actor: Actor, token_id: UUID, now: datetime) -> None:
    """Ends a token: one's own, or as owner any of the organisation. Ending it twice is fine.

    NotFound `token.unknown_id`; Refused `token.not_yours`.
    """
    require(actor, "parties.revoke_token")
    token = ApiToken.objects.select_for_update(no_key=True).filter(pk=token_id).first()
    if token is None or (token.organisation_id != actor.organisation_id and not actor.is_system):
        raise NotFound("token.unknown_id", _("There is no such token."), field="token", value=str(token_id))
    if token.created_by_id != actor.person_id and not actor.has("owner"):
        message = _("Somebody else made this token: its maker or an owner revokes it.")
        raise Refused("token.not_yours", message, field="token", value=str(token_id))
    if token.revoked_at is not None:
        return
    token.revoked_at = now
    token.save(update_fields=["revoked_at"])
    subject, payload = ("organisation", token.organisation_id), {"token": str(token.pk)}
    audience, market = (token.organisation_id,), token.marketplace_id
    write_event(actor, "token.revoked", subject, payload, now=now, audience=audience, marketplace_id=market)

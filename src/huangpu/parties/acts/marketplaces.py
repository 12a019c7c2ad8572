"""Marketplaces: the city founded, markets opened and configured, offices given and taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, lock
from huangpu.core.errors import Conflict, Invalid, NotFound

from .. import rules
from ..actor import Actor
from ..models import Marketplace, MarketplaceRole, Person
from ..rights import MARKETPLACE_ROLES, require
from .organisations import create, locked, write_registered
from .writing import write_event


@act
def found_city(
    *, actor: Actor, operator: rules.Facts, settings: rules.Settings, slug: str = "city", now: datetime
) -> Marketplace:
    """The first act of an installation: the city's own marketplace with its operator. Only the house does it, once.

    Conflict `marketplace.city_exists`; Invalid as `rules.settings` and `rules.facts` say.
    """
    require(actor, "parties.found_city")
    if Marketplace.objects.filter(is_city=True).exists():
        raise Conflict("marketplace.city_exists", _("The city has been founded already."))
    columns, cleaned = rules.settings(settings), rules.facts(operator)
    house = create(cleaned, imported=False, now=now)
    city = Marketplace.objects.create(slug=rules.slug(slug), operator=house, is_city=True, created_at=now, **columns)
    write_registered(actor, house, cleaned, now=now)
    write_event(actor, "marketplace.opened", ("marketplace", city.pk), _said(city), now=now, marketplace_id=city.pk)
    return city


@act
def open_marketplace(
    *, actor: Actor, slug: str, operator_id: UUID, settings: rules.Settings, now: datetime
) -> Marketplace:
    """Opens a marketplace at /m/<slug>/, operated by an organisation; its operators are named afterwards.

    Invalid: `marketplace.slug` and as `rules.settings` says; Conflict `marketplace.slug_taken`; NotFound
    `parties.organisation_unknown`.
    """
    require(actor, "parties.open_marketplace")
    gathered = rules.Gathered()
    kept_slug = gathered.take(lambda: rules.slug(slug))
    columns = gathered.take(lambda: rules.settings(settings)) or {}
    gathered.done()
    locked(operator_id)
    market = Marketplace(slug=kept_slug or "", operator_id=operator_id, created_at=now, **columns)
    if (
        not Marketplace.objects.bulk_create([market], ignore_conflicts=True)
        or not Marketplace.objects.filter(pk=market.pk).exists()
    ):
        message = _("The address “%(value)s” is taken; choose another.")
        raise Conflict("marketplace.slug_taken", message, field="slug", value=slug)
    write_event(
        actor, "marketplace.opened", ("marketplace", market.pk), _said(market), now=now, marketplace_id=market.pk
    )
    return market


@act
def configure_marketplace(
    *, actor: Actor, marketplace_id: UUID, settings: rules.Settings, now: datetime
) -> Marketplace:
    """Changes a marketplace's look, language, sectors, fee and rule profile. What was agreed before keeps its terms.

    Invalid as `rules.settings` says; Conflict `marketplace.currency` when trade has begun in another currency.
    """
    require(actor, "parties.configure_marketplace", marketplace_id=marketplace_id)
    columns = rules.settings(settings)
    market = _locked_market(marketplace_id)
    if columns["currency"] != market.currency:
        message = _("The currency of a marketplace stays: its accounts are kept in %(value)s.")
        raise Conflict("marketplace.currency", message, field="currency", value=market.currency)
    changed = {name: value for name, value in columns.items() if getattr(market, name) != value}
    if not changed:
        return market
    for name, value in changed.items():
        setattr(market, name, value)
    market.save(update_fields=list(changed))
    subject = ("marketplace", marketplace_id)
    write_event(actor, "marketplace.configured", subject, {"changed": changed}, now=now, marketplace_id=marketplace_id)
    return market


@act
def grant_marketplace_role(
    *, actor: Actor, marketplace_id: UUID, person_id: UUID, role: str, now: datetime
) -> MarketplaceRole:
    """Makes a person operator or arbiter of a marketplace. Granting it twice changes nothing.

    Invalid: `marketplace.role`; NotFound `parties.person_unknown`, `marketplace.unknown`.
    """
    require(actor, "parties.grant_marketplace_role", marketplace_id=marketplace_id)
    if role not in MARKETPLACE_ROLES:
        message = _("“%(value)s” is no office of a marketplace; the offices are operator and arbiter.")
        raise Invalid("marketplace.role", message, field="role", value=role[:40])
    _locked_market(marketplace_id)
    if not Person.objects.filter(pk=person_id, is_active=True).exists():
        raise NotFound(
            "parties.person_unknown", _("There is no such person here."), field="person", value=str(person_id)
        )
    held, is_new = MarketplaceRole.objects.get_or_create(marketplace_id=marketplace_id, person_id=person_id, role=role)
    if is_new:
        _office_event(actor, "marketplace.role_granted", marketplace_id, person_id, role, now)
    return held


@act
def revoke_marketplace_role(*, actor: Actor, marketplace_id: UUID, person_id: UUID, role: str, now: datetime) -> None:
    """Ends an office; ending it twice is fine. Conflict `marketplace.last_operator`."""
    require(actor, "parties.revoke_marketplace_role", marketplace_id=marketplace_id)
    _locked_market(marketplace_id)
    held = MarketplaceRole.objects.filter(marketplace_id=marketplace_id, role=role)
    if not held.filter(person_id=person_id).exists():
        return
    if role == "operator" and held.count() == 1:
        message = _("This is the only operator. Make somebody else an operator first.")
        raise Conflict("marketplace.last_operator", message, field="role")
    held.filter(person_id=person_id).delete()
    _office_event(actor, "marketplace.role_revoked", marketplace_id, person_id, role, now)


def _office_event(actor: Actor, kind: str, market: UUID, person_id: UUID, role: str, now: datetime) -> None:
    operator_id = Marketplace.objects.values_list("operator_id", flat=True).get(pk=market)
    payload = {"person": str(person_id), "role": role}
    write_event(actor, kind, ("marketplace", market), payload, now=now, audience=(operator_id,), marketplace_id=market)


def _said(market: Marketplace) -> dict[str, Any]:
    return {
        "slug": market.slug,
        "name": market.name,
        "operator": str(market.operator_id),
        "sectors": market.sectors,
        "currency": market.currency,
        "fee_ppm": market.fee_ppm,
        "profile": market.profile,
    }


def _locked_market(marketplace_id: UUID) -> Marketplace:
    found = lock(Marketplace, [marketplace_id])
    if marketplace_id not in found:
        raise NotFound("marketplace.unknown", _("There is no such marketplace."), value=str(marketplace_id))
    return found[marketplace_id]

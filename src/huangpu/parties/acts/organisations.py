"""Organisations: registered, edited, identified, verified, taken over from published data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act, execute, lock
from huangpu.core.errors import Conflict, Invalid, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.search import bigrams

from .. import rules
from ..actor import Actor
from ..identifiers import Checked, check
from ..models import Identifier, Membership, Organisation
from ..rights import require
from .writing import write_event


@act
def register_organisation(*, actor: Actor, facts: rules.Facts, now: datetime) -> Organisation:
    """Registers an organisation; the person becomes its owner (the house by itself makes no owner).

    Invalid as `rules.facts` says (several at once: InvalidMany); Conflict `parties.identifier_taken`.
    """
    require(actor, "parties.register_organisation")
    cleaned = rules.facts(facts)
    organisation = create(cleaned, imported=False, now=now)
    if actor.person_id is not None:
        Membership.objects.create(organisation=organisation, person_id=actor.person_id, roles=["owner"])
    write_registered(actor, organisation, cleaned, now=now)
    return organisation


def create(cleaned: rules.Cleaned, *, imported: bool, now: datetime) -> Organisation:
    """The rows of a new organisation, and what the search finds it by. Conflict `parties.identifier_taken`."""
    organisation = Organisation.objects.create(**cleaned.columns, imported=imported, created_at=now)
    _keep_identifiers(organisation, cleaned.identifiers)
    index(organisation)
    return organisation


def write_registered(actor: Actor, organisation: Organisation, cleaned: rules.Cleaned, *, now: datetime) -> None:
    """The event of a new organisation."""
    payload = {"name": organisation.name, "country": organisation.country, "identifiers": _listed(cleaned.identifiers)}
    kind = "organisation.imported" if organisation.imported else "organisation.registered"
    write_event(actor, kind, ("organisation", organisation.pk), payload, now=now)


@act
def import_organisation(*, actor: Actor, facts: rules.Facts, now: datetime) -> tuple[Organisation, bool]:
    """An organisation known from published data: the one that already carries one of the codes, else a new one marked
    `imported`. Returns it and whether it is new. Nobody becomes its member, and a known one is not changed.

    Invalid as `rules.facts` says; Conflict `parties.identifiers_differ` when the codes belong to different ones.
    """
    require(actor, "parties.import_organisation")
    cleaned = rules.facts(facts, identified=False)
    known: set[UUID] = set()
    for one in cleaned.identifiers:
        known.update(
            Identifier.objects.filter(scheme=one.scheme, value=one.value).values_list("organisation_id", flat=True)
        )
    if len(known) > 1:
        message = _("These codes belong to different organisations here.")
        raise Conflict("parties.identifiers_differ", message, field="identifiers")
    if known:
        return Organisation.objects.get(pk=known.pop()), False
    organisation = create(cleaned, imported=True, now=now)
    write_registered(actor, organisation, cleaned, now=now)
    return organisation, True


@act
def edit_organisation(*, actor: Actor, organisation_id: UUID, facts: rules.Facts, now: datetime) -> Organisation:
    """Changes what an organisation says of itself; its codes stay (`facts.identifiers` is not read).

    A change of name or country takes the verification back to the codes. Invalid as `rules.facts` says.
    """
    require(actor, "parties.edit_organisation", organisation_id=organisation_id)
    columns = rules.facts(facts, identified=False).columns
    organisation = locked(organisation_id)
    changed = {name: value for name, value in columns.items() if getattr(organisation, name) != value}
    if not changed:
        return organisation
    if {"name", "country"} & set(changed) and organisation.verification > 1:
        changed["verification"] = 1
    for name, value in changed.items():
        setattr(organisation, name, value)
    organisation.save(update_fields=list(changed))
    index(organisation)
    write_event(actor, "organisation.edited", ("organisation", organisation_id), {"changed": changed}, now=now)
    return organisation


@act
def add_identifier(*, actor: Actor, organisation_id: UUID, scheme: str, value: str, now: datetime) -> Identifier:
    """Adds a register's code. Adding one that is there already changes nothing.

    Invalid as `identifiers.check` says, `parties.identifiers_many`; Conflict `parties.identifier_taken`.
    """
    require(actor, "parties.add_identifier", organisation_id=organisation_id)
    checked = check(scheme, value)
    organisation = locked(organisation_id)
    own = list(Identifier.objects.filter(organisation=organisation))
    for one in own:
        if (one.scheme, one.value) == (checked.scheme, checked.value):
            return one
    if len(own) >= rules.IDENTIFIERS_MAX:
        message = _("At most %(most)s codes of an organisation are kept.")
        raise Invalid("parties.identifiers_many", message, field="value", most=rules.IDENTIFIERS_MAX)
    _keep_identifiers(organisation, [checked])
    index(organisation)
    payload = {"identifiers": _listed([checked])}
    write_event(actor, "identifier.added", ("organisation", organisation_id), payload, now=now)
    return Identifier.objects.get(scheme=checked.scheme, value=checked.value)


@act
def verify_organisation(
    *,
    actor: Actor,
    organisation_id: UUID,
    level: int,
    identifier_ids: Iterable[UUID] = (),
    note: str = "",
    now: datetime,
) -> Organisation:
    """Says how far an identity has been checked, and which of the codes were found in their registers.

    Levels: 0 not checked, 1 the codes in their registers, 2 the licence or deed as well, 3 the persons behind it as well.
    Invalid: `parties.level`, `parties.level_without_code`; Refused: `parties.verify_self`.
    """
    require(actor, "parties.verify_organisation", marketplace_id=actor.marketplace_id)
    if actor.organisation_id == organisation_id and not actor.is_system:
        message = _("Nobody verifies the organisation they act for: another operator does.")
        raise Refused("parties.verify_self", message, field="actor")
    if level not in rules.LEVELS:
        message = _("“%(value)s” is no level of verification; the levels are 0, 1, 2 and 3.")
        raise Invalid("parties.level", message, field="level", value=level)
    kept_note = rules.text(note, field="note", length_max=500)
    organisation = locked(organisation_id)
    found = list(Identifier.objects.filter(organisation=organisation, pk__in=list(identifier_ids)))
    if (
        level
        and not found
        and not Identifier.objects.filter(organisation=organisation, verified_at__isnull=False).exists()
    ):
        message = _("Choose the code that was found in its register: without one, nobody is verified.")
        raise Invalid("parties.level_without_code", message, field="identifiers", value=level)
    Identifier.objects.filter(pk__in=[one.pk for one in found]).update(verified_at=now)
    if level == 0:
        Identifier.objects.filter(organisation=organisation).update(verified_at=None)
    organisation.verification = level
    organisation.save(update_fields=["verification"])
    write_event(
        actor,
        "organisation.verified",
        ("organisation", organisation_id),
        {"level": level, "identifiers": [[one.scheme, one.value] for one in found], "note": kept_note},
        now=now,
        audience=(organisation_id, *([actor.organisation_id] if actor.organisation_id else [])),
    )
    return organisation


def index(organisation: Organisation) -> None:
    """Writes what the search finds an organisation by: its names and codes."""
    codes = Identifier.objects.filter(organisation=organisation).values_list("value", flat=True)
    words = bigrams(" ".join([*organisation.name.values(), *codes]))
    execute(
        "UPDATE parties_organisation SET search = to_tsvector('simple', %s) WHERE id = %s", [words, organisation.pk]
    )


def locked(organisation_id: UUID) -> Organisation:
    """The organisation, held until the act ends. NotFound `parties.organisation_unknown`."""
    found = lock(Organisation, [organisation_id])
    if organisation_id not in found:
        raise NotFound(
            "parties.organisation_unknown", _("There is no such organisation here."), value=str(organisation_id)
        )
    return found[organisation_id]


def _listed(found: Iterable[Checked]) -> list[list[str]]:
    return [[one.scheme, one.value] for one in found]


def _keep_identifiers(organisation: Organisation, found: list[Checked]) -> None:
    """The unique constraint decides who has a code; who comes second is told so."""
    if not found:
        return
    wanted: list[Any] = [
        Identifier(id=uuid7(), organisation=organisation, scheme=c.scheme, value=c.value) for c in found
    ]
    Identifier.objects.bulk_create(wanted, ignore_conflicts=True)
    kept = set(Identifier.objects.filter(pk__in=[one.pk for one in wanted]).values_list("scheme", "value"))
    for one in found:
        if (one.scheme, one.value) not in kept:
            message = _("“%(value)s” is registered here already. If it is your organisation, ask its owner to add you.")
            raise Conflict("parties.identifier_taken", message, field="value", value=one.value, scheme=one.scheme)

"""Bringing a file of published procurement data in, as history."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from huangpu.core.clock import rfc3339
from huangpu.core.db import act
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, record
from huangpu.parties.actor import Actor
from huangpu.parties.models import Identifier, Organisation
from huangpu.parties.rights import require

from . import rows
from .models import Award, Bid, Contract, Document, Item, Lot, Party, Procedure
from .standards.ocds import values
from .standards.ocds.report import Report

OWN_REGISTER = "CN-USCC"  # a published file never makes an organisation of the register the city itself verifies
PARTS = (Party, Lot, Bid, Award, Contract, Item, Document)


@dataclass(slots=True)
class Outcome:
    """What one file did: ocids by what became of them, how many parts it holds, and the reader's report."""

    imported: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    older: list[str] = field(default_factory=list)  # what is kept is newer: left as it is
    counts: Counter[str] = field(default_factory=Counter)  # of everything the file holds, changed or not
    report: Report = field(default_factory=Report)


@act
def import_file(*, actor: Actor, marketplace_id: UUID, file: str, imported: values.Imported, now: datetime) -> Outcome:
    """Keeps every procedure of a file (as `standards.ocds.read.read` gave it): all in one transaction.

    A procedure that is there already with the same content is left alone; with an older release, left as it is; with
    another, replaced as a whole. Events history.imported and history.updated, public. Organisations that a register's
    identifier names are linked, and made (`imported`) when unknown. Refuses with the codes of `parties.rights.require`.
    """
    require(actor, "history.import", marketplace_id=marketplace_id)
    outcome = Outcome(counts=Counter(imported.counts()), report=imported.report)
    known = {
        each.ocid: each
        for each in Procedure.objects.select_for_update(no_key=True)
        .filter(marketplace_id=marketplace_id, ocid__in=[each.ocid for each in imported.procedures])
        .order_by("pk")
    }
    changed = [each for each in imported.procedures if _differs(each, known.get(each.ocid), outcome)]
    organisations = _organisations(changed)
    events = []
    for procedure in changed:
        old = known.get(procedure.ocid)
        id = _write(procedure, old, marketplace_id, organisations, imported.publisher, file, now)
        kind = "history.updated" if old else "history.imported"
        events.append(
            NewEvent(
                kind=kind,
                marketplace_id=marketplace_id,
                subject_type="history",
                subject_id=id,
                occurred_at=now,
                payload=_said(procedure, file),
                actor_id=actor.person_id,
                organisation_id=actor.organisation_id,
            )
        )
    record(events)
    return outcome


def _differs(procedure: values.Procedure, old: Procedure | None, outcome: Outcome) -> bool:
    """Whether it has to be written; says in the outcome what becomes of it."""
    if old is None:
        outcome.imported.append(procedure.ocid)
        return True
    if bytes(old.digest) == rows.digest(procedure):
        outcome.unchanged.append(procedure.ocid)
        return False
    if old.released_at and (procedure.released_at is None or procedure.released_at < old.released_at):
        outcome.older.append(procedure.ocid)
        return False
    outcome.updated.append(procedure.ocid)
    return True


def _write(
    procedure: values.Procedure,
    old: Procedure | None,
    marketplace_id: UUID,
    organisations: dict[values.Identifier, UUID],
    publisher: str,
    file: str,
    now: datetime,
) -> UUID:
    fields = rows.procedure_fields(procedure) | {"publisher": publisher, "file": file[:300], "updated_at": now}
    if old:
        for model in PARTS:
            model._default_manager.filter(procedure=old).delete()
        Procedure.objects.filter(pk=old.pk).update(**fields)
        id = old.pk
    else:
        id = uuid7()
        Procedure.objects.create(id=id, marketplace_id=marketplace_id, ocid=procedure.ocid, imported_at=now, **fields)
    linked = {
        party.id: organisations[identifier]
        for party in procedure.parties
        for identifier in reversed(party.identifiers)
        if identifier in organisations
    }
    for batch in rows.part_rows(procedure, id, linked):
        if batch:
            type(batch[0])._default_manager.bulk_create(batch, batch_size=1000)
    return id


def _organisations(procedures: list[values.Procedure]) -> dict[values.Identifier, UUID]:
    """The organisation of each identifier that parties give; those unknown are made, at the lowest verification."""
    parties = [party for procedure in procedures for party in procedure.parties if party.identifiers]
    wanted = {identifier for party in parties for identifier in party.identifiers}
    found = {
        values.Identifier(each.scheme, each.value): each.organisation_id
        for each in Identifier.objects.filter(value__in={each.value for each in wanted})
    }
    new_organisations: list[Organisation] = []
    new_identifiers: list[Identifier] = []
    for party in parties:
        main = party.identifiers[0]
        if main in found or main.scheme == OWN_REGISTER or not party.name:
            continue
        organisation = Organisation(name=party.name, country=_country(main.scheme), imported=True)
        new_organisations.append(organisation)
        new_identifiers.append(Identifier(organisation=organisation, scheme=main.scheme, value=main.value))
        found[main] = organisation.pk
    Organisation.objects.bulk_create(new_organisations, batch_size=1000)
    Identifier.objects.bulk_create(sorted(new_identifiers, key=lambda each: (each.scheme, each.value)), batch_size=1000)
    return {identifier: id for identifier, id in found.items() if identifier in wanted}


def _country(scheme: str) -> str:
    """An org-id.guide list begins with its country's code (UA-EDR); XI and XM lists are of no country, here «ZZ»."""
    code, dash, _ = scheme.partition("-")
    return code if dash and len(code) == 2 and code.isalpha() and code.isupper() and code not in ("XI", "XM") else "ZZ"


def _said(procedure: values.Procedure, file: str) -> dict[str, Any]:
    return {
        "ocid": procedure.ocid,
        "file": file[:300],
        "digest": rows.digest(procedure).hex(),
        "released_at": rfc3339(procedure.released_at) if procedure.released_at else None,
        "parties": len(procedure.parties),
        "items": len(procedure.tender.items),
        "bids": len(procedure.bids),
        "awards": len(procedure.awards),
    }

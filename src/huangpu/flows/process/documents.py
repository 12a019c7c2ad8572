"""The documents of a trade: the delivery note behind a delivery, the invoice's PDF, the inspector's report.

A trade keeps no list of them: the event that brought a document names it, with its hash, and so does the log for ever. Who
may read it is the document's own audience; attached to a trade, it is for all parties of that trade.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Invalid, NotFound, Refused
from huangpu.core.log.models import Event
from huangpu.core.log.record import NewEvent, record
from huangpu.flows.information import acts as information
from huangpu.flows.information import queries as library
from huangpu.flows.information.models import Document
from huangpu.parties.actor import Actor
from huangpu.parties.models import Person
from huangpu.parties.rights import require

from . import rights, store
from .rules import Trade

GIVEN_MAX = 10  # with one act

# what a document is; the names are those of UN/CEFACT's code list 1001 (document name), its codes beside them
KINDS: dict[str, Any] = {
    "delivery_note": _("Delivery note"),  # 270
    "packing_list": _("Packing list"),  # 271
    "invoice": _("Invoice"),  # 380
    "test_report": _("Inspection report"),  # 4
    "certificate": _("Certificate of quality or conformity"),  # 3, 2
    "contract": _("Contract"),  # 315
    "other": _("Other document"),  # 916, a related document
}
KIND_OF: Mapping[str, str] = {  # by verb, or by option: what a document that comes with it most likely is
    "deliver": "delivery_note", "serve": "delivery_note", "invoice": "invoice", "accept": "test_report",
    "reject": "test_report", "dispute": "test_report", "return": "packing_list",
}  # fmt: skip
TOO_MANY = _("At most %(most)s documents come with one act, not %(value)s.")
PLACE_UNKNOWN = _("“%(value)s” is neither an event nor a commitment of this trade that a document could be added to.")
Events = Iterable[tuple[Event, Mapping[str, Any] | None]]  # with the payloads that the reader may see


@dataclass(frozen=True, slots=True)
class Given:
    """A stored document that comes with an act, and what it is (a code of `KINDS`)."""

    document_id: UUID
    kind: str = "other"


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of a trade as its reader sees it."""

    document: Document
    kind: str
    event_id: UUID  # that brought it
    at: datetime
    by: UUID | None  # the organisation
    person: str  # its name, for colleagues only
    to: str  # the anchor on the trade page of what it belongs to: "event-…" or "commitment-…"

    @property
    def kind_words(self) -> Any:
        return KINDS.get(self.kind, KINDS["other"])


@dataclass(frozen=True, slots=True)
class Papers:
    """All documents of a trade that its reader may read, in the order they came, and what lies behind what."""

    listed: list[Paper] = field(default_factory=list)
    behind: dict[str, list[Paper]] = field(default_factory=dict)  # by anchor

    def of_event(self, event_id: UUID) -> list[Paper]:
        return self.behind.get(f"event-{event_id}", [])

    def of_commitment(self, ordinal: int) -> list[Paper]:
        return self.behind.get(f"commitment-{ordinal}", [])


# -- with an act


def together(documents: Collection[Given]) -> AbstractContextManager[Any]:
    """An act of one statement is its own transaction; with documents there is more to write, and it needs one."""
    return transaction.atomic() if documents else nullcontext()


def told(actor: Actor, trade: Trade, documents: Sequence[Given]) -> dict[str, Any]:
    """What the event of an act says of its documents, which become readable for the parties of the trade. Without documents
    nothing is said, read or written.

    Refused with `trade.documents_too_many`, `trade.document_kind`, and `information.no_document` for one that is not the
    organisation's own.
    """
    if not documents:
        return {}
    if len(documents) > GIVEN_MAX:
        raise Invalid("trade.documents_too_many", TOO_MANY, field="documents", value=len(documents), most=GIVEN_MAX)
    for given in documents:
        if given.kind not in KINDS:
            raise Invalid("trade.document_kind", _("“%(value)s” is no kind of document; choose one of %(known)s."),
                          field="kind", value=given.kind, known=", ".join(KINDS))  # fmt: skip
    kinds = {given.document_id: given.kind for given in documents}
    shared = information.share(
        actor=actor, marketplace_id=trade.marketplace_id, document_ids=list(kinds), organisation_ids=set(trade.roles.values())
    )  # fmt: skip
    return {
        "documents": [
            {
                "id": str(one.pk), "kind": kinds[one.pk], "filename": one.filename, "media_type": one.media_type,
                "size": one.size, "sha256": one.sha256,
            }
            for one in shared
        ]
    }  # fmt: skip


def take_in(
    *, actor: Actor, marketplace_id: UUID, party_ids: Iterable[UUID], files: Iterable[tuple[str, bytes]], kind: str,
    now: datetime,
) -> list[Given]:  # fmt: skip
    """Stores files (name and bytes) for the parties of a trade, ready to come with an act. Refused as
    `information.store_document` is."""
    readers = sorted(set(party_ids))
    return [
        Given(
            information.store_document(
                actor=actor, marketplace_id=marketplace_id, content=content, filename=name, audience=readers, now=now
            ).pk,
            kind,
        )
        for name, content in files
    ]


@act
def attach(
    *,
    actor: Actor,
    agreement_id: UUID,
    documents: Sequence[Given],
    now: datetime,
    event_id: UUID | None = None,
    ordinal: int | None = None,
) -> Trade:
    """Adds documents to a trade without any other act: to an event that has happened, to a commitment, or to the trade.

    Event information.attached. Refused with `agreement.unknown`, `rights.refused`, `trade.documents_missing`,
    `trade.document_place`, and as `told` says.
    """
    trade = store.load(agreement_id)
    if not rights.may_see(actor, trade.marketplace_id, trade.roles.values()):
        raise NotFound("agreement.unknown", _("There is no agreement “%(value)s”."), field="agreement",
                       value=str(agreement_id))  # fmt: skip
    if not may_attach_to(actor, trade.roles.values()):
        raise Refused("rights.refused", _("Only a party of the agreement can add documents to it."), field="actor",
                      value=trade.number)  # fmt: skip
    require(actor, "process.attach")
    if not documents:
        raise Invalid("trade.documents_missing", _("Choose a file."), field="documents")
    _check_place(trade, event_id, ordinal)
    to: dict[str, Any] = {"event": str(event_id)} if event_id else {"commitment": ordinal} if ordinal else {}
    record(
        [
            NewEvent(
                kind="information.attached", marketplace_id=trade.marketplace_id, subject_type="agreement",
                subject_id=trade.id, occurred_at=now, payload={**told(actor, trade, documents), "to": to},
                actor_id=actor.person_id, organisation_id=actor.organisation_id,
                audience=tuple(sorted(set(trade.roles.values()))),
            )
        ]
    )  # fmt: skip
    return trade


def may_attach_to(actor: Actor, party_ids: Iterable[UUID]) -> bool:
    """Whether a trade is the actor's organisation's own, so that documents of it may be added."""
    return actor.organisation_id is not None and actor.organisation_id in set(party_ids)


def _check_place(trade: Trade, event_id: UUID | None, ordinal: int | None) -> None:
    if event_id and not Event.objects.filter(pk=event_id, thread_id=trade.id, subject_type="agreement").exists():
        wrong: Any = event_id
    elif ordinal is not None and not 1 <= ordinal <= len(trade.promises):
        wrong = ordinal
    elif event_id and ordinal is not None:
        wrong = f"{event_id}, {ordinal}"
    else:
        return
    raise Invalid("trade.document_place", PLACE_UNKNOWN, field="to", value=str(wrong))


# -- as they are read


def papers_of(actor: Actor, story: Events) -> Papers:
    """The documents that the events of a trade name and the reader may read. Without any this reads nothing."""
    told_of = [
        (event, body, said)
        for event, body in story
        if body and event.subject_type == "agreement"
        for said in body.get("documents", ())
    ]
    if not told_of:
        return Papers()
    found = library.readable(actor=actor, document_ids=[UUID(said["id"]) for _event, _body, said in told_of])
    people = _people(actor, found.values())
    papers = Papers()
    for event, body, said in told_of:
        document = found.get(UUID(said["id"]))
        if document is None:
            continue
        paper = Paper(
            document=document, kind=said["kind"], event_id=event.pk, at=event.occurred_at, by=event.organisation_id,
            person=people.get(document.person_id, "") if document.person_id else "", to=_anchor(event, body),
        )  # fmt: skip
        papers.listed.append(paper)
        for anchor in dict.fromkeys((f"event-{event.pk}", paper.to)):
            papers.behind.setdefault(anchor, []).append(paper)
    _hand_on(papers, story)
    return papers


def _anchor(event: Event, body: Mapping[str, Any]) -> str:
    to = body.get("to") or {}
    if "commitment" in to:
        return f"commitment-{to['commitment']}"
    return f"event-{to.get('event') or event.pk}"


def _hand_on(papers: Papers, story: Events) -> None:
    """What was added to a commitment lies behind the events that fulfil it, too."""
    for event, body in story:
        for step in (body or {}).get("fulfilled", ()):
            for paper in papers.of_commitment(step["ordinal"]) if is_its_own(step["action"], body) else ():
                there = papers.behind.setdefault(f"event-{event.pk}", [])
                if paper not in there:
                    there.append(paper)


def is_its_own(action: str, body: Mapping[str, Any] | None) -> bool:
    """Whether an event is about a verb: not so the release of the money that an acceptance brings with it."""
    return not body or body.get("action", action) == action


def _people(actor: Actor, documents: Iterable[Document]) -> dict[UUID, str]:
    """The names of who stored documents, where they are of the reader's own organisation."""
    mine = {one.person_id for one in documents if one.organisation_id == actor.organisation_id and one.person_id}
    return dict(Person.objects.filter(pk__in=mine).values_list("pk", "name")) if mine else {}

"""What may be done in commerce: keep one's catalogue of items; open and close an intent, which markets do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _
from stdnum import ean

from huangpu.core.canonical import write_json
from huangpu.core.db import act, execute, lock
from huangpu.core.errors import Conflict, Invalid, InvalidMany, NotFound
from huangpu.core.ids import uuid7
from huangpu.core.log.record import NewEvent, record
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require, require_own
from huangpu.parties.words import INDUSTRIES

from .models import Item

OPEN = """
INSERT INTO commerce_intent (id, marketplace_id, organisation_id, kind, market, subject_id, number, name, link, amount,
                             currency, valid_until)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s)
ON CONFLICT (market, subject_id) DO UPDATE
SET number = excluded.number, name = excluded.name, link = excluded.link, amount = excluded.amount,
    currency = excluded.currency, valid_until = excluded.valid_until, closed_at = NULL
"""
CLOSE = "UPDATE commerce_intent SET closed_at = %s WHERE market = %s AND subject_id = %s AND closed_at IS NULL"


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What an organisation says of an item. `unit`: a UN/CEFACT Rec 20 code; `gtin`: 8 to 14 digits, or empty."""

    code: str
    name: Mapping[str, str]
    unit: str
    gtin: str = ""
    industry: str = ""
    classification_scheme: str = ""
    classification_code: str = ""


@act
def create_item(*, actor: Actor, marketplace_id: UUID, facts: ItemFacts, now: datetime) -> Item:
    """A new item in the catalogue of the actor's organisation. Event commerce.item_created.

    Refused with `item.code_taken` and, all at once, with what `_checked` finds wrong.
    """
    own = require_own(actor, "commerce.edit_item")
    item = Item(owner_id=own, **_checked(facts))
    _save(item)
    _tell("commerce.item_created", item, actor, marketplace_id, now)
    return item


@act
def edit_item(*, actor: Actor, marketplace_id: UUID, item_id: UUID, facts: ItemFacts, now: datetime) -> Item:
    """Changes an item. Agreements keep what they were concluded with. Event commerce.item_edited.

    Refused with `item.unknown`, `item.code_taken` and what `create_item` refuses.
    """
    item = lock(Item, [item_id]).get(item_id)
    if item is None or (not actor.is_system and item.owner_id != actor.organisation_id):
        raise NotFound("item.unknown", _("You have no item “%(value)s”."), field="item", value=str(item_id))
    require(actor, "commerce.edit_item", organisation_id=item.owner_id)
    for name, value in _checked(facts).items():
        setattr(item, name, value)
    _save(item)
    _tell("commerce.item_edited", item, actor, marketplace_id, now)
    return item


@act
def open_intent(
    *,
    marketplace_id: UUID,
    organisation_id: UUID,
    kind: str,
    market: str,
    subject_id: UUID,
    number: str,
    name: Mapping[str, str],
    link: str,
    amount: int | None,
    currency: str,
    valid_until: datetime | None,
) -> None:
    """An offer or a request is in the market: called by the market's own act, which has checked the right and writes the
    event. Called again for the same subject it says what is true now. One statement."""
    execute(
        OPEN,
        [uuid7(), marketplace_id, organisation_id, kind, market, subject_id, number, write_json(dict(name)), link, amount,
         currency, valid_until],
    )  # fmt: skip


@act
def close_intent(*, market: str, subject_id: UUID, now: datetime) -> None:
    """It looks for no counterparty any more: it found one, or its time is over. Closing what is closed changes nothing."""
    execute(CLOSE, [now, market, subject_id])


def _checked(facts: ItemFacts) -> dict[str, Any]:
    """The columns of an item. Refuses `item.code`, `item.name`, `unit.invalid`, `item.industry` and `item.gtin`."""
    wrong: list[Invalid] = []
    code, name = facts.code.strip(), {language: text.strip() for language, text in facts.name.items() if text.strip()}
    if not 1 <= len(code) <= 64:
        wrong.append(
            Invalid("item.code", _("Write a code of 1 to 64 characters."), field="code", value=facts.code[:100])
        )
    if not name or any(len(text) > 200 for text in name.values()) or not set(name) <= {"zh-hans", "en"}:
        wrong.append(Invalid("item.name", _("Write a name of 1 to 200 characters."), field="name"))
    if not re.fullmatch(r"[A-Z0-9]{2,3}", facts.unit):
        message = _("“%(value)s” is not a unit code; write a UN/CEFACT Rec 20 code such as TNE or C62.")
        wrong.append(Invalid("unit.invalid", message, field="unit", value=facts.unit[:100]))
    if facts.industry and facts.industry not in INDUSTRIES:
        message = _("“%(value)s” is not one of the industries: %(known)s.")
        wrong.append(
            Invalid("item.industry", message, field="industry", value=facts.industry[:100], known=", ".join(INDUSTRIES))
        )
    gtin = facts.gtin.strip()
    if gtin and not ean.is_valid(gtin):
        message = _("“%(value)s” is not a GTIN: 8, 12, 13 or 14 digits, of which the last is the check digit.")
        wrong.append(Invalid("item.gtin", message, field="gtin", value=gtin[:100]))
    if wrong:
        raise InvalidMany(wrong)
    return {
        "code": code, "name": name, "unit": facts.unit, "gtin": gtin, "industry": facts.industry,
        "classification_scheme": facts.classification_scheme.strip()[:32],
        "classification_code": facts.classification_code.strip()[:32],
    }  # fmt: skip


def _save(item: Item) -> None:
    try:
        with transaction.atomic():
            item.save()
    except IntegrityError as taken:
        if "commerce_item_code_once" not in str(taken):
            raise
        raise Conflict(
            "item.code_taken", _("You have already an item with the code “%(value)s”."), field="code", value=item.code
        ) from taken


def _tell(kind: str, item: Item, actor: Actor, marketplace_id: UUID, now: datetime) -> None:
    facts = {"code": item.code, "name": dict(item.name), "unit": item.unit, "gtin": item.gtin}
    event = NewEvent(
        kind=kind, marketplace_id=marketplace_id, subject_type="item", subject_id=item.id, occurred_at=now, payload=facts,
        actor_id=actor.person_id, organisation_id=actor.organisation_id, audience=(item.owner_id,),
    )  # fmt: skip
    record([event])

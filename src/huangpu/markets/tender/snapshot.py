"""A tender as events tell it: everything that was published, so that the log alone gives the open data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huangpu.core.clock import rfc3339
from huangpu.core.quantity import plain
from huangpu.flows.information.models import Document

from .models import Attachment, Line, Lot, Tender


@dataclass(frozen=True, slots=True)
class Attached:
    """A document of a tender, and where it is kept here the file itself."""

    attachment: Attachment
    document: Document | None


def documents_of(tender: Tender) -> list[Attached]:
    """The documents of a tender in the order in which they were added. Who may see the tender may read them."""
    attachments = list(Attachment.objects.filter(tender=tender).order_by("id"))
    kept = Document.objects.in_bulk([one.document_id for one in attachments if one.document_id])
    return [Attached(one, kept.get(one.document_id) if one.document_id else None) for one in attachments]


def _instant(value: datetime | None) -> str | None:
    return rfc3339(value) if value else None


def tender_data(tender: Tender) -> dict[str, Any]:
    """The tender with its lots and lines: decimals as plain text, amounts in minor units, instants by RFC 3339."""
    lots = list(Lot.objects.filter(tender=tender).order_by("number"))
    lines: dict[Any, list[Line]] = {lot.pk: [] for lot in lots}
    for line in Line.objects.filter(lot__in=lots).order_by("number"):
        lines[line.lot_id].append(line)
    return {
        "tender": str(tender.id),
        "buyer": str(tender.buyer_id),
        "title": tender.title,
        "description": tender.description,
        "industry": tender.industry,
        "delivery_place": tender.delivery_place,
        "currency": tender.currency,
        "budget_minor": tender.budget_minor,
        "procedure": tender.procedure,
        "criteria": tender.criteria,
        "auction": tender.auction,
        "allow_single": tender.allow_single,
        "questions_until": _instant(tender.questions_until),
        "bids_until": _instant(tender.bids_until),
        "standstill_days": tender.standstill_days,
        "standstill_working": tender.standstill_working,
        "deliver_within_days": tender.deliver_within_days,
        "inspect_within_days": tender.inspect_within_days,
        "pay_within_days": tender.pay_within_days,
        "late_penalty": tender.late_penalty,
        "bond_minor": tender.bond_minor,
        "bond_ppm": tender.bond_ppm,
        "sealing_key": bytes(tender.sealing_key).hex() if tender.sealing_key else None,
        "version": tender.version,
        "documents": [_document(one) for one in documents_of(tender)],
        "origin": str(tender.origin_id) if tender.origin_id else None,
        "lots": [
            {
                "lot": str(lot.id),
                "number": lot.number,
                "title": lot.title,
                "budget_minor": lot.budget_minor,
                "lines": [line_data(line) for line in lines[lot.pk]],
            }
            for lot in lots
        ],
    }


def _document(one: Attached) -> dict[str, Any]:
    kept = one.document
    return {
        "id": str(one.attachment.id),
        "title": one.attachment.title,
        "kind": one.attachment.kind,
        "added_at": _instant(one.attachment.added_at),
        "address": one.attachment.address,
        "media_type": kept.media_type if kept else "",
        "size": kept.size if kept else None,
        "sha256": kept.sha256 if kept else "",
    }


def line_data(line: Line) -> dict[str, Any]:
    """A line as events tell it."""
    return {
        "line": str(line.id),
        "number": line.number,
        "name": line.name,
        "description": line.description,
        "quantity": plain(line.quantity),
        "unit": line.unit,
        "scheme": line.scheme,
        "code": line.code,
    }

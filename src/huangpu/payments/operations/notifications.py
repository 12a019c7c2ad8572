"""What providers tell by themselves: checked on the raw bytes, kept, acknowledged in milliseconds; then taken in, once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Invalid, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.jobs import enqueue
from huangpu.payments.gateway import over_http, wire

from . import acts
from .models import Notification, Operation

log = logging.getLogger(__name__)
LEFT_OVER_MAX = 200


@act
def receive(*, provider: str, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
    """Keeps a notification, once however often it comes; returns whether it is new. When this has returned it may be
    acknowledged.

    Refused: `notification.provider_unknown`, `.not_signed`, `.too_long`, `.key`.
    """
    secret = over_http.secret_of(provider)
    if secret is None:
        raise NotFound(
            "notification.provider_unknown",
            _("There is no provider “%(value)s” here."),
            field="provider",
            value=provider,
        )
    if len(body) > wire.BYTES_MAX:
        raise Invalid(
            "notification.too_long", _("The notification has %(value)s bytes; it may have %(most)s."),
            field="body", value=len(body), most=wire.BYTES_MAX,
        )  # fmt: skip
    try:
        key = wire.check(secret, headers, body)
    except wire.NotSigned as wrong:
        raise Refused(
            "notification.not_signed", _("The notification is not signed by “%(value)s”, or more than five minutes ago."),
            field="webhook-signature", value=provider,
        ) from wrong  # fmt: skip
    if not 0 < len(key) <= 80 or "\0" in key:
        raise Invalid(
            "notification.key", _("“%(value)s” is no id of a notification; it has 1 to 80 characters."),
            field="webhook-id", value=key[:100],
        )  # fmt: skip
    made = Notification(id=uuid7(), provider=provider, key=key, body=body, received_at=now)
    Notification.objects.bulk_create([made], ignore_conflicts=True)
    is_new = Notification.objects.filter(pk=made.pk).exists()
    if is_new:
        from .jobs import take_notification

        enqueue(take_notification, notification_id=str(made.pk))
    return is_new


@act
def take(*, notification_id: UUID, now: datetime) -> str:
    """Takes in what was told, once; returns its outcome: the state of the operation then, or "unreadable", "unknown",
    "not_theirs" (an operation that is at another provider)."""
    note = Notification.objects.select_for_update().get(pk=notification_id)
    if note.taken_at is not None:
        return note.outcome
    note.outcome, note.taken_at = _outcome(note, now), now
    note.save(update_fields=["outcome", "taken_at"])
    if note.outcome in ("unreadable", "unknown", "not_theirs"):
        log.warning("notification %s of %s: %s", note.key, note.provider, note.outcome)
    return note.outcome


def left_over() -> list[UUID]:
    """What was received and not taken in yet, the oldest first."""
    waiting = Notification.objects.filter(taken_at__isnull=True).order_by("received_at")
    return list(waiting.values_list("pk", flat=True)[:LEFT_OVER_MAX])


def _outcome(note: Notification, now: datetime) -> str:
    try:
        said = wire.read_answer(bytes(note.body))
    except ValueError:
        return "unreadable"
    at = Operation.objects.filter(pk=said.id).values_list("provider", flat=True).first()
    if at is None:
        return "unknown"
    if at != note.provider:
        return "not_theirs"
    return acts.answer(operation_id=said.id, said=said, now=now)

"""Webhooks: acts on endpoints, the subscriber that makes deliveries of the log, and the two ends of an attempt.

The attempt itself is `calling.py`: no call is ever made inside a transaction.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.db import act, execute, lock, row, rows
from huangpu.core.errors import Conflict, NotFound
from huangpu.core.ids import uuid7
from huangpu.core.log import sequencer
from huangpu.core.log.record import NewEvent, record
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require

from . import rules
from .models import Delivery, Endpoint

SUBSCRIBER = "webhooks"
REPLAY_MAX = 10_000
KEPT_DAYS = 30

CLAIM = """
UPDATE information_delivery d SET attempts = d.attempts + 1, last_at = %(now)s, next_at = %(now)s + %(lease)s
FROM (SELECT id FROM information_delivery WHERE next_at <= %(now)s ORDER BY next_at LIMIT %(limit)s
      FOR UPDATE SKIP LOCKED) due
WHERE d.id = due.id RETURNING d.id
"""


@act
def register_endpoint(
    *, actor: Actor, marketplace_id: UUID, url: str, kinds: Sequence[str], now: datetime
) -> tuple[Endpoint, str]:
    """A new endpoint of the actor's organisation, and its secret, which is shown this once.

    It gets the events from now on (one that has just happened may be among them). Refuses `information.webhook_url`,
    `information.webhook_kind`, `information.webhooks_too_many`.
    """
    require(actor, "information.manage_webhooks", marketplace_id=marketplace_id)
    assert actor.organisation_id is not None
    own = Endpoint.objects.filter(
        marketplace_id=marketplace_id, organisation_id=actor.organisation_id, disabled_at=None
    )
    if own.count() >= rules.ENDPOINTS_MAX:
        raise Conflict(
            "information.webhooks_too_many",
            _("An organisation has at most %(value)s active webhooks on a marketplace; disable one first."),
            value=rules.ENDPOINTS_MAX,
        )
    head = row("SELECT position FROM log_head WHERE marketplace_id = %s", [marketplace_id])
    _skip_the_past(marketplace_id, head[0] if head else 0)
    endpoint = Endpoint.objects.create(
        marketplace_id=marketplace_id,
        organisation_id=actor.organisation_id,
        url=rules.check_url(url, allow_private=settings.HUANGPU.webhook_allow_private),
        kinds=rules.check_kinds(kinds),
        secret=os.urandom(rules.SECRET_BYTES),
        after_position=head[0] if head else 0,
        created_at=now,
    )
    _record("webhook.registered", endpoint, actor, now, {"url": endpoint.url, "kinds": list(endpoint.kinds)})
    return endpoint, secret_text(endpoint.secret)


def _skip_the_past(marketplace_id: UUID, position: int) -> None:
    """Where nobody listens, the subscriber need not read what came before the first endpoint."""
    if not Endpoint.objects.filter(marketplace_id=marketplace_id, disabled_at=None).exists():
        execute(
            "INSERT INTO log_cursor (subscriber, marketplace_id, position) VALUES (%s, %s, %s)"
            " ON CONFLICT (subscriber, marketplace_id) DO UPDATE"
            " SET position = greatest(log_cursor.position, excluded.position)",
            [SUBSCRIBER, marketplace_id, position],
        )


def secret_text(secret: bytes | memoryview[int]) -> str:
    """A secret as Standard Webhooks writes it: whsec_ and base64."""
    return "whsec_" + base64.b64encode(bytes(secret)).decode()


@act
def rotate_secret(*, actor: Actor, marketplace_id: UUID, endpoint_id: UUID, now: datetime) -> tuple[Endpoint, str]:
    """A new secret for an endpoint. For 24 hours calls are signed with both, so that the receiver can change over."""
    endpoint = _own(actor, marketplace_id, endpoint_id)
    endpoint.previous_secret, endpoint.previous_until = bytes(endpoint.secret), now + rules.ROTATION_OVERLAP
    endpoint.secret = os.urandom(rules.SECRET_BYTES)
    endpoint.save(update_fields=["secret", "previous_secret", "previous_until"])
    _record("webhook.rotated", endpoint, actor, now, {"both_until": rfc3339(endpoint.previous_until)})
    return endpoint, secret_text(endpoint.secret)


@act
def disable_endpoint(*, actor: Actor, marketplace_id: UUID, endpoint_id: UUID, now: datetime) -> Endpoint:
    """Ends the calls to an endpoint; what still waits is given up. Disabling twice is once."""
    endpoint = _own(actor, marketplace_id, endpoint_id)
    if endpoint.disabled_at is None:
        disable(endpoint, "owner", now)
        _record("webhook.disabled", endpoint, actor, now, {"reason": "owner"})
    return endpoint


def disable(endpoint: Endpoint, reason: str, now: datetime) -> None:
    """Writes that an endpoint is no longer called, and why; its waiting deliveries fail."""
    endpoint.disabled_at, endpoint.disabled_reason = now, reason
    endpoint.save(update_fields=["disabled_at", "disabled_reason"])
    Delivery.objects.filter(endpoint=endpoint, next_at__isnull=False).update(next_at=None, last_error="disabled")


@act
def replay_delivery(*, actor: Actor, marketplace_id: UUID, delivery_id: UUID, now: datetime) -> Delivery:
    """Sends one event to its endpoint once more, whatever became of it. `information.no_delivery` when there is none."""
    delivery = Delivery.objects.filter(pk=delivery_id, endpoint__marketplace_id=marketplace_id).first()
    if delivery is None or actor.organisation_id != delivery.endpoint.organisation_id:
        raise NotFound(
            "information.no_delivery",
            _("Your organisation has no delivery %(value)s here."),
            field="delivery",
            value=str(delivery_id),
        )
    endpoint = _own(actor, marketplace_id, delivery.endpoint_id)
    _must_be_active(endpoint)
    _again(Delivery.objects.filter(pk=delivery_id), now)
    _record("webhook.replayed", endpoint, actor, now, {"delivery": str(delivery_id)})
    delivery.refresh_from_db()
    return delivery


@act
def replay_from(*, actor: Actor, marketplace_id: UUID, endpoint_id: UUID, position: int, now: datetime) -> int:
    """Sends an endpoint all it wants of the log after a position, at most the next 10,000 events; returns how many.

    It also reaches back to before the endpoint was registered: the log keeps everything.
    """
    endpoint = _own(actor, marketplace_id, endpoint_id)
    _must_be_active(endpoint)
    events = sequencer.read(marketplace_id, after=position, limit=REPLAY_MAX)
    wanted = [event for event in events if _wanted(endpoint, event)]
    _insert(wanted, [endpoint], now, ignore_start=True)
    _again(Delivery.objects.filter(endpoint=endpoint, event_id__in=[event.id for event in wanted]), now)
    _record("webhook.replayed", endpoint, actor, now, {"after": position, "count": len(wanted)})
    return len(wanted)


def _again(deliveries: Any, now: datetime) -> None:
    deliveries.update(next_at=now, delivered_at=None, attempts=0, last_error="")


def _must_be_active(endpoint: Endpoint) -> None:
    if endpoint.disabled_at is not None:
        raise Conflict(
            "information.webhook_disabled",
            _("The webhook to %(value)s is disabled; register a new one."),
            field="endpoint",
            value=endpoint.url,
        )


def _own(actor: Actor, marketplace_id: UUID, endpoint_id: UUID) -> Endpoint:
    require(actor, "information.manage_webhooks", marketplace_id=marketplace_id)
    endpoint = lock(Endpoint, [endpoint_id]).get(endpoint_id)
    mine = endpoint is not None and endpoint.organisation_id == actor.organisation_id
    if endpoint is None or not mine or endpoint.marketplace_id != marketplace_id:
        raise NotFound(
            "information.no_endpoint",
            _("Your organisation has no webhook %(value)s here."),
            field="endpoint",
            value=str(endpoint_id),
        )
    return endpoint


def _record(kind: str, endpoint: Endpoint, actor: Actor, now: datetime, payload: dict[str, Any]) -> None:
    record(
        [
            NewEvent(
                kind=kind,
                marketplace_id=endpoint.marketplace_id,
                subject_type="webhook",
                subject_id=endpoint.pk,
                occurred_at=now,
                actor_id=actor.person_id,
                organisation_id=endpoint.organisation_id,
                audience=(endpoint.organisation_id,),
                payload=payload,
            )
        ]
    )


# -- the subscriber


def marketplaces_with_endpoints() -> list[UUID]:
    """The marketplaces where somebody listens."""
    return [id for (id,) in rows("SELECT DISTINCT marketplace_id FROM information_endpoint WHERE disabled_at IS NULL")]


def make_deliveries(marketplace_id: UUID, now: datetime) -> int:
    """Reads on in a marketplace's log and writes a delivery for each endpoint that wants and may read an event."""

    def handle(events: Sequence[sequencer.Logged]) -> None:
        listening = list(Endpoint.objects.filter(marketplace_id=marketplace_id, disabled_at=None))
        _insert(events, listening, now)

    return sequencer.consume(SUBSCRIBER, marketplace_id, handle)


def _wanted(endpoint: Endpoint, event: sequencer.Logged) -> bool:
    return rules.may_read(event.audience, endpoint.organisation_id) and rules.wants(endpoint.kinds, event.kind)


def _insert(
    events: Sequence[sequencer.Logged], endpoints: Sequence[Endpoint], now: datetime, *, ignore_start: bool = False
) -> None:
    Delivery.objects.bulk_create(
        [
            Delivery(
                id=uuid7(),
                endpoint=endpoint,
                event_id=event.id,
                position=event.position,
                kind=event.kind,
                next_at=now,
                created_at=now,
            )
            for event in events
            for endpoint in endpoints
            if (ignore_start or event.position > endpoint.after_position) and _wanted(endpoint, event)
        ],
        ignore_conflicts=True,
    )


# -- the two ends of an attempt


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt. `status`: of the answer, if one came; `failure`: a code of rules.FAILURES, or empty."""

    status: int | None = None
    failure: str = ""


def claim(now: datetime, limit: int) -> list[Delivery]:
    """Takes deliveries that are due, for 60 seconds: if the worker dies meanwhile, another tries again after that."""
    ids = [id for (id,) in rows(CLAIM, {"now": now, "lease": rules.LEASE, "limit": limit})]
    return list(Delivery.objects.select_related("endpoint").filter(pk__in=ids).order_by("position"))


@act
def settle(*, delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    """Writes what became of an attempt: delivered, to be tried again, or given up with a notice to its organisation."""
    current = lock(Delivery, [delivery.pk]).get(delivery.pk)
    if current is None or current.next_at is None or current.attempts != delivery.attempts:
        return  # replayed, disabled or taken by another worker meanwhile: theirs is the newer word
    current.last_status, current.last_error = outcome.status, outcome.failure
    if not outcome.failure:
        current.delivered_at, current.next_at = now, None
    else:
        wait = None if outcome.failure in ("gone", "erased") else rules.delay_after(current.attempts)
        current.next_at = now + wait if wait else None
    current.save(update_fields=["last_status", "last_error", "delivered_at", "next_at"])
    if current.next_at is None and outcome.failure:
        _give_up(delivery, outcome, now)


def _give_up(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    from .acts import notify

    endpoint = delivery.endpoint
    if outcome.failure == "erased":
        return
    if outcome.failure == "gone":
        disable(endpoint, "gone", now)
    notify(
        marketplace_id=endpoint.marketplace_id,
        organisation_ids=[endpoint.organisation_id],
        kind="information.webhook_gone" if outcome.failure == "gone" else "information.webhook_failed",
        params={"url": endpoint.url, "kind": delivery.kind},
        link="",
        now=now,
    )


def forget_old(now: datetime) -> int:
    """Removes the log of deliveries that ended more than 30 days ago; returns how many."""
    return execute(
        "DELETE FROM information_delivery WHERE next_at IS NULL AND created_at < %s - interval '1 day' * %s",
        [now, KEPT_DAYS],
    )

"""What happens by itself: letters, calls to webhooks, clearing up. All may run twice."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import translation
from procrastinate import RetryStrategy

from huangpu.core import clock
from huangpu.core.db import rows
from huangpu.core.jobs import app
from huangpu.core.web import idempotency

from . import calling, webhooks
from .models import Notice
from .sentences import sentence

log = logging.getLogger(__name__)
BATCH = 64
ROUNDS_MAX = 20

READERS = """
SELECT person.id, person.email, coalesce(nullif(person.language, ''), market.language), market.slug, market.name
FROM parties_person person, parties_marketplace market WHERE person.id = ANY(%s) AND market.id = ANY(%s)
"""


@app.task(retry=RetryStrategy(max_attempts=10, exponential_wait=4))
def mail_notices(ids: list[str]) -> None:
    """Sends the letters of some notices that have not been sent and not been read. A letter that cannot be sent now is
    tried again with the job; one that went out is never sent again by it, unless the worker died in between."""
    waiting = Notice.objects.filter(pk__in=[UUID(id) for id in ids], mailed_at=None, read_at=None).order_by("pk")
    failed = 0
    with get_connection() as mail:
        for notice in waiting:
            try:
                _send(notice, mail)
            except OSError as wrong:  # smtplib's errors are among them
                log.warning("the letter of notice %s could not be sent: %s", notice.pk, wrong)
                failed += 1
            else:
                Notice.objects.filter(pk=notice.pk).update(mailed_at=clock.now())
    if failed:
        raise RuntimeError(f"{failed} of {len(ids)} letters could not be sent")


def _send(notice: Notice, mail: BaseEmailBackend) -> None:
    found = rows(READERS, [[notice.person_id], [notice.marketplace_id]])
    if not found or not found[0][1]:
        return
    _person, email, language, _slug, _name = found[0]
    with translation.override(language):
        text = sentence(notice.kind, notice.params)
        link = f"{settings.HUANGPU.public_url}{notice.link or '/notices/'}"
        letter = EmailMessage(
            subject=" ".join(text.split())[:120],
            body=f"{text}\n\n{link}\n",
            to=[email],
            headers={"Message-ID": f"<{notice.pk}@huangpu>", "Auto-Submitted": "auto-generated"},
            connection=mail,
        )
        letter.send()


@app.periodic(cron="* * * * * */5")  # the sixth field is the seconds
@app.task(queueing_lock="information.call_webhooks", lock="information.call_webhooks")
def call_webhooks(timestamp: int) -> None:  # noqa: ARG001
    """Makes deliveries of what is new in the log and tries those that are due, until nothing is."""
    for marketplace_id in webhooks.marketplaces_with_endpoints():
        webhooks.make_deliveries(marketplace_id, clock.now())
    for _round in range(ROUNDS_MAX):
        if not deliver_due(clock.now()):
            return


def deliver_due(now: datetime) -> int:
    """One round: takes what is due, calls, writes what became of it. Returns how many were tried."""
    claimed = webhooks.claim(now, BATCH)
    calls, erased = calling.prepare(claimed, now)
    for delivery in erased:
        webhooks.settle(delivery=delivery, outcome=webhooks.Outcome(failure="erased"), now=now)
    made = calling.make_calls(calls, allow_private=settings.HUANGPU.webhook_allow_private)
    for delivery, outcome in made:
        webhooks.settle(delivery=delivery, outcome=outcome, now=clock.now())
    return len(claimed)


@app.periodic(cron="41 2 * * *")
@app.task(queueing_lock="information.forget")
def forget(timestamp: int) -> None:  # noqa: ARG001
    """Removes answers and deliveries that are more than 30 days old."""
    now = clock.now()
    log.info("forgot %s answers, %s deliveries", idempotency.forget_old(now), webhooks.forget_old(now))

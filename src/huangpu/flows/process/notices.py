"""What the house tells people about their trades: the subscriber "trade_notices" of the log.

The acts themselves tell nobody, so that a trade costs nothing for it. This reads on in the log in commit order; the notices of
a batch and the subscriber's new place are one transaction, so that a worker that dies has told nothing that is told again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.log import sequencer
from huangpu.core.log.sequencer import Logged
from huangpu.flows.commerce.models import Agreement
from huangpu.flows.information.acts import News, notify_all
from huangpu.flows.information.sentences import declare
from huangpu.parties.models import Marketplace, Organisation

SUBSCRIBER = "trade_notices"
BATCH_MAX = 1_000
NO_REASON = "–"

SENTENCES: Mapping[str, Any] = {
    "trade.concluded": _("%(number)s “%(title)s” is concluded over %(amount)s."),
    "trade.held": _("%(party)s paid %(amount)s into escrow for %(number)s “%(title)s”."),
    "trade.paid": _("%(party)s paid %(amount)s for %(number)s “%(title)s”."),
    "trade.released": _("%(amount)s were released for %(number)s “%(title)s”."),
    "trade.refunded": _("%(amount)s were refunded for %(number)s “%(title)s”."),
    "trade.charged": _("The fee of %(amount)s was charged for %(number)s “%(title)s”."),
    "trade.delivered": _("%(party)s delivered for %(number)s “%(title)s”."),
    "trade.served": _("%(party)s rendered the service of %(number)s “%(title)s”."),
    "trade.title_transferred": _("%(party)s transferred the title for %(number)s “%(title)s”."),
    "trade.accepted": _("%(party)s accepted what was delivered for %(number)s “%(title)s”."),
    "trade.accepted_released": _(
        "%(party)s accepted what was delivered for %(number)s “%(title)s”; %(amount)s were released."
    ),
    "trade.invoiced": _("%(party)s issued invoice %(invoice)s over %(amount)s for %(number)s “%(title)s”."),
    "trade.document_added": _("%(party)s added to %(number)s “%(title)s”: %(files)s"),
    "trade.rejected": _("%(party)s rejected a delivery of %(number)s “%(title)s”. Reason: %(reason)s"),
    "trade.returned": _("%(party)s returns goods of %(number)s “%(title)s”. Reason: %(reason)s"),
    "trade.cancelled": _("%(party)s withdrew from %(number)s “%(title)s”. Reason: %(reason)s"),
    "trade.disputed": _("%(party)s opened a dispute about %(number)s “%(title)s”. Reason: %(reason)s"),
    "trade.decided": _("The dispute about %(number)s “%(title)s” is decided. Grounds: %(reason)s"),
    "trade.option_used": _("%(party)s used a right of the terms of %(number)s “%(title)s”. Reason: %(reason)s"),
    "trade.late": _("Something in %(number)s “%(title)s” is late: it was not done by %(due)s."),
    "trade.deemed": _("Nobody objected in time in %(number)s “%(title)s”: it is deemed accepted, as agreed."),
    "trade.deemed_released": _(
        "Nobody objected in time in %(number)s “%(title)s”: it is deemed accepted, as agreed; %(amount)s were released."
    ),
    "trade.amendment_proposed": _(
        "%(party)s proposed an amendment of %(number)s “%(title)s”; every party has to sign it."
    ),
    "trade.amended": _("The amendment of %(number)s “%(title)s” is signed by all and applies."),
    "trade.amendment_declined": _("The amendment of %(number)s “%(title)s” is off; everything stays as it was."),
    "trade.lapsed": _("A time of %(number)s “%(title)s” passed, and the terms decided: see what ended."),
}
declare(SENTENCES)

# by kind of event: the notice
PERFORMED: Mapping[str, str] = {
    "funds.held": "trade.held",
    "funds.paid": "trade.paid",
    "funds.released": "trade.released",
    "funds.refunded": "trade.refunded",
    "funds.charged": "trade.charged",
    "goods.delivered": "trade.delivered",
    "goods.served": "trade.served",
    "commerce.title_transferred": "trade.title_transferred",
    "process.accepted": "trade.accepted",
    "information.invoiced": "trade.invoiced",
}
AMENDED: Mapping[str, str] = {
    "agreement.amendment_proposed": "trade.amendment_proposed",
    "agreement.amended": "trade.amended",
    "agreement.amendment_declined": "trade.amendment_declined",
}
# by option of the terms, without its line
USED: Mapping[str, str] = {
    "reject": "trade.rejected",
    "return": "trade.returned",
    "dispute": "trade.disputed",
    "decide": "trade.decided",
    "cancel": "trade.cancelled",
    "cancel_late": "trade.cancelled",
    "cancel_undelivered": "trade.cancelled",
    "withdraw_unpaid": "trade.cancelled",
}
TOLD_KINDS = frozenset(
    {*PERFORMED, *AMENDED, "agreement.concluded", "information.attached", "process.resolved", "commitment.lapsed"}
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a notice says of a trade."""

    number: str
    title: Mapping[str, str]
    currency: str
    roles: Mapping[str, UUID]


def kind_of(kind: str, body: Mapping[str, Any]) -> str | None:
    """Which notice tells of an event, by its kind and payload; None: nobody need be told."""
    released = _sum(body, "release") > 0
    if kind == "agreement.concluded":
        return "trade.concluded"
    if kind == "information.attached":
        return "trade.document_added"
    if kind == "process.accepted" and released:
        return "trade.accepted_released"
    if kind == "process.resolved":
        return USED.get(str(body.get("option", "")).split("/")[0], "trade.option_used")
    if kind == "commitment.lapsed":
        if body.get("silence") == "deemed":
            return "trade.deemed_released" if released else "trade.deemed"
        return "trade.late" if body.get("silence") == "late" else "trade.lapsed"
    return PERFORMED.get(kind) or AMENDED.get(kind)


def amount_of(kind: str, body: Mapping[str, Any]) -> int:
    """The amount that a notice speaks of, in minor units: what its verb moved, or what was released with it."""
    if kind == "agreement.concluded":
        return int(body.get("amount") or 0)
    return _sum(body, "release" if kind in ("process.accepted", "commitment.lapsed") else str(body.get("action", "")))


def _sum(body: Mapping[str, Any], action: str) -> int:
    return sum(step["amount"] or 0 for step in body.get("fulfilled", ()) if step["action"] == action)


def readers_of(kind: str, roles: Mapping[str, UUID]) -> set[UUID]:
    """The organisations that a notice is for: the parties; in a dispute the marketplace's operator, who has it decided."""
    parties = {organisation for role, organisation in roles.items() if role != "operator"}
    if kind in ("trade.disputed", "trade.decided"):
        return {*parties, *roles.values()}
    return parties or set(roles.values())


def params_of(event: Logged, body: Mapping[str, Any], trade: Known, party: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of any sentence above: plain JSON, in nobody's language."""
    details = body.get("details") or {}
    return {
        "number": trade.number,
        "title": dict(trade.title),
        "party": dict(party),
        "amount": {"minor": amount_of(event.kind, body), "currency": trade.currency},
        "invoice": str(details.get("number", "")),
        "reason": body.get("reason") or NO_REASON,
        "due": {"instant": str(body.get("due_at") or rfc3339(event.occurred_at))},
        "files": ", ".join(said["filename"] for said in body.get("documents", ())),
    }


def catch_up() -> int:
    """Reads on in every marketplace's log; returns how many events were read. One statement when nothing is new."""
    read = 0
    for marketplace_id in sequencer.behind(SUBSCRIBER):
        while found := tell(marketplace_id):
            read += found
    return read


def tell(marketplace_id: UUID) -> int:
    """Tells of the next events of one marketplace's log, at most a thousand; returns how many were read."""

    def handle(events: Sequence[Logged]) -> None:
        news = _news(marketplace_id, [one for one in events if one.kind in TOLD_KINDS and one.payload])
        if news:
            notify_all(news)

    return sequencer.consume(SUBSCRIBER, marketplace_id, handle, limit=BATCH_MAX)


def _news(marketplace_id: UUID, events: Sequence[Logged]) -> list[News]:
    if not events:
        return []
    market = Marketplace.objects.get(pk=marketplace_id)
    trades = _trades({one.subject_id for one in events if one.subject_type == "agreement"})
    names = dict(
        Organisation.objects.filter(pk__in={one.organisation_id for one in events if one.organisation_id}).values_list(
            "pk", "name"
        )
    )
    news: dict[Any, News] = {}
    for event in events:
        body, trade = event.payload or {}, trades.get(event.subject_id)
        kind = kind_of(event.kind, body)
        if trade is None or kind is None:
            continue
        # a sweep decides each line by itself; people are told once of what it found in one trade
        key = (event.subject_id, kind, body.get("due_at")) if event.kind == "commitment.lapsed" else event.id
        if key in news:
            news[key].params["amount"]["minor"] += amount_of(event.kind, body)
            continue
        party = names.get(event.organisation_id, market.name) if event.organisation_id else market.name
        page = reverse("process:trade", args=[market.slug, trade.number])
        news[key] = News(
            marketplace_id=marketplace_id, organisation_ids=readers_of(kind, trade.roles), kind=kind,
            params=params_of(event, body, trade, party), link=f"{page}#{_anchor(event)}", now=event.occurred_at,
            event_id=event.id, but=event.actor_id,
        )  # fmt: skip
    return list(news.values())


def _anchor(event: Logged) -> str:
    return "amendments" if event.kind in AMENDED else f"event-{event.id}"


def _trades(ids: Iterable[UUID]) -> dict[UUID, Known]:
    found = Agreement.objects.filter(pk__in=set(ids)).prefetch_related("parties")
    return {
        one.pk: Known(
            one.number, one.title, one.currency, {party.role: party.organisation_id for party in one.parties.all()}
        )
        for one in found
    }

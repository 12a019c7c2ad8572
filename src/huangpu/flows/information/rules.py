"""Webhooks: which addresses may be called, what is sent, when it is tried again. Pure.

Signing follows Standard Webhooks 1.0; the schedule of retries is the one its section "Deliverability" recommends.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid

URL_LENGTH_MAX = 500
KINDS_MAX = 50
ENDPOINTS_MAX = 10  # of one organisation on one marketplace
SECRET_BYTES = 24
ROTATION_OVERLAP = timedelta(hours=24)
LEASE = timedelta(seconds=60)  # how long a worker has for one attempt; then another may try
SECONDS_MAX = 15  # for one attempt: name, connection, answer
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 2 * 3600, 5 * 3600, 8 * 3600, 8 * 3600 + 30 * 60)
)  # 24 hours in all

FAILURES = {
    "status": _("it answered with an error"),
    "redirect": _("it answered with a redirect, which is not followed"),
    "timeout": _("it did not answer in time"),
    "connection": _("no connection could be made"),
    "name": _("its name could not be resolved"),
    "private": _("its name leads to an address inside a network, which is not called"),
    "gone": _("it answered that it is gone"),
    "disabled": _("the endpoint is disabled"),
    "erased": _("the event is no longer there"),
}

_NAME = re.compile(r"([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?")
_KIND = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?")
_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "192.88.99.0/24", "100.64.0.0/10")
)


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the open Internet: no private, loopback, link-local, shared, multicast or reserved
    one, and none that carries another address inside (mapped, NAT64, 6to4, Teredo)."""
    try:
        found = ipaddress.ip_address(address.split("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    inside = any(found.version == network.version and found in network for network in _INSIDE)
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified or inside)


def check_url(url: str, *, allow_private: bool) -> str:
    """The address as it is kept. Refuses what cannot be called: `information.webhook_url`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    good = (
        parts.scheme in (("https", "http") if allow_private else ("https",))
        and host
        and len(url) <= URL_LENGTH_MAX
        and url.isascii()
        and url.isprintable()
        and " " not in url
        and parts.username is None
        and parts.password is None
        and not parts.fragment
        and port != 0
        and (allow_private or _NAME.fullmatch(host) or is_public(host))
    )
    if not good:
        raise Invalid(
            "information.webhook_url",
            _("“%(value)s” cannot be called; write a public https:// address without user name and fragment."),
            field="url",
            value=url[:200],
        )
    return url


def check_kinds(kinds: Iterable[str]) -> list[str]:
    """The kinds of events an endpoint wants, each once. Refuses what is no kind: `information.webhook_kind`."""
    found = sorted(set(kinds))
    wrong = [kind for kind in found if kind != "*" and (len(kind) > 64 or not _KIND.fullmatch(kind))]
    if wrong or len(found) > KINDS_MAX:
        raise Invalid(
            "information.webhook_kind",
            _(
                "“%(value)s” is no kind of event; write one such as “tender.published”, or “tender.*” for all of a room."
            ),
            field="kinds",
            value=wrong[0] if wrong else len(found),
        )
    return [] if "*" in found else found


def wants(kinds: list[str], kind: str) -> bool:
    """Whether an endpoint with these kinds wants an event of that kind. An empty list wants all."""
    return not kinds or any(
        kind == wanted or (wanted.endswith(".*") and kind.startswith(wanted[:-1])) for wanted in kinds
    )


def may_read(audience: Iterable[UUID], organisation_id: UUID | None) -> bool:
    """Whether an organisation may read an event: a public one, or one that is meant for it."""
    listed = set(audience)
    return not listed or organisation_id in listed


def delay_after(attempts: int) -> timedelta | None:
    """How long to wait after the n-th failed attempt (1, 2, …); None: it is given up."""
    return DELAYS[attempts - 1] if attempts <= len(DELAYS) else None

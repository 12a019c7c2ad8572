"""One attempt to deliver: sign, resolve, refuse what is not public, connect to the checked address, no redirect.

The name is resolved once and the connection goes to that very address, so a name that changes its mind in between leads
nowhere. TLS still checks the certificate against the name.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from standardwebhooks.webhooks import Webhook

from huangpu.core.clock import rfc3339
from huangpu.core.db import rows

from . import rules
from .models import Delivery
from .webhooks import Outcome, secret_text

USER_AGENT = "Huangpu-Webhooks/1"
ANSWER_BYTES_MAX = 64 * 1024
AT_ONCE = 16

EVENTS = """
SELECT e.id, e.kind, e.marketplace_id, e.subject_type, e.subject_id, e.thread_id, e.organisation_id, e.occurred_at, b.body
FROM log_event e JOIN log_payload b ON b.id = e.id WHERE e.id = ANY(%s)
"""


@dataclass(frozen=True, slots=True)
class Call:
    """An attempt about to be made: everything it needs, read before, so that no transaction is open meanwhile."""

    delivery: Delivery
    url: str
    headers: dict[str, str]
    body: bytes


def body_of(values: tuple[Any, ...], position: int) -> bytes:
    """What is sent: Standard Webhooks' type, timestamp and data."""
    id, kind, marketplace, subject_type, subject_id, thread, organisation, occurred_at, payload = values
    content = {
        "type": kind,
        "timestamp": rfc3339(occurred_at),
        "data": {
            "event": str(id),
            "position": position,
            "marketplace": str(marketplace),
            "subject": {"type": subject_type, "id": str(subject_id)},
            "thread": str(thread),
            "organisation": str(organisation) if organisation else None,
            "payload": json.loads(payload) if isinstance(payload, str) else payload,
        },
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def signed(delivery: Delivery, body: bytes, now: datetime) -> dict[str, str]:
    """The headers of an attempt. The id is the event's, the same at every attempt: the receiver tells doubles by it."""
    endpoint = delivery.endpoint
    secrets = [bytes(endpoint.secret)]
    if endpoint.previous_secret and endpoint.previous_until and now < endpoint.previous_until:
        secrets.append(bytes(endpoint.previous_secret))
    id = f"msg_{delivery.event_id.hex}"
    signatures = [Webhook(secret_text(secret)).sign(id, now, body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def prepare(deliveries: Iterable[Delivery], now: datetime) -> tuple[list[Call], list[Delivery]]:
    """The calls to make, and the deliveries whose event's payload has been erased."""
    todo = list(deliveries)
    events = {values[0]: values for values in rows(EVENTS, [[one.event_id for one in todo]])}
    calls, erased = [], []
    for delivery in todo:
        if delivery.event_id not in events:
            erased.append(delivery)
            continue
        body = body_of(events[delivery.event_id], delivery.position)
        calls.append(Call(delivery, delivery.endpoint.url, signed(delivery, body, now), body))
    return calls, erased


def make_calls(calls: list[Call], *, allow_private: bool) -> list[tuple[Delivery, Outcome]]:
    """Makes the calls, 16 at once, each within 15 seconds from name to answer. Touches no database."""

    async def one(call: Call, turn: asyncio.Semaphore) -> tuple[Delivery, Outcome]:
        async with turn:
            return call.delivery, await attempt(call, allow_private=allow_private)

    async def all_of_them() -> list[tuple[Delivery, Outcome]]:
        turn = asyncio.Semaphore(AT_ONCE)
        return list(await asyncio.gather(*(one(call, turn) for call in calls)))

    return asyncio.run(all_of_them())


async def attempt(call: Call, *, allow_private: bool) -> Outcome:
    """One call. Every way in which it can fail has its code; only an answer of 2xx is a success."""
    try:
        async with asyncio.timeout(rules.SECONDS_MAX):
            address = await resolve(call.url)
            if not allow_private and not rules.is_public(address):
                return Outcome(failure="private")
            return outcome_of(await _post(call, address))
    except (TimeoutError, httpx.TimeoutException):
        return Outcome(failure="timeout")
    except (socket.gaierror, UnicodeError):
        return Outcome(failure="name")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return Outcome(failure="connection")


async def resolve(url: str) -> str:
    """The address that a call goes to: the first one of the name; a private one if any of them is, so that a name with
    both is refused rather than tried."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(parts.hostname, parts.port or _port(parts.scheme), type=socket.SOCK_STREAM)
    addresses = [str(item[4][0]) for item in found]
    return next((address for address in addresses if not rules.is_public(address)), addresses[0])


def _port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


async def _post(call: Call, address: str) -> int:
    url = httpx.URL(call.url)
    headers = {**call.headers, "Host": url.netloc.decode("ascii")}
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=rules.SECONDS_MAX) as client:
        request = client.build_request(
            "POST",
            url.copy_with(host=address),
            content=call.body,
            headers=headers,
            extensions={"sni_hostname": url.host},
        )
        response = await client.send(request, stream=True)
        try:
            size = 0
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > ANSWER_BYTES_MAX:  # its status has been read; the rest interests nobody
                    break
        finally:
            await response.aclose()
        return response.status_code


def outcome_of(status: int) -> Outcome:
    """What an answer means."""
    if 200 <= status < 300:
        return Outcome(status)
    if status == 410:
        return Outcome(status, "gone")
    return Outcome(status, "redirect" if 300 <= status < 400 else "status")

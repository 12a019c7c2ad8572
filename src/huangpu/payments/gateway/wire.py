"""How the platform and a provider's machine talk: JSON, signed both ways over its very bytes (Standard Webhooks, HMAC-SHA-256).

A question names what shall be done and the order; everything that matters is in the signed body. The answer is signed under
the question's id, so that an answer to another question is none. A notification is an answer that nobody asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from .provider import Answer, Order, Verb

Do = Literal["send", "query", "cancel", "challenge", "confirm"]
BYTES_MAX = 64 * 1024


class NotSigned(ValueError):
    """The bytes are not signed by the one they claim to be from, or too long ago (five minutes)."""


@dataclass(frozen=True, slots=True)
class Question:
    """`phone` goes with "challenge", `code` with "confirm"."""

    do: Do
    order: Order
    phone: str = ""
    code: str = ""


def written_question(question: Question) -> bytes:
    """The body of a question."""
    order = question.order
    told = {"id": str(order.id), "verb": order.verb, "amount": order.amount, "currency": order.currency,
            "about": str(order.about) if order.about else None}  # fmt: skip
    return _bytes({"do": question.do, "order": told, "phone": question.phone, "code": question.code})


def read_question(body: bytes) -> Question:
    """ValueError: the bytes are no question."""
    try:
        told = _object(body)
        order = told["order"]
        amount = order["amount"]
        about = UUID(order["about"]) if order["about"] else None
        found = Order(UUID(order["id"]), order["verb"], amount, str(order["currency"]), about)
        if told["do"] not in get_args(Do) or found.verb not in get_args(Verb) or type(amount) is not int or amount < 1:
            raise ValueError("there is no such thing to do")
        return Question(told["do"], found, str(told.get("phone", "")), str(told.get("code", "")))
    except (KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(f"this is no question: {wrong!r}") from wrong


def written_answer(answer: Answer) -> bytes:
    """The body of an answer, or of a notification."""
    return _bytes({"id": str(answer.id), "status": answer.status, "amount": answer.amount, "currency": answer.currency,
                   "reference": answer.reference, "reason": answer.reason})  # fmt: skip


def read_answer(body: bytes) -> Answer:
    """ValueError: the bytes are no answer."""
    try:
        told = _object(body)
        return Answer(UUID(told["id"]), told["status"], told["amount"], str(told["currency"]),
                      str(told.get("reference", "")), str(told.get("reason", "")))  # fmt: skip
    except (KeyError, TypeError, AttributeError) as wrong:
        raise ValueError(f"this is no answer: {wrong!r}") from wrong


def signed(secret: bytes, id: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that go with the bytes."""
    instant = now.astimezone(UTC)
    return {
        "Content-Type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(instant.timestamp())),
        "webhook-signature": Webhook(secret).sign(id, instant, body.decode()),
    }


def check(secret: bytes, headers: Mapping[str, str], body: bytes, *, id: str | None = None) -> str:
    """The id under which the bytes were signed, the given one if there is one. Raises NotSigned."""
    told = {name.lower(): value for name, value in headers.items()}
    try:
        Webhook(secret).verify(body, told, json_parse=False)
    except (WebhookVerificationError, ValueError) as wrong:  # ValueError: base64 or UTF-8 that is none
        raise NotSigned(str(wrong)) from wrong
    if id is not None and told["webhook-id"] != id:
        raise NotSigned("this was signed as an answer to something else")
    return told["webhook-id"]


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > BYTES_MAX:
        raise ValueError(f"{len(body)} bytes are more than a provider has to say")
    found = json.loads(body)
    if not isinstance(found, dict):
        raise ValueError("a message is a JSON object")
    return found


def _bytes(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()

"""What a client knows: every changing call, its key, and what was answered. The truth that the house is held to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import Any
from uuid import uuid4

import httpx

from .market import SLUG, Firm

ACKNOWLEDGED, REFUSED, UNANSWERED = "acknowledged", "refused", "unanswered"
ANSWER_S_MAX = 90  # so long a call is repeated with its key; the house is back long before
AGAIN = frozenset({"database.busy", "agreement.busy"})  # refusals that say: try again
PAUSE_S = (0.02, 0.25)
PLANTED_SHARE = 0.05


@dataclass
class Call:
    """One changing call: sent until it was answered, always with the same key."""

    kind: str
    path: str
    key: str
    by: Firm
    body: dict[str, Any]
    outcome: str = UNANSWERED
    attempts: int = 0
    replayed: bool = False  # the answer was a stored one: the first had been lost on its way
    status: int = 0
    answer: dict[str, Any] = field(default_factory=dict)


@dataclass
class Journal:
    """All calls of all clients; they only append."""

    calls: list[Call] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Call]:
        return [call for call in self.calls if call.kind in kinds]

    def acknowledged(self, *kinds: str) -> list[Call]:
        return [call for call in self.of(*kinds) if call.outcome == ACKNOWLEDGED]


class Client:
    """Speaks to the house for firms. One a thread.

    `planted`: "lost" now and then writes down an act as acknowledged without ever having sent it; "doubled" now and then
    sends an acknowledged act once more with another key.
    """

    def __init__(self, url: str, journal: Journal, stop: Event, random: Random, planted: str | None = None) -> None:
        self.http = httpx.Client(base_url=f"{url}/api/v1/m/{SLUG}", timeout=20)
        self.journal, self.stop, self.random, self.planted = journal, stop, random, planted

    def act(self, kind: str, by: Firm, path: str, body: dict[str, Any]) -> Call:
        """Sends until answered. `{key}` in the texts of the body becomes the call's key, by which the log is asked later."""
        key = uuid4().hex
        call = Call(kind, path, key, by, _stamped(body, key))
        self.journal.calls.append(call)
        if self.planted == "lost" and self.random.random() < PLANTED_SHARE:
            call.outcome = ACKNOWLEDGED
            return call
        end = time.monotonic() + ANSWER_S_MAX
        while call.outcome == UNANSWERED and time.monotonic() < end:
            call.attempts += 1
            if not self._sent(call):
                self.stop.wait(self.random.uniform(*PAUSE_S))
        if self.planted == "doubled" and call.outcome == ACKNOWLEDGED and self.random.random() < PLANTED_SHARE:
            self._sent(Call(kind, path, uuid4().hex, by, call.body))
        return call

    def read(self, by: Firm, path: str) -> Any:
        """What stands at an address, as soon as it is answered; None when it is not within reasonable time."""
        end = time.monotonic() + ANSWER_S_MAX
        while time.monotonic() < end:
            try:
                response = self.http.get(path, headers=_headers(by))
                if response.status_code == 200:
                    return response.json()
            except (httpx.HTTPError, ValueError):
                pass
            self.stop.wait(self.random.uniform(*PAUSE_S))
        return None

    def _sent(self, call: Call) -> bool:
        """One attempt. False: nobody knows what became of it, or it was refused for the moment only."""
        try:
            response = self.http.post(
                call.path, json=call.body, headers={**_headers(call.by), "Idempotency-Key": call.key}
            )
            answer = response.json()
        except (httpx.HTTPError, ValueError):
            return False
        call.status = response.status_code
        if response.status_code >= 500 or response.status_code == 429 or answer.get("code") in AGAIN:
            call.answer = answer
            return False
        call.answer, call.replayed = answer, "idempotent-replayed" in response.headers
        call.outcome = ACKNOWLEDGED if response.status_code < 300 else REFUSED
        return True


def _headers(by: Firm) -> dict[str, str]:
    return {"Authorization": f"Bearer {by.token}"}


def _stamped(value: Any, stamp: str) -> Any:
    if isinstance(value, dict):
        return {name: _stamped(item, stamp) for name, item in value.items()}
    if isinstance(value, list):
        return [_stamped(item, stamp) for item in value]
    return value.replace("{key}", stamp) if isinstance(value, str) else value

"""The banks tell the platform what their payers decided: signed, and again until it is acknowledged, for a day."""

from __future__ import annotations

import logging
import threading

import httpx

from huangpu.core import clock
from huangpu.payments.gateway import wire

from .book import Book

log = logging.getLogger(__name__)
EVERY_S = 0.5


def tell_due(book: Book, platform: str, secrets: dict[str, bytes]) -> int:
    """One round of notifications; returns how many were acknowledged."""
    arrived = 0
    for letter, bank, entry in book.letters_due(clock.now()):
        if book.mode(bank) == "stopped":
            continue
        times = 3 if book.mode(bank) == "repeating" else 1
        body = wire.written_answer(entry.answer)
        took = [_post(f"{platform}/payments/notifications/{bank}/", secrets[bank], f"note_{bank}_{letter}", body)
                for _time in range(times)]  # fmt: skip
        book.sent(letter, clock.now(), arrived=any(took))
        arrived += any(took)
    return arrived


def keep_telling(book: Book, platform: str, secrets: dict[str, bytes]) -> None:
    """Starts the thread that tells for as long as the process lives."""

    def run() -> None:
        pause = threading.Event()
        while not pause.wait(EVERY_S):
            try:
                tell_due(book, platform, secrets)
            except Exception:  # the next round tries again
                log.exception("the notifications could not be sent")

    threading.Thread(target=run, name="notifications", daemon=True).start()


def _post(address: str, secret: bytes, id: str, body: bytes) -> bool:
    try:
        answer = httpx.post(address, content=body, headers=wire.signed(secret, id, body, clock.now()), timeout=5)
    except httpx.HTTPError as lost:
        log.warning("%s did not take a notification: %s", address, lost)
        return False
    return answer.is_success

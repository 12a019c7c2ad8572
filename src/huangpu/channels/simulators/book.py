"""The book of the simulated banks: what each was asked, what its payers said, what it tells the platform. One SQLite file, so
that a bank that is killed knows afterwards what it had done before."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from huangpu.payments.gateway.provider import Answer, Order, Status

from .banks import AT_ONCE, DECLINED_CENTS

TABLES = """
CREATE TABLE IF NOT EXISTS orders (
  bank TEXT NOT NULL, id TEXT NOT NULL, verb TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL, about TEXT,
  state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', reference TEXT NOT NULL DEFAULT '',
  phone TEXT NOT NULL DEFAULT '', code TEXT NOT NULL DEFAULT '', tries INTEGER NOT NULL DEFAULT 0, at TEXT NOT NULL,
  PRIMARY KEY (bank, id));
CREATE TABLE IF NOT EXISTS messages (n INTEGER PRIMARY KEY, phone TEXT NOT NULL, bank TEXT NOT NULL, text TEXT NOT NULL,
  amount INTEGER NOT NULL, currency TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS letters (n INTEGER PRIMARY KEY, bank TEXT NOT NULL, id TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, due TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS modes (bank TEXT PRIMARY KEY, mode TEXT NOT NULL);
"""
ASKS_THE_PAYER = ("authorise", "purchase")
INTO_US = ("capture", "purchase", "top_up")
OUT_OF_US = ("refund", "payout")
FOLLOWS = {"capture": ("authorise",), "void": ("authorise",), "refund": ("capture", "purchase")}
STATUS: dict[str, Status] = {"waiting": "pending", "done": "succeeded", "refused": "declined"}
TRIES = 3
AGAIN = (2, 10, 60, 600, 3600, 6 * 3600, 18 * 3600)  # seconds: a notification is tried again for a day


@dataclass(frozen=True, slots=True)
class Entry:
    """An order as its bank has it: waiting for its payer, done, or refused."""

    order: Order
    state: str
    reason: str
    reference: str
    tries: int

    @property
    def answer(self) -> Answer:
        order = self.order
        reason = "wrong_code" if self.state == "waiting" and self.tries else self.reason
        return Answer(order.id, STATUS[self.state], order.amount, order.currency, self.reference, reason)


@dataclass(frozen=True, slots=True)
class Message:
    """A short message on a payer's phone."""

    bank: str
    code: str
    amount: int
    currency: str
    at: datetime


class Book:
    """Every call is one transaction, on the disk when it returns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(TABLES)

    def mode(self, bank: str) -> str:
        with self._open() as db:
            found = db.execute("SELECT mode FROM modes WHERE bank = ?", [bank]).fetchone()
        return found[0] if found else "well"

    def set_mode(self, bank: str, mode: str) -> None:
        with self._open() as db:
            db.execute("INSERT OR REPLACE INTO modes VALUES (?, ?)", [bank, mode])

    def take(self, bank: str, order: Order, now: datetime, *, declining: bool = False) -> Entry:
        """An order comes in, perhaps once more: it is decided once. A payment waits for its payer."""
        with self._open() as db:
            if self._found(db, bank, order.id) is None:
                reason = "do_not_honour" if declining else self._objection(db, bank, order)
                waits = order.verb in ASKS_THE_PAYER and bank not in AT_ONCE
                if not waits and order.verb in ASKS_THE_PAYER and order.amount % 100 == DECLINED_CENTS:
                    reason = reason or "insufficient_funds"
                state = "refused" if reason else "waiting" if waits else "done"
                db.execute(
                    "INSERT INTO orders (bank, id, verb, amount, currency, about, state, reason, reference, at)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [bank, str(order.id), order.verb, order.amount, order.currency,
                     str(order.about) if order.about else None, state, reason,
                     _reference(order.id) if state == "done" else "", now.isoformat()],
                )  # fmt: skip
            return self._entry(db, bank, order.id)

    def find(self, bank: str, id: UUID) -> Entry | None:
        with self._open() as db:
            return self._found(db, bank, id)

    def cancel(self, bank: str, order: Order, now: datetime) -> Entry:
        """What the payer has not agreed to never will be done; a payment that was done is taken back, nothing else is."""
        with self._open() as db:
            found = self._found(db, bank, order.id)
            if found is None:
                db.execute(
                    "INSERT INTO orders (bank, id, verb, amount, currency, state, reason, at)"
                    " VALUES (?, ?, ?, ?, ?, 'refused', 'cancelled', ?)",
                    [bank, str(order.id), order.verb, order.amount, order.currency, now.isoformat()],
                )
            elif found.state == "waiting" or (found.state == "done" and order.verb in ASKS_THE_PAYER):
                self._end(db, bank, order.id, "refused", "cancelled")
            return self._entry(db, bank, order.id)

    def decide(self, bank: str, id: UUID, *, agreed: bool, now: datetime) -> Entry:
        """The payer agrees, or does not; the platform is told. What has an end keeps it."""
        with self._open() as db:
            if self._entry(db, bank, id).state == "waiting":
                self._end(db, bank, id, "done" if agreed else "refused", "" if agreed else "payer_declined")
                db.execute("INSERT INTO letters (bank, id, due) VALUES (?, ?, ?)", [bank, str(id), now.isoformat()])
            return self._entry(db, bank, id)

    def challenge(self, bank: str, id: UUID, phone: str, now: datetime) -> Entry:
        """A new code for an order that waits, as a message to the phone."""
        with self._open() as db:
            entry = self._entry(db, bank, id)
            if entry.state == "waiting":
                code = f"{secrets.randbelow(10**6):06}"
                db.execute(
                    "UPDATE orders SET phone = ?, code = ? WHERE bank = ? AND id = ?", [phone, code, bank, str(id)]
                )
                db.execute("INSERT INTO messages (phone, bank, text, amount, currency, at) VALUES (?, ?, ?, ?, ?, ?)",
                           [phone, bank, code, entry.order.amount, entry.order.currency, now.isoformat()])  # fmt: skip
            return self._entry(db, bank, id)

    def confirm(self, bank: str, id: UUID, code: str) -> Entry:
        """The code that was told by phone: right, or one try less."""
        with self._open() as db:
            entry = self._entry(db, bank, id)
            if entry.state != "waiting":
                return entry
            right = db.execute("SELECT code FROM orders WHERE bank = ? AND id = ?", [bank, str(id)]).fetchone()[0]
            if right and secrets.compare_digest(right.encode(), code.encode()):
                self._end(db, bank, id, "done", "")
            elif entry.tries + 1 >= TRIES:
                self._end(db, bank, id, "refused", "wrong_code")
            else:
                db.execute("UPDATE orders SET tries = tries + 1 WHERE bank = ? AND id = ?", [bank, str(id)])
            return self._entry(db, bank, id)

    def messages(self, phone: str) -> list[Message]:
        """What came to a phone, newest first."""
        with self._open() as db:
            found = db.execute(
                "SELECT bank, text, amount, currency, at FROM messages WHERE phone = ? ORDER BY n DESC LIMIT 20",
                [phone],
            ).fetchall()
        return [
            Message(bank, text, amount, currency, datetime.fromisoformat(at))
            for bank, text, amount, currency, at in found
        ]

    def letters_due(self, now: datetime) -> list[tuple[int, str, Entry]]:
        """Notifications whose time has come."""
        with self._open() as db:
            due = db.execute("SELECT n, bank, id FROM letters WHERE due <= ? ORDER BY n LIMIT 50", [now.isoformat()])
            return [(n, bank, self._entry(db, bank, UUID(id))) for n, bank, id in due.fetchall()]

    def sent(self, letter: int, now: datetime, *, arrived: bool) -> None:
        """A notification was acknowledged; or it is tried again, for a day."""
        with self._open() as db:
            tries = db.execute("SELECT tries FROM letters WHERE n = ?", [letter]).fetchone()[0]
            if arrived or tries >= len(AGAIN):
                db.execute("DELETE FROM letters WHERE n = ?", [letter])
            else:
                due = now + timedelta(seconds=AGAIN[tries])
                db.execute("UPDATE letters SET tries = tries + 1, due = ? WHERE n = ?", [due.isoformat(), letter])

    def entries(self, bank: str, limit: int = 50) -> list[Entry]:
        """The latest orders of a bank."""
        with self._open() as db:
            found = db.execute("SELECT id FROM orders WHERE bank = ? ORDER BY at DESC, id DESC LIMIT ?", [bank, limit])
            return [self._entry(db, bank, UUID(id)) for (id,) in found.fetchall()]

    def balance(self, bank: str, currency: str) -> int:
        """What it took in for the platform less what it gave out, in minor units."""
        with self._open() as db:
            into, out = (
                db.execute(
                    f"SELECT coalesce(sum(amount), 0) FROM orders WHERE bank = ? AND currency = ? AND state = 'done'"
                    f" AND verb IN ({', '.join('?' for _ in verbs)})", [bank, currency, *verbs],
                ).fetchone()[0]
                for verbs in (INTO_US, OUT_OF_US)
            )  # fmt: skip
        return int(into - out)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")

    def _found(self, db: sqlite3.Connection, bank: str, id: UUID) -> Entry | None:
        found = db.execute(
            "SELECT verb, amount, currency, about, state, reason, reference, tries FROM orders WHERE bank = ? AND id = ?",
            [bank, str(id)],
        ).fetchone()
        if found is None:
            return None
        verb, amount, currency, about, *told = found
        return Entry(Order(id, verb, amount, currency, UUID(about) if about else None), *told)

    def _entry(self, db: sqlite3.Connection, bank: str, id: UUID) -> Entry:
        found = self._found(db, bank, id)
        if found is None:
            raise KeyError(id)
        return found

    def _objection(self, db: sqlite3.Connection, bank: str, order: Order) -> str:
        """Why a bank would not do what follows from another order: there is none such, or too little is left of it."""
        if order.verb not in FOLLOWS:
            return ""
        about = self._found(db, bank, order.about) if order.about else None
        if about is None or about.state != "done" or about.order.verb not in FOLLOWS[order.verb]:
            return "no_such_order"
        taken = db.execute(
            "SELECT coalesce(sum(amount), 0) FROM orders WHERE bank = ? AND about = ? AND state = 'done'",
            [bank, str(order.about)],
        ).fetchone()[0]
        return "too_much" if taken + order.amount > about.order.amount else ""

    def _end(self, db: sqlite3.Connection, bank: str, id: UUID, state: str, reason: str) -> None:
        reference = _reference(id) if state == "done" else ""
        db.execute("UPDATE orders SET state = ?, reason = ?, reference = ? WHERE bank = ? AND id = ?",
                   [state, reason, reference, bank, str(id)])  # fmt: skip


def _reference(id: UUID) -> str:
    return f"SIM{id.hex[-12:].upper()}"

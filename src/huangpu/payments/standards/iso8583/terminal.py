"""A simulated point-of-sale terminal: a pure state machine, driven by a client that has the socket, the file and the clock.

Every act gives a `Step`: the terminal after it, the bytes to append to the journal and the bytes to send. The client makes the
journal durable *before* it sends; then a crash at any moment loses nothing: `Terminal.restart` folds the journal again, and a
request of which nobody knows what came is taken back.

Store and forward: what is stored (a reversal, an advice, a settlement, an upload) is sent again, byte for byte while the
session key is the same, until the host has answered it; until then nothing new begins. Signing on and the like move no money
and may go before it, since it may need a new key.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Conflict, HuangpuError, NotFound
from huangpu.core.money import Money

from . import journal, reading, writing
from .codec import decode, encode
from .layouts import check_layout, forbid
from .macs import MacKey, MasterKey
from .messages import (
    BatchUpload,
    BatchUploadEnd,
    Message,
    NetworkReply,
    NetworkRequest,
    Request,
    Reversal,
    Settlement,
)
from .state import Record, State, given_up, received, sent, totals
from .values import AMOUNT_MAX, COUNT_MAX, Card, Kind, LocalTime, NetworkKind, Original, ReversalReason, Totals, masked
from .wire import check

MANUAL, CHIP = "012", "051"  # DE 22
VOIDS = {Kind.SALE: Kind.VOID, Kind.PRE_AUTHORISATION: Kind.PRE_AUTHORISATION_VOID}


@dataclass(frozen=True, slots=True)
class Setup:
    """Who the terminal is: `identity` (8 characters), `merchant` (15), its one currency, its master key."""

    identity: str
    merchant: str
    currency: str
    master: MasterKey
    operator: str = "01 "


class Step(NamedTuple):
    """What an act gives: append `journal` and make it durable, then send `send`. `message`: what was received."""

    terminal: Terminal
    journal: bytes = b""
    send: bytes | None = None
    message: Message | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal at a moment. Acts that may not be now are refused with `Conflict` `iso8583.waiting` (for an answer),
    `iso8583.stored_first`, `iso8583.not_signed_on` and `iso8583.batch_full`; then nothing has changed."""

    setup: Setup
    state: State = field(default_factory=State)

    @property
    def key(self) -> MacKey | None:
        """The session key; None before a sign-on."""
        wrapped = self.state.wrapped_key
        return self.setup.master.unwrap(wrapped) if wrapped is not None else None

    @property
    def totals(self) -> Totals:
        """What the open batch comes to."""
        return totals(self.state, self.setup.currency)

    # Network management

    def manage(self, kind: NetworkKind) -> Step:
        """Signs on or off, asks for a new session key, or for an echo."""
        self._may_speak(keyed=kind.sealed)
        if kind is NetworkKind.SIGN_OFF:
            self._nothing_stored()
        operator = self.setup.operator if kind is NetworkKind.SIGN_ON else None
        return self._sent(NetworkRequest(**self._who(), kind=kind, batch=self.state.batch, operator=operator))

    # Transactions

    def pay(self, kind: Kind, *, pan: str, amount: int, now: datetime, entry: str = CHIP) -> Step:
        """A sale or a pre-authorisation of `amount` minor units. The card number goes into the bytes to send and nowhere else:
        not into the state, not into the journal."""
        request = self._request(kind, amount, now, entry, card=Card("", masked(pan)))
        return self._sent(request, pan=pan)

    def void(self, stan: int, *, now: datetime) -> Step:
        """Takes back a whole sale or pre-authorisation of the open batch. Refuses with `iso8583.record` (there is none) and
        `iso8583.record_used` (voided, completed or refunded already)."""
        record = self.record(stan)
        if record is None or record.kind not in VOIDS:
            raise NotFound(
                "iso8583.record",
                _("The open batch has no sale or pre-authorisation with trace number %(value)s."),
                field="stan",
                value=stan,
            )
        about = [other.about for other in self.state.records if other.about is not None]
        if any((original.batch, original.stan) == (record.batch, stan) for original in about):
            raise Conflict(
                "iso8583.record_used",
                _("The transaction %(value)s was voided, completed or refunded already."),
                field="stan",
                value=stan,
            )
        return self.refer(VOIDS[record.kind], original=record.reference, amount=record.amount.minor, now=now)

    def refer(self, kind: Kind, *, original: Original, amount: int, now: datetime) -> Step:
        """A refund, a completion or a void of an earlier transaction, which may be of another batch."""
        return self._sent(self._request(kind, amount, now, MANUAL, original=original))

    def settle(self) -> Step:
        """Closes the batch with its totals. If the host's differ, it is uploaded, transaction by transaction."""
        self._may_speak()
        self._nothing_stored()
        return self._sent(Settlement(**self._who(), batch=self.state.batch, totals=self.totals))

    def record(self, stan: int) -> Record | None:
        """The approved transaction of the open batch with that trace number."""
        return next((record for record in self.state.records if record.stan == stan), None)

    # What comes, and what does not

    def receive(self, data: bytes) -> Step:
        """An answer of the host, without envelope and length. What is not sealed with the session key, or answers nothing,
        is refused (`Invalid`, `Conflict`) and has changed nothing."""
        message = decode(data, self.key, tokenise=lambda _pan: "")
        if isinstance(message, NetworkReply) and message.wrapped_key is not None:
            self.setup.master.unwrap(message.wrapped_key)  # refused here, before it is kept
        after = replace(self, state=received(self.state, message))
        line = journal.line(_entry("received", message))
        if after.state.stored is not None and after.state.stored is self.state.stored:
            key_came = after.state.wrapped_key != self.state.wrapped_key
            if not key_came:  # the host cannot now: it is asked again later, by `time_out`, not at once
                return Step(after, line, message=message)
        return after._continued(line)._replace(message=message)

    def time_out(self, *, now: datetime) -> Step:
        """Nobody answered: what waits is taken back, what is stored is sent again, a question of network management is given
        up."""
        if self.state.network is not None:
            return Step(replace(self, state=given_up(self.state)), journal.line({"do": "given_up"}))
        if self.state.waiting is not None:
            return self._taken_back(self.state.waiting, ReversalReason.NO_ANSWER, now)
        return self._continued(b"")

    def cancel(self, *, now: datetime) -> Step:
        """The customer does not wait: what waits for its answer is taken back. Refuses with `iso8583.nothing_to_cancel`."""
        if self.state.waiting is None:
            raise Conflict("iso8583.nothing_to_cancel", _("No transaction waits for its answer: void it instead."))
        return self._taken_back(self.state.waiting, ReversalReason.CANCELLED, now)

    @classmethod
    def restart(cls, setup: Setup, kept: bytes, *, now: datetime) -> tuple[Step, int]:
        """The terminal after a crash, from its journal, and how many bytes of the journal are whole: cut it there before
        appending. Refuses with `iso8583.journal`."""
        found, good = journal.entries(kept)
        state = State()
        for number, entry in enumerate(found, 1):
            folded = _folded(state, entry)
            if folded is None:
                raise journal.damaged(number)
            state = folded
        terminal = cls(setup, given_up(state))
        lines = journal.line({"do": "given_up"}) if state.network is not None else b""
        if state.waiting is not None:
            step = terminal._taken_back(state.waiting, ReversalReason.MALFUNCTION, now)
            return step._replace(journal=lines + step.journal), good
        return terminal._continued(lines), good

    # Within

    def _request(
        self,
        kind: Kind,
        amount: int,
        now: datetime,
        entry: str,
        *,
        card: Card | None = None,
        original: Original | None = None,
    ) -> Request:
        self._may_speak()
        self._nothing_stored()
        so_far = self.totals
        full = len(self.state.records) >= COUNT_MAX
        if full or max(so_far.debit_amount, so_far.credit_amount) + amount > AMOUNT_MAX:
            raise Conflict("iso8583.batch_full", _("The batch is full: settle it first."))
        return Request(
            **self._who(),
            kind=kind,
            local=LocalTime.of(now),
            batch=self.state.batch,
            amount=Money(amount, self.setup.currency),
            entry=entry,
            card=card,
            original=original,
        )

    def _who(self) -> dict[str, Any]:
        return {
            "stan": self.state.next_stan,
            "terminal": self.setup.identity,
            "merchant": self.setup.merchant,
        }

    def _taken_back(self, request: Request, reason: ReversalReason, now: datetime) -> Step:
        reversal = Reversal(
            **self._who(),
            kind=request.kind,
            local=LocalTime.of(now),
            batch=request.batch,
            amount=request.amount,
            reason=reason,
            original_stan=request.stan,
            original_local=request.local,
        )
        after = replace(self, state=sent(self.state, reversal))
        return after._continued(journal.line(_entry("sent", reversal)))

    def _sent(self, message: Message, *, pan: str | None = None) -> Step:
        data = encode(message, self.key, pan=pan)
        after = replace(self, state=sent(self.state, message))
        return Step(after, journal.line(_entry("sent", message)), data)

    def _continued(self, lines: bytes) -> Step:
        """What is stored is sent, or the next of an upload; without a session key it stays until there is one."""
        if self.state.stored is not None:
            return Step(self, lines, encode(self.state.stored, self.key) if self.key is not None else None)
        if self.state.uploaded is None or self.key is None:
            return Step(self, lines)
        step = self._sent(self._upload(self.state.uploaded))
        return step._replace(journal=lines + step.journal)

    def _upload(self, place: int) -> BatchUpload | BatchUploadEnd:
        counted = self.state.counted
        if place >= len(counted):
            return BatchUploadEnd(**self._who(), batch=self.state.batch, count=len(counted))
        record = counted[place]
        return BatchUpload(**self._who(), kind=record.kind, amount=record.amount, original=record.reference)

    def _may_speak(self, *, keyed: bool = True) -> None:
        open_message = self.state.waiting or self.state.network
        if open_message is not None:
            raise Conflict(
                "iso8583.waiting",
                _("The terminal waits for the answer to message %(value)s."),
                field="DE 11",
                value=open_message.stan,
            )
        if keyed and self.state.wrapped_key is None:
            raise Conflict("iso8583.not_signed_on", _("The terminal must sign on first."))

    def _nothing_stored(self) -> None:
        stored = self.state.stored
        if stored is not None or self.state.uploaded is not None:
            raise Conflict(
                "iso8583.stored_first",
                _("Message %(value)s must be answered before anything new."),
                field="DE 11",
                value=stored.stan if stored is not None else self.state.last_stan,
            )


def _entry(do: str, message: Message) -> journal.Entry:
    """A message as the journal keeps it: its elements, without a card number (the codec adds it) and without a MAC."""
    mti, elements = writing.written(message)
    shown = message.card.masked if isinstance(message, Request) and message.card is not None else None
    return {"do": do, "type": mti, "card": shown, "elements": {str(number): text for number, text in elements.items()}}


def _folded(state: State, entry: journal.Entry) -> State | None:
    """The state after an entry; None for one that no terminal wrote."""
    try:
        if entry["do"] == "given_up":
            return given_up(state)
        step = {"sent": sent, "received": received}[entry["do"]]
        elements = {int(number): str(text) for number, text in entry["elements"].items()}
        check(elements)
        forbid({2}, elements)
        check_layout(entry["type"], elements)
        card = Card("", str(entry["card"])) if entry["card"] is not None else None
        return step(state, reading.read(entry["type"], elements, card))
    except (HuangpuError, KeyError, TypeError, ValueError, AttributeError):
        return None

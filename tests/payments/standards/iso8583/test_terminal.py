"""The terminal against a host: its ways, store and forward, and crashes at every byte of its journal."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from huangpu.core.errors import Conflict, HuangpuError, Invalid, NotFound
from huangpu.payments.standards.iso8583 import journal
from huangpu.payments.standards.iso8583.codec import decode, encode
from huangpu.payments.standards.iso8583.macs import MasterKey
from huangpu.payments.standards.iso8583.messages import (
    BatchUpload,
    Reply,
    Request,
    Reversal,
    Settlement,
    SettlementReply,
)
from huangpu.payments.standards.iso8583.terminal import Setup, Step, Terminal
from huangpu.payments.standards.iso8583.values import (
    Kind,
    NetworkKind,
    Original,
    Reconciliation,
    ResponseCode,
    ReversalReason,
    Totals,
)

from .host import Host
from .samples import AES_MASTER, PAN, TDES_MASTER, WHO, tokenise

NOW = datetime(2026, 6, 1, 4, 0, tzinfo=UTC)


class Till:
    """What a client is to a terminal: the journal, the line to the host."""

    def __init__(self, master: MasterKey = TDES_MASTER) -> None:
        self.setup = Setup(WHO["terminal"], WHO["merchant"], "CNY", master)
        self.terminal = Terminal(self.setup)
        self.host = Host(master)
        self.journal = b""

    def take(self, step: Step) -> bytes | None:
        self.journal += step.journal
        self.terminal = step.terminal
        return step.send

    def go(self, step: Step) -> None:
        """To the host and back until nothing is left to send."""
        send = self.take(step)
        while send is not None:
            send = self.take(self.terminal.receive(self.host.answer(send)))

    def sign_on(self) -> None:
        self.go(self.terminal.manage(NetworkKind.SIGN_ON))

    def sell(self, amount: int = 1_000, kind: Kind = Kind.SALE) -> Step:
        return self.terminal.pay(kind, pan=PAN, amount=amount, now=NOW)

    def crash(self, lost: int = 0) -> Step:
        """Restarts from the journal without its last `lost` bytes."""
        kept = self.journal[: len(self.journal) - lost]
        step, good = Terminal.restart(self.setup, kept, now=NOW)
        self.journal = kept[:good]
        return step


@pytest.fixture(params=[TDES_MASTER, AES_MASTER], ids=["TDES", "AES"])
def till(request: pytest.FixtureRequest) -> Till:
    till = Till(request.param)
    till.sign_on()
    return till


def refused(code: str) -> pytest.RaisesExc[HuangpuError]:
    return pytest.RaisesExc(HuangpuError, check=lambda error: error.code == code)


def test_a_day_at_the_till(till: Till) -> None:
    till.go(till.sell(10_000))
    first = till.terminal.state.records[0]
    till.go(till.sell(2_500))
    till.go(till.terminal.void(first.stan, now=NOW))
    till.go(till.sell(30_000, Kind.PRE_AUTHORISATION))
    held = till.terminal.state.records[-1]
    till.go(till.terminal.refer(Kind.COMPLETION, original=held.reference, amount=28_000, now=NOW))
    till.go(till.terminal.refer(Kind.REFUND, original=Original(0, 9, 5, 31, "000000000009"), amount=700, now=NOW))
    assert till.terminal.totals == Totals("CNY", 3, 40_500, 2, 10_700) == till.host.totals
    assert till.terminal.state.batch == 1
    till.go(till.terminal.settle())
    assert (till.terminal.state.batch, till.terminal.state.records) == (2, ())
    assert till.host.closed == [1]
    till.go(till.terminal.manage(NetworkKind.ECHO))
    before = till.terminal.key
    till.go(till.terminal.manage(NetworkKind.KEY_EXCHANGE))
    assert till.terminal.key not in (before, None)
    till.go(till.sell())
    till.go(till.terminal.manage(NetworkKind.SIGN_OFF))
    assert till.terminal.key is None
    with refused("iso8583.not_signed_on"):
        till.sell()
    stans = [record.stan for record in till.terminal.state.records]
    assert stans == [11]  # every message had a number of its own


def test_declined_is_not_in_the_batch(till: Till) -> None:
    till.host.decline = ResponseCode.INSUFFICIENT_FUNDS
    send = till.take(till.sell())
    step = till.terminal.receive(till.host.answer(send or b""))
    assert isinstance(step.message, Reply)
    assert step.message.response is ResponseCode.INSUFFICIENT_FUNDS
    assert str(step.message.response.meaning) == "There is not enough money on the card."
    assert (step.terminal.state.waiting, step.terminal.state.records) == (None, ())


def test_before_the_sign_on_and_while_waiting() -> None:
    till = Till()
    with refused("iso8583.not_signed_on"):
        till.sell()
    send = till.take(till.terminal.manage(NetworkKind.SIGN_ON))
    with refused("iso8583.waiting"):
        till.terminal.manage(NetworkKind.SIGN_ON)
    till.take(till.terminal.receive(till.host.answer(send or b"")))
    till.take(till.sell())
    for act in (till.sell, till.terminal.settle, lambda: till.terminal.manage(NetworkKind.ECHO)):
        with refused("iso8583.waiting"):
            act()


def test_a_question_of_the_network_is_given_up() -> None:
    till = Till()
    till.take(till.terminal.manage(NetworkKind.SIGN_ON))
    assert till.take(till.terminal.time_out(now=NOW)) is None
    till.sign_on()
    assert till.terminal.key is not None


# Store and forward


def test_nothing_new_before_the_reversal_is_answered(till: Till) -> None:
    sale = till.take(till.sell())
    reversal = till.take(till.terminal.time_out(now=NOW))
    assert sale is not None
    assert reversal is not None
    message = decode(reversal, till.terminal.key, tokenise=tokenise)
    assert isinstance(message, Reversal)
    assert (message.original_stan, message.reason) == (2, ReversalReason.NO_ANSWER)
    for act in (till.sell, till.terminal.settle, lambda: till.terminal.manage(NetworkKind.SIGN_OFF)):
        with refused("iso8583.stored_first"):
            act()
    with refused("iso8583.nothing_to_cancel"):
        till.terminal.cancel(now=NOW)
    for _again in range(3):
        assert till.take(till.terminal.time_out(now=NOW)) == reversal  # byte for byte
    late = till.host.answer(sale)  # it was approved after all
    with refused("iso8583.reply_unexpected"):
        till.terminal.receive(late)
    assert till.host.totals.debit_count == 1
    till.take(till.terminal.receive(till.host.answer(reversal)))
    assert till.terminal.totals == till.host.totals == Totals("CNY")
    till.go(till.sell())


def test_a_reversal_that_the_host_cannot_take_now_is_kept_and_sent_later(till: Till) -> None:
    till.take(till.sell())
    reversal = till.take(till.terminal.cancel(now=NOW))
    assert reversal is not None
    till.host.decline = ResponseCode.SYSTEM_MALFUNCTION
    assert till.take(till.terminal.receive(till.host.answer(reversal))) is None  # not at once again
    with refused("iso8583.stored_first"):
        till.sell()
    till.host.decline = None
    till.go(till.terminal.time_out(now=NOW))
    assert till.terminal.state.stored is None


def test_a_new_key_goes_before_the_reversal(till: Till) -> None:
    till.take(till.sell())
    reversal = till.take(till.terminal.time_out(now=NOW))
    assert reversal is not None
    till.host.decline = ResponseCode.SIGN_ON_AGAIN
    assert till.take(till.terminal.receive(till.host.answer(reversal))) is None
    assert till.terminal.key is None
    assert till.take(till.terminal.time_out(now=NOW)) is None  # it cannot be sealed
    till.host.decline = None
    send = till.take(till.terminal.manage(NetworkKind.SIGN_ON))
    again = till.take(till.terminal.receive(till.host.answer(send or b"")))  # of itself, under the new key
    assert again is not None
    assert (again[:-8], again[-8:] != reversal[-8:]) == (reversal[:-8], True)
    till.take(till.terminal.receive(till.host.answer(again)))
    till.go(till.sell())


def test_an_advice_is_said_again_until_it_is_heard(till: Till) -> None:
    refund = till.take(
        till.terminal.refer(Kind.REFUND, original=Original(0, 9, 5, 31, "000000000009"), amount=700, now=NOW)
    )
    with refused("iso8583.stored_first"):
        till.sell()
    assert till.take(till.terminal.time_out(now=NOW)) == refund
    till.host.answer(refund or b"")  # its answer is lost
    till.go(till.terminal.time_out(now=NOW))
    assert till.terminal.totals == till.host.totals == Totals("CNY", credit_count=1, credit_amount=700)


@pytest.mark.parametrize("code", [ResponseCode.SYSTEM_MALFUNCTION, ResponseCode.SIGN_ON_AGAIN])
def test_an_advice_that_the_host_cannot_take_now_is_kept(till: Till, code: ResponseCode) -> None:
    till.host.decline = code
    till.go(till.terminal.refer(Kind.REFUND, original=Original(0, 9, 5, 31, "000000000009"), amount=700, now=NOW))
    assert isinstance(till.terminal.state.stored, Request)
    till.host.decline = None
    if till.terminal.key is None:
        till.sign_on()  # after which it goes by itself
    else:
        till.go(till.terminal.time_out(now=NOW))
    assert till.terminal.totals == till.host.totals == Totals("CNY", credit_count=1, credit_amount=700)


def test_an_advice_that_is_declined_is_over(till: Till) -> None:
    till.host.decline = ResponseCode.ORIGINAL_NOT_FOUND
    till.go(till.terminal.refer(Kind.REFUND, original=Original(0, 9, 5, 31, "000000000009"), amount=700, now=NOW))
    assert (till.terminal.state.stored, till.terminal.totals) == (None, Totals("CNY"))


def test_the_batch_is_the_hosts_while_it_is_empty() -> None:
    till = Till()
    till.host.batch = 41
    till.sign_on()
    assert till.terminal.state.batch == 41
    till.host.batch = 50
    till.go(till.terminal.manage(NetworkKind.ECHO))
    assert till.terminal.state.batch == 41  # only a sign-on tells it
    till.host.batch = 41
    till.go(till.sell())
    till.host.batch = 50
    till.sign_on()
    assert till.terminal.state.batch == 41  # what was sold in a batch is settled in it


def test_a_host_that_says_balanced_of_other_totals(till: Till) -> None:
    till.go(till.sell())
    answer = decode(till.host.answer(till.take(till.terminal.settle()) or b""), till.host.key, tokenise=tokenise)
    assert isinstance(answer, SettlementReply)
    with refused("iso8583.reply_unexpected"):
        till.terminal.receive(encode(replace(answer, totals=Totals("CNY", 9, 9)), till.host.key))
    failed = replace(answer, outcome=Reconciliation.FAILED, response=ResponseCode.SYSTEM_MALFUNCTION)
    till.take(till.terminal.receive(encode(failed, till.host.key)))
    assert isinstance(till.terminal.state.stored, Settlement)  # to be asked again
    till.go(till.terminal.time_out(now=NOW))
    assert till.terminal.state.batch == 2


def test_totals_that_differ_are_uploaded(till: Till) -> None:
    till.host.forget = True
    till.go(till.sell(1))
    till.go(till.sell(2))
    till.go(till.sell(4, Kind.PRE_AUTHORISATION))
    till.go(till.terminal.settle())
    assert [one.amount.minor for one in till.host.uploaded] == [1, 2]  # nothing is held back, pre-authorisations apart
    assert all(isinstance(one, BatchUpload) for one in till.host.uploaded)
    assert (till.terminal.state.batch, till.terminal.state.uploaded, till.terminal.totals) == (2, None, Totals("CNY"))


def test_a_crash_within_the_upload(till: Till) -> None:
    till.host.forget = True
    for amount in (1, 2, 3):
        till.go(till.sell(amount))
    send = till.take(till.terminal.settle())
    for _steps in range(3):
        send = till.take(till.terminal.receive(till.host.answer(send or b"")))
    assert [one.amount.minor for one in till.host.uploaded] == [1, 2]
    till.go(till.crash())
    assert [one.amount.minor for one in till.host.uploaded] == [1, 2, 3]
    assert till.terminal.state.batch == 2


def test_voiding_once(till: Till) -> None:
    till.go(till.sell())
    stan = till.terminal.state.records[0].stan
    with pytest.raises(NotFound):
        till.terminal.void(stan + 1, now=NOW)
    till.go(till.terminal.void(stan, now=NOW))
    with refused("iso8583.record_used"):
        till.terminal.void(stan, now=NOW)
    with pytest.raises(NotFound):
        till.terminal.void(till.terminal.state.records[1].stan, now=NOW)  # a void is not voided


def test_a_full_batch(till: Till) -> None:
    till.go(till.sell())
    state = till.terminal.state
    full = replace(till.terminal, state=replace(state, records=state.records * 999))
    with refused("iso8583.batch_full"):
        full.pay(Kind.SALE, pan=PAN, amount=1, now=NOW)
    assert isinstance(full.settle().terminal.state.stored, Settlement)
    with refused("iso8583.batch_full"):
        till.terminal.pay(Kind.SALE, pan=PAN, amount=10**12 - 1_000, now=NOW)


def test_the_trace_number_begins_again(till: Till) -> None:
    till.terminal = replace(till.terminal, state=replace(till.terminal.state, last_stan=999_999))
    till.take(till.sell())
    waiting = till.terminal.state.waiting
    assert waiting is not None
    assert waiting.stan == 1


# What it does not believe


def test_an_answer_under_another_key_changes_nothing(till: Till) -> None:
    send = till.take(till.sell())
    before = till.terminal
    answer = till.host.answer(send or b"")
    with refused("iso8583.mac"):
        till.terminal.receive(answer[:-1] + bytes([answer[-1] ^ 1]))
    with refused("iso8583.mac"):
        till.terminal.receive(send[:-8] + answer[-8:] if send else b"")
    with refused("iso8583.reply_unexpected"):
        till.terminal.receive(send or b"")  # its own message thrown back
    assert till.terminal == before
    till.take(till.terminal.receive(answer))
    with refused("iso8583.reply_unexpected"):
        till.terminal.receive(answer)  # a second time


@pytest.mark.parametrize("what", ["stan", "terminal", "amount", "batch", "kind"])
def test_an_answer_to_something_else(till: Till, what: str) -> None:
    send = till.take(till.sell())
    answer = decode(till.host.answer(send or b""), till.host.key, tokenise=tokenise)
    assert isinstance(answer, Reply)
    other = {"stan": 77, "terminal": "T9999999", "amount": answer.amount + answer.amount, "batch": 5, "kind": Kind.VOID}
    with refused("iso8583.reply_unexpected"):
        till.terminal.receive(encode(replace(answer, **{what: other[what]}), till.host.key))


def test_a_session_key_of_another_master_key(till: Till) -> None:
    till.go(till.terminal.manage(NetworkKind.SIGN_OFF))
    send = till.take(till.terminal.manage(NetworkKind.SIGN_ON))
    foreign = Host(MasterKey(till.host.master.kind, bytes(range(100, 116))))
    with refused("iso8583.key_wrapped"):
        till.terminal.receive(foreign.answer(send or b""))
    assert till.terminal.key is None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120))
def test_random_answers(data: bytes) -> None:
    with pytest.raises((Invalid, Conflict)):
        WAITING.terminal.receive(data)


WAITING = Till()
WAITING.sign_on()
WAITING.take(WAITING.sell())


# The journal


def test_the_journal_holds_no_card_and_no_key(till: Till) -> None:
    till.go(till.sell())
    till.take(till.sell())
    assert PAN.encode() not in till.journal
    assert PAN[:6].encode() + b"******" in till.journal
    assert till.terminal.key is not None
    for secret in (till.terminal.key.value, till.setup.master.value):
        assert secret not in till.journal
        assert secret.hex().encode() not in till.journal.lower()
    assert PAN not in repr(till.terminal)


def test_a_crash_at_every_byte(till: Till) -> None:
    """Whatever was written of the last line: the terminal is where it was after a whole line, and what waited is taken back."""
    states = {0: Terminal(till.setup).state}
    for step in (lambda: till.sell(1), lambda: till.sell(2), till.terminal.settle):
        send = till.take(step())
        states[len(till.journal)] = till.terminal.state
        till.take(till.terminal.receive(till.host.answer(send or b"")))
        states[len(till.journal)] = till.terminal.state
        if len(states) == 5:
            break
    whole = till.journal
    ends = [0, *(place + 1 for place, byte in enumerate(whole) if byte == ord("\n"))]
    for length in range(len(whole) + 1):
        till.journal = whole
        step = till.crash(lost=len(whole) - length)
        end = max(one for one in ends if one <= length)
        assert len(till.journal) == end
        if end not in states:
            continue
        before = states[end]
        assert step.terminal.state.records == before.records
        if before.waiting is None:
            assert step.terminal.state == before
        else:
            assert isinstance(step.terminal.state.stored, Reversal)
            assert step.terminal.state.stored.original_stan == before.waiting.stan
            assert step.terminal.state.stored.reason is ReversalReason.MALFUNCTION
            assert step.send is not None


def test_a_damaged_journal_is_refused(till: Till) -> None:
    till.go(till.sell())
    first = till.journal.index(b"\n")
    for place in range(first):
        changed = bytearray(till.journal)
        changed[place] ^= 4
        with refused("iso8583.journal"):
            Terminal.restart(till.setup, bytes(changed), now=NOW)


def test_a_journal_with_a_card_number_is_none_of_ours(till: Till) -> None:
    start = len(till.journal)
    till.take(till.sell())
    (entry,), _good = journal.entries(till.journal[start:])
    entry["elements"]["2"] = PAN
    with refused("iso8583.journal"):
        Terminal.restart(till.setup, till.journal[:start] + journal.line(entry), now=NOW)


SCRAPS = st.recursive(
    st.none() | st.integers() | st.text(max_size=6) | st.sampled_from(["sent", "received", "0200", "0800"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["do", "type", "card", "elements", "2", "11", "41", "x"]), inner, max_size=5)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["do", "type", "card", "elements"]), SCRAPS))
def test_a_line_that_no_terminal_wrote(entry: dict[str, object]) -> None:
    if entry.get("do") == "given_up":
        return
    with pytest.raises(Invalid) as refusal:
        Terminal.restart(WAITING.setup, WAITING.journal + journal.line(entry), now=NOW)
    assert refusal.value.code == "iso8583.journal"


@given(st.binary(max_size=100))
def test_a_journal_of_random_bytes(kept: bytes) -> None:
    try:
        step, good = Terminal.restart(WAITING.setup, kept, now=NOW)
    except Invalid as refusal:
        code: str | None = refusal.code
    else:
        code = None
        assert (step.terminal.state, good) == (Terminal(WAITING.setup).state, 0)
    assert code in (None, "iso8583.journal")


# All of it at once: a line that loses messages, a client that crashes, and in the end the books are the same


class LossyDay(RuleBasedStateMachine):
    """Requests and answers get lost, the till crashes and restarts; the host's books and the terminal's never part for good."""

    def __init__(self) -> None:
        super().__init__()
        self.till = Till()
        self.till.sign_on()
        self.late: list[bytes] = []

    def deliver(self, send: bytes | None, fate: str) -> None:
        """`fate`: of the first message: the way there fails, the way back does, or all goes well."""
        while send is not None:
            if fate == "lost":
                return
            answer = self.till.host.answer(send)
            self.late.append(answer)
            if fate == "unanswered":
                return
            send = self.till.take(self.till.terminal.receive(answer))
            fate = "well"

    FATES = st.sampled_from(["well", "well", "lost", "unanswered"])

    def quiet(self) -> bool:
        state = self.till.terminal.state
        return (state.waiting, state.stored, state.network, state.uploaded) == (None, None, None, None)

    @precondition(quiet)
    @rule(amount=st.integers(1, 10_000), kind=st.sampled_from([Kind.SALE, Kind.PRE_AUTHORISATION]), fate=FATES)
    def pay(self, amount: int, kind: Kind, fate: str) -> None:
        self.deliver(self.till.take(self.till.sell(amount, kind)), fate)

    @precondition(quiet)
    @rule(fate=FATES)
    def void(self, fate: str) -> None:
        for record in self.till.terminal.state.records:
            try:
                step = self.till.terminal.void(record.stan, now=NOW)
            except (Conflict, NotFound):
                continue
            self.deliver(self.till.take(step), fate)
            return

    @precondition(quiet)
    @rule(amount=st.integers(1, 10_000), kind=st.sampled_from([Kind.REFUND, Kind.COMPLETION]), fate=FATES)
    def advise(self, amount: int, kind: Kind, fate: str) -> None:
        original = Original(0, 9, 5, 31, "000000000009", "A00009")
        step = self.till.terminal.refer(kind, original=original, amount=amount, now=NOW)
        self.deliver(self.till.take(step), fate)

    @precondition(quiet)
    @rule(fate=FATES)
    def settle(self, fate: str) -> None:
        self.deliver(self.till.take(self.till.terminal.settle()), fate)

    @precondition(lambda self: not self.quiet())
    @rule(fate=FATES)
    def time_out(self, fate: str) -> None:
        self.deliver(self.till.take(self.till.terminal.time_out(now=NOW)), fate)

    @rule(fate=FATES)
    def crash(self, fate: str) -> None:
        self.deliver(self.till.take(self.till.crash()), fate)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def an_old_answer_comes_again(self, data: st.DataObject) -> None:
        answer = data.draw(st.sampled_from(self.late))
        try:
            self.deliver(self.till.take(self.till.terminal.receive(answer)), "well")
        except (Conflict, Invalid):
            return

    @invariant()
    def books_are_the_same_when_nothing_is_open(self) -> None:
        if self.quiet():
            assert self.till.terminal.totals == self.till.host.totals
            assert self.till.terminal.state.batch == self.till.host.batch
        assert not self.till.host.uploaded  # the totals never differed

    @invariant()
    def the_journal_tells_all(self) -> None:
        step, good = Terminal.restart(self.till.setup, self.till.journal, now=NOW)
        assert good == len(self.till.journal)
        assert step.terminal.state.records == self.till.terminal.state.records

    def teardown(self) -> None:
        for _tries in range(3):
            self.till.go(self.till.terminal.time_out(now=NOW))
        assert self.quiet()
        self.till.go(self.till.terminal.settle())
        assert not self.till.terminal.state.records
        assert self.till.terminal.state.batch == self.till.host.batch


TestLossyDay = LossyDay.TestCase
TestLossyDay.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_requests_hold_no_number() -> None:
    waiting = WAITING.terminal.state.waiting
    assert isinstance(waiting, Request)
    assert waiting.card is not None
    assert waiting.card.token == ""

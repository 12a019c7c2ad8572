"""What the elements mean: cards without their number, times without a year, kinds of transaction, response codes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import SHANGHAI
from huangpu.core.errors import Invalid

PAN_LENGTHS = range(13, 20)
STAN_MAX = BATCH_MAX = 999_999
AMOUNT_MAX = 10**12 - 1
COUNT_MAX = 999  # of each side of a batch


@dataclass(frozen=True, slots=True)
class Card:
    """A card as anyone behind the decoder knows it: the token stands for its number, `masked` is for people (the first six
    and the last four digits: «622222******1234»)."""

    token: str
    masked: str


def masked(pan: str) -> str:
    """The first six and the last four digits, stars between (PCI DSS 3.4.1 allows no more to be shown)."""
    return pan[:6] + "*" * (len(pan) - 10) + pan[-4:]


def check_pan(pan: str) -> str:
    """A card number of 13 to 19 digits whose last satisfies Luhn's formula (ISO/IEC 7812-1 annex B), as it came.

    Refuses with `iso8583.pan`; the error does not hold the number."""
    if not (pan.isascii() and pan.isdigit() and len(pan) in PAN_LENGTHS and _luhn(pan)):
        raise Invalid(
            "iso8583.pan",
            _("%(field)s is not a card number: it has 13 to 19 digits, of which the last proves the others."),
            field="DE 2",
        )
    return pan


def _luhn(pan: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in pan[-2::-2])
    return (sum(doubled) + sum(int(digit) for digit in pan[-1::-2])) % 10 == 0


def check_stan(stan: int, field: str) -> int:
    """Refuses with `iso8583.stan`."""
    if not 0 < stan <= STAN_MAX:
        raise Invalid(
            "iso8583.stan",
            _("“%(value)s” in %(field)s is no trace number; they run from 000001 to 999999."),
            field=field,
            value=f"{stan:06}",
        )
    return stan


def check_batch(batch: int, field: str) -> int:
    """Refuses with `iso8583.batch`."""
    if not 0 <= batch <= BATCH_MAX:
        raise Invalid(
            "iso8583.batch",
            _("“%(value)s” in %(field)s is no batch; they run from 000000 to 999999."),
            field=field,
            value=batch,
        )
    return batch


def check_amount(minor: int) -> int:
    """Refuses with `iso8583.amount`."""
    if not 0 < minor <= AMOUNT_MAX:
        raise Invalid(
            "iso8583.amount",
            _("“%(value)s” in %(field)s is no amount; it is above zero and has at most twelve digits."),
            field="DE 4",
            value=minor,
        )
    return minor


def wrong_totals(value: str) -> Invalid:
    """The error of a count or total that cannot be: `iso8583.totals`."""
    return Invalid(
        "iso8583.totals",
        _("“%(value)s” in %(field)s is no count or total that this message could have."),
        field="DE 48",
        value=value,
    )


def wrong_original(field: str, value: str) -> Invalid:
    """The error of an original that cannot be: `iso8583.original`."""
    return Invalid(
        "iso8583.original",
        _("“%(value)s” in %(field)s names no original that this message could be about."),
        field=field,
        value=value,
    )


@dataclass(frozen=True, slots=True, order=True)
class LocalTime:
    """The terminal's own clock as DE 13 and DE 12 carry it: no year, no zone. Refuses with `iso8583.time`."""

    month: int
    day: int
    hour: int
    minute: int
    second: int

    def __post_init__(self) -> None:
        try:
            datetime(2024, self.month, self.day, self.hour, self.minute, self.second, tzinfo=UTC)  # a leap year
        except ValueError:
            good = False
        else:
            good = True
        if not good:
            raise Invalid(
                "iso8583.time",
                _("“%(value)s” in %(field)s is no day and time; write MMDD and hhmmss."),
                field="DE 12",
                value=f"{self.digits[:4]} {self.digits[4:]}",
            )

    @classmethod
    def of(cls, instant: datetime) -> LocalTime:
        """The instant on a clock in Shanghai, to the second."""
        here = instant.astimezone(SHANGHAI)
        return cls(here.month, here.day, here.hour, here.minute, here.second)

    @classmethod
    def read(cls, digits: str) -> LocalTime:
        """From ten digits, MMDDhhmmss."""
        return cls(*(int(digits[start : start + 2]) for start in range(0, 10, 2)))

    @property
    def digits(self) -> str:
        return f"{self.month:02}{self.day:02}{self.hour:02}{self.minute:02}{self.second:02}"

    def instant(self, near: datetime) -> datetime:
        """The instant in UTC, of the year that brings it nearest to `near` (aware)."""
        found = []
        for year in (near.year - 1, near.year, near.year + 1):
            try:
                there = datetime(year, self.month, self.day, self.hour, self.minute, self.second, tzinfo=SHANGHAI)
            except ValueError:  # 29 February of another year
                continue
            found.append(there.astimezone(UTC))
        if not found:
            raise Invalid(
                "iso8583.time",
                _("“%(value)s” in %(field)s is no day and time; write MMDD and hhmmss."),
                field="DE 13",
                value=self.digits[:4],
            )
        return min(found, key=lambda instant: abs(instant - near))


@dataclass(frozen=True, slots=True)
class Original:
    """The earlier transaction that this one is about: its batch, STAN and day (DE 61), its retrieval reference number (DE 37)
    and, if it had one, its authorisation code (DE 38)."""

    batch: int
    stan: int
    month: int
    day: int
    rrn: str
    auth_code: str | None = None

    def __post_init__(self) -> None:
        check_stan(self.stan, "DE 61")
        check_batch(self.batch, "DE 61")
        LocalTime(self.month, self.day, 0, 0, 0)


class Shape(NamedTuple):
    """How a kind of transaction is told on the wire: message type, DE 3, DE 25, the first two digits of DE 60."""

    mti: str
    processing_code: str
    condition: str
    type_code: str


class Kind(Enum):
    """The transactions, with UnionPay's codes. A completion is the advice 0220/24 (通知), not the request 0200/20; a refund is
    UnionPay's 0220/25 too. What is advised is so: the terminal says it again until it is answered."""

    SALE = Shape("0200", "000000", "00", "22")
    VOID = Shape("0200", "200000", "00", "23")
    REFUND = Shape("0220", "200000", "00", "25")
    PRE_AUTHORISATION = Shape("0100", "030000", "06", "10")
    PRE_AUTHORISATION_VOID = Shape("0100", "200000", "06", "11")
    COMPLETION = Shape("0220", "000000", "06", "24")

    @property
    def mti(self) -> str:
        return self.value.mti

    @property
    def refers(self) -> bool:
        """Whether it is about an earlier transaction, which it then must name; the others need a card."""
        return self not in (Kind.SALE, Kind.PRE_AUTHORISATION)

    @property
    def is_advice(self) -> bool:
        return self.mti == "0220"

    @property
    def is_debit(self) -> bool | None:
        """On which side of the totals it counts: True debit, False credit, None neither."""
        return {Kind.SALE: True, Kind.COMPLETION: True, Kind.VOID: False, Kind.REFUND: False}.get(self)


class NetworkKind(Enum):
    """What DE 60 asks of the network (its last three digits): UnionPay's codes, and 101 of ISO 8583 for a change of key."""

    SIGN_ON = "003"
    SIGN_OFF = "002"
    KEY_EXCHANGE = "101"
    ECHO = "301"

    @property
    def sealed(self) -> bool:
        """Signing on brings the first key, therefore it has no MAC; the key proves itself."""
        return self is not NetworkKind.SIGN_ON

    @property
    def brings_key(self) -> bool:
        return self in (NetworkKind.SIGN_ON, NetworkKind.KEY_EXCHANGE)


class ReversalReason(Enum):
    """Why a terminal takes a request back (DE 39 of 0400), UnionPay's codes."""

    CANCELLED = "17"
    MALFUNCTION = "96"
    NO_ANSWER = "98"
    WRONG_MAC = "A0"


class Reconciliation(Enum):
    """What the host says of a batch's totals: the last digit of DE 48 (0 in the question)."""

    ASKED = "0"
    BALANCED = "1"
    DIFFERENT = "2"
    FAILED = "3"


@dataclass(frozen=True, slots=True)
class Totals:
    """What a batch came to, in one currency: counts, and amounts in its minor units."""

    currency: str
    debit_count: int = 0
    debit_amount: int = 0
    credit_count: int = 0
    credit_amount: int = 0

    def __post_init__(self) -> None:
        for value, most in (
            (self.debit_count, COUNT_MAX),
            (self.credit_count, COUNT_MAX),
            (self.debit_amount, AMOUNT_MAX),
            (self.credit_amount, AMOUNT_MAX),
        ):
            if not 0 <= value <= most:
                raise wrong_totals(str(value))


class ResponseCode(Enum):
    """The answer to a request (DE 39): ISO 8583's and UnionPay's codes."""

    APPROVED = "00"
    REFER_TO_ISSUER = "01"
    INVALID_MERCHANT = "03"
    CAPTURE_CARD = "04"
    DO_NOT_HONOUR = "05"
    SUSPECTED_FRAUD = "07"
    INVALID_TRANSACTION = "12"
    INVALID_AMOUNT = "13"
    INVALID_CARD = "14"
    NO_SUCH_ISSUER = "15"
    SUSPECTED_MALFUNCTION = "22"
    ORIGINAL_NOT_FOUND = "25"
    FORMAT_ERROR = "30"
    SUSPECTED_COUNTERFEIT = "34"
    PIN_TRIES_EXCEEDED_CAPTURE = "38"
    NOT_SUPPORTED = "40"
    LOST_CARD = "41"
    STOLEN_CARD = "43"
    INSUFFICIENT_FUNDS = "51"
    EXPIRED_CARD = "54"
    WRONG_PIN = "55"
    NOT_PERMITTED_TO_CARDHOLDER = "57"
    NOT_PERMITTED_TO_TERMINAL = "58"
    AMOUNT_LIMIT_EXCEEDED = "61"
    RESTRICTED_CARD = "62"
    ORIGINAL_AMOUNT_WRONG = "64"
    COUNT_LIMIT_EXCEEDED = "65"
    ANSWERED_TOO_LATE = "68"
    PIN_TRIES_EXCEEDED = "75"
    SIGN_ON_AGAIN = "77"
    CUT_OFF = "90"
    ISSUER_UNAVAILABLE = "91"
    NO_ROUTE = "92"
    DUPLICATE = "94"
    TOTALS_DIFFER = "95"
    SYSTEM_MALFUNCTION = "96"
    TERMINAL_UNKNOWN = "97"
    HOST_TIMED_OUT = "98"
    WRONG_PIN_FORMAT = "99"
    WRONG_MAC = "A0"

    @property
    def approved(self) -> bool:
        return self is ResponseCode.APPROVED

    @property
    def meaning(self) -> Any:
        """A sentence for the person at the till, translated when shown."""
        return MEANINGS[self]


MEANINGS: dict[ResponseCode, Any] = {
    ResponseCode.APPROVED: _("Approved."),
    ResponseCode.REFER_TO_ISSUER: _("Ask the card's issuer."),
    ResponseCode.INVALID_MERCHANT: _("The merchant is not known."),
    ResponseCode.CAPTURE_CARD: _("Keep the card."),
    ResponseCode.DO_NOT_HONOUR: _("Declined by the issuer."),
    ResponseCode.SUSPECTED_FRAUD: _("Keep the card: fraud is suspected."),
    ResponseCode.INVALID_TRANSACTION: _("The transaction is not valid."),
    ResponseCode.INVALID_AMOUNT: _("The amount is not valid."),
    ResponseCode.INVALID_CARD: _("The card number is not valid."),
    ResponseCode.NO_SUCH_ISSUER: _("The card's issuer is not known."),
    ResponseCode.SUSPECTED_MALFUNCTION: _("Something is wrong with the transaction; try again."),
    ResponseCode.ORIGINAL_NOT_FOUND: _("The original transaction was not found."),
    ResponseCode.FORMAT_ERROR: _("The message has an error of format."),
    ResponseCode.SUSPECTED_COUNTERFEIT: _("Keep the card: it may be counterfeit."),
    ResponseCode.PIN_TRIES_EXCEEDED_CAPTURE: _("Keep the card: the PIN was wrong too often."),
    ResponseCode.NOT_SUPPORTED: _("The issuer does not support this transaction."),
    ResponseCode.LOST_CARD: _("Keep the card: it was reported lost."),
    ResponseCode.STOLEN_CARD: _("Keep the card: it was reported stolen."),
    ResponseCode.INSUFFICIENT_FUNDS: _("There is not enough money on the card."),
    ResponseCode.EXPIRED_CARD: _("The card has expired."),
    ResponseCode.WRONG_PIN: _("The PIN is wrong."),
    ResponseCode.NOT_PERMITTED_TO_CARDHOLDER: _("The cardholder may not do this."),
    ResponseCode.NOT_PERMITTED_TO_TERMINAL: _("The terminal may not do this."),
    ResponseCode.AMOUNT_LIMIT_EXCEEDED: _("The amount is above the limit."),
    ResponseCode.RESTRICTED_CARD: _("The card is restricted."),
    ResponseCode.ORIGINAL_AMOUNT_WRONG: _("The amount does not match the original transaction."),
    ResponseCode.COUNT_LIMIT_EXCEEDED: _("The card was used too often."),
    ResponseCode.ANSWERED_TOO_LATE: _("The issuer answered too late."),
    ResponseCode.PIN_TRIES_EXCEEDED: _("The PIN was wrong too often."),
    ResponseCode.SIGN_ON_AGAIN: _("The terminal must sign on again."),
    ResponseCode.CUT_OFF: _("The day is being closed; try again later."),
    ResponseCode.ISSUER_UNAVAILABLE: _("The issuer cannot be reached."),
    ResponseCode.NO_ROUTE: _("The way to the issuer is not known."),
    ResponseCode.DUPLICATE: _("The transaction came twice."),
    ResponseCode.TOTALS_DIFFER: _("The totals of the batch differ."),
    ResponseCode.SYSTEM_MALFUNCTION: _("The host has a malfunction."),
    ResponseCode.TERMINAL_UNKNOWN: _("The terminal is not known."),
    ResponseCode.HOST_TIMED_OUT: _("The host did not get an answer."),
    ResponseCode.WRONG_PIN_FORMAT: _("The PIN block is not valid; sign on again."),
    ResponseCode.WRONG_MAC: _("The message authentication code is wrong; sign on again."),
}

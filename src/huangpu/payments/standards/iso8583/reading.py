"""From elements, whose formats were checked and whose MAC was right, to a typed message."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypedDict, TypeVar

from django.utils.translation import gettext_lazy as _

from huangpu.core.errors import Invalid
from huangpu.core.money import Money

from .currencies import letters_of
from .layouts import forbid, require
from .messages import (
    BatchUpload,
    BatchUploadEnd,
    BatchUploadReply,
    Message,
    NetworkReply,
    NetworkRequest,
    Reply,
    Request,
    Reversal,
    ReversalReply,
    Settlement,
    SettlementReply,
)
from .values import (
    Card,
    Kind,
    LocalTime,
    NetworkKind,
    Original,
    Reconciliation,
    ResponseCode,
    ReversalReason,
    Shape,
    Totals,
    check_amount,
    check_stan,
    wrong_original,
    wrong_totals,
)
from .writing import INSTITUTIONS, NONE, PLAIN, SETTLEMENT, UPLOAD, UPLOAD_END, Elements

SIXTY_LENGTH, ORIGINAL_LENGTH, TOTALS_LENGTH, COUNT_LENGTH = 11, 16, 31, 4

Choice = TypeVar("Choice", bound=Enum)


def read(mti: str, elements: Elements, card: Card | None) -> Message:
    """The message. Refuses with `iso8583.…` codes that name the element. `elements` has no DE 2 any more."""
    return READERS[mti](mti, elements, card)


def _request(mti: str, elements: Elements, card: Card | None) -> Request:
    payment, kind = _payment(elements, mti)
    if kind.refers:
        require({37, 61}, elements)
        original = _original(elements)
    else:
        forbid({37, 38, 61}, elements)
        original = None
    return Request(**payment, kind=kind, entry=elements[22], card=card, original=original)


def _reply(mti: str, elements: Elements, _card: Card | None) -> Reply:
    payment, kind = _payment(elements, f"{int(mti) - 10:04}")
    return Reply(**payment, kind=kind, rrn=elements[37], response=_response(elements), auth_code=elements.get(38))


def _reversal(_mti: str, elements: Elements, _card: Card | None) -> Reversal:
    ninety = elements[90]
    payment, kind = _payment(elements, ninety[:4])
    if ninety[20:] != INSTITUTIONS:
        raise wrong_original("DE 90", ninety)
    return Reversal(
        **payment,
        kind=kind,
        reason=_choice(ReversalReason, elements[39], "DE 39"),
        original_stan=int(ninety[4:10]),
        original_local=LocalTime.read(ninety[10:20]),
    )


def _reversal_reply(_mti: str, elements: Elements, _card: Card | None) -> ReversalReply:
    payment, kind = _payment(elements, None)
    return ReversalReply(**payment, kind=kind, rrn=elements[37], response=_response(elements))


def _upload(_mti: str, elements: Elements, _card: Card | None) -> BatchUpload | BatchUploadEnd:
    type_code, batch, step = _sixty(elements)
    if step == UPLOAD_END:
        require({48}, elements)
        forbid({3, 4, 25, 37, 38, 49, 61}, elements)
        count = elements[48]
        if type_code != PLAIN or len(count) != COUNT_LENGTH:
            raise wrong_totals(count)
        return BatchUploadEnd(**_who(elements), batch=batch, count=int(count))
    _same(step, UPLOAD)
    require({3, 4, 25, 37, 49, 61}, elements)
    forbid({48}, elements)
    original = _original(elements)
    if original.batch != batch:
        raise wrong_original("DE 61", elements[61])
    kind = _kind(elements, type_code, None)
    return BatchUpload(**_who(elements), kind=kind, amount=_money(elements), original=original)


def _upload_reply(_mti: str, elements: Elements, _card: Card | None) -> BatchUploadReply:
    type_code, batch, step = _sixty(elements)
    _same(type_code, PLAIN)
    if step != UPLOAD_END:
        _same(step, UPLOAD)
    return BatchUploadReply(**_who(elements), batch=batch, response=_response(elements), end=step == UPLOAD_END)


def _settlement(_mti: str, elements: Elements, _card: Card | None) -> Settlement:
    totals, outcome = _totals(elements)
    if outcome is not Reconciliation.ASKED:
        raise wrong_totals(elements[48])
    return Settlement(**_who(elements), batch=_plain_batch(elements), totals=totals)


def _settlement_reply(_mti: str, elements: Elements, _card: Card | None) -> SettlementReply:
    totals, outcome = _totals(elements)
    return SettlementReply(
        **_who(elements),
        batch=_plain_batch(elements),
        local=_local(elements),
        totals=totals,
        outcome=outcome,
        response=_response(elements),
    )


def _network(_mti: str, elements: Elements, _card: Card | None) -> NetworkRequest:
    kind, batch = _network_kind(elements)
    return NetworkRequest(**_who(elements), kind=kind, batch=batch, operator=elements.get(63))


def _network_reply(_mti: str, elements: Elements, _card: Card | None) -> NetworkReply:
    kind, batch = _network_kind(elements)
    response = _response(elements)
    wrapped = bytes.fromhex(elements[62]) if 62 in elements else None
    return NetworkReply(
        **_who(elements), kind=kind, batch=batch, local=_local(elements), response=response, wrapped_key=wrapped
    )


READERS: dict[str, Callable[[str, Elements, Card | None], Message]] = {
    **dict.fromkeys(("0100", "0200", "0220"), _request),
    **dict.fromkeys(("0110", "0210", "0230"), _reply),
    "0400": _reversal,
    "0410": _reversal_reply,
    "0320": _upload,
    "0330": _upload_reply,
    "0500": _settlement,
    "0510": _settlement_reply,
    "0800": _network,
    "0810": _network_reply,
}


class _Who(TypedDict):
    stan: int
    terminal: str
    merchant: str


class _Payment(_Who):
    local: LocalTime
    batch: int
    amount: Money


def _who(elements: Elements) -> _Who:
    return {"stan": check_stan(int(elements[11]), "DE 11"), "terminal": elements[41], "merchant": elements[42]}


def _payment(elements: Elements, mti: str | None) -> tuple[_Payment, Kind]:
    type_code, batch, network = _sixty(elements)
    _same(network, NONE)
    payment: _Payment = {
        **_who(elements),
        "local": _local(elements),
        "batch": batch,
        "amount": _money(elements),
    }
    return payment, _kind(elements, type_code, mti)


def _kind(elements: Elements, type_code: str, mti: str | None) -> Kind:
    """By DE 3, 25 and 60, and the message type where it is told."""
    for kind in Kind:
        if kind.value == Shape(mti or kind.mti, elements[3], elements[25], type_code):
            return kind
    raise Invalid(
        "iso8583.transaction",
        _("“%(value)s” is no transaction: DE 3, DE 25 and the first two digits of DE 60 do not belong together here."),
        field="DE 3",
        value=f"{elements[3]} {elements[25]} {type_code}",
    )


def _sixty(elements: Elements) -> tuple[str, int, str]:
    sixty = elements[60]
    if len(sixty) != SIXTY_LENGTH:
        raise _wrong_sixty(sixty)
    return sixty[:2], int(sixty[2:8]), sixty[8:]


def _plain_batch(elements: Elements) -> int:
    type_code, batch, network = _sixty(elements)
    _same(type_code, PLAIN)
    _same(network, SETTLEMENT)
    return batch


def _network_kind(elements: Elements) -> tuple[NetworkKind, int]:
    type_code, batch, network = _sixty(elements)
    _same(type_code, PLAIN)
    return _choice(NetworkKind, network, "DE 60"), batch


def _same(found: str, wanted: str) -> None:
    if found != wanted:
        raise _wrong_sixty(found)


def _wrong_sixty(value: str) -> Invalid:
    return Invalid(
        "iso8583.network_code",
        _(
            "“%(value)s” in %(field)s does not belong to this message: two digits of type, six of batch, three of network."
        ),
        field="DE 60",
        value=value,
    )


def _local(elements: Elements) -> LocalTime:
    return LocalTime.read(elements[13] + elements[12])


def _money(elements: Elements) -> Money:
    return Money(check_amount(int(elements[4])), letters_of(elements[49]))


def _original(elements: Elements) -> Original:
    told = elements[61]
    if len(told) != ORIGINAL_LENGTH:
        raise wrong_original("DE 61", told)
    return Original(
        batch=int(told[:6]),
        stan=int(told[6:12]),
        month=int(told[12:14]),
        day=int(told[14:]),
        rrn=elements[37],
        auth_code=elements.get(38),
    )


def _totals(elements: Elements) -> tuple[Totals, Reconciliation]:
    told = elements[48]
    if len(told) != TOTALS_LENGTH:
        raise wrong_totals(told)
    totals = Totals(
        currency=letters_of(elements[49]),
        debit_amount=int(told[:12]),
        debit_count=int(told[12:15]),
        credit_amount=int(told[15:27]),
        credit_count=int(told[27:30]),
    )
    return totals, _choice(Reconciliation, told[30], "DE 48")


def _response(elements: Elements) -> ResponseCode:
    return _choice(ResponseCode, elements[39], "DE 39")


def _choice(choices: type[Choice], value: str, field: str) -> Choice:
    for choice in choices:
        if choice.value == value:
            return choice
    raise Invalid(
        "iso8583.code_unknown",
        _("“%(value)s” in %(field)s is no code that is known there: %(known)s."),
        field=field,
        value=value,
        known=", ".join(sorted(str(choice.value) for choice in choices)),
    )

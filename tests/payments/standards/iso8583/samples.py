"""Messages of every kind, and what a test host knows. The card numbers are test numbers of the schemes, nobody's."""

from __future__ import annotations

from huangpu.core.money import Money
from huangpu.payments.standards.iso8583.macs import Cryptography, MacKey, MasterKey
from huangpu.payments.standards.iso8583.messages import (
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
from huangpu.payments.standards.iso8583.values import (
    Card,
    Kind,
    LocalTime,
    NetworkKind,
    Original,
    Reconciliation,
    ResponseCode,
    ReversalReason,
    Totals,
    masked,
)

PAN = "6200000000000005"  # UnionPay test number
PAN_19 = "6205500000000000004"
TDES_KEY = MacKey(Cryptography.TDES, bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"))
AES_KEY = MacKey(Cryptography.AES, bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C"))
TDES_MASTER = MasterKey(Cryptography.TDES, bytes.fromhex("11223344556677889900AABBCCDDEEFF"))
AES_MASTER = MasterKey(Cryptography.AES, bytes.fromhex("000102030405060708090A0B0C0D0E0F"))
WHO = {"terminal": "T0000001", "merchant": "310000048140001"}
LOCAL = LocalTime(2, 29, 23, 59, 58)
CNY = Money(12_345, "CNY")
ORIGINAL = Original(batch=7, stan=41, month=12, day=31, rrn="601512345678", auth_code="A1B2C3")
PAYMENT = {**WHO, "local": LOCAL, "batch": 7, "amount": CNY}


def tokenise(pan: str) -> str:
    return f"tok-{sum(int(digit) * place for place, digit in enumerate(pan, 1))}"


def card(pan: str = PAN) -> Card:
    return Card(tokenise(pan), masked(pan))


def requests() -> list[Request]:
    return [
        Request(
            **PAYMENT,
            kind=kind,
            stan=100 + place,
            entry="051",
            card=None if kind is Kind.VOID else card(),
            original=ORIGINAL if kind.refers else None,
        )
        for place, kind in enumerate(Kind)
    ]


def others() -> list[Message]:
    totals = Totals("CNY", 3, 30_000, 1, 999)
    reversible = [kind for kind in Kind if not kind.is_advice]
    return [
        *(Reply(**PAYMENT, kind=kind, stan=1, rrn="601500000001", response=ResponseCode.APPROVED) for kind in Kind),
        Reply(
            **PAYMENT, kind=Kind.SALE, stan=1, rrn="601500000001", response=ResponseCode.WRONG_MAC, auth_code="000001"
        ),
        *(
            Reversal(
                **PAYMENT,
                kind=kind,
                stan=2,
                reason=ReversalReason.NO_ANSWER,
                original_stan=1,
                original_local=LocalTime(1, 1, 0, 0, 0),
            )
            for kind in reversible
        ),
        *(
            ReversalReply(**PAYMENT, kind=kind, stan=2, rrn="601500000002", response=ResponseCode.ORIGINAL_NOT_FOUND)
            for kind in reversible
        ),
        *(BatchUpload(**WHO, kind=kind, stan=3, amount=CNY, original=ORIGINAL) for kind in Kind),
        BatchUpload(**WHO, kind=Kind.SALE, stan=3, amount=CNY, original=Original(7, 1, 1, 1, "601500000001")),
        BatchUploadEnd(**WHO, stan=4, batch=7, count=12),
        BatchUploadReply(**WHO, stan=3, batch=7, response=ResponseCode.APPROVED, end=False),
        BatchUploadReply(**WHO, stan=4, batch=7, response=ResponseCode.APPROVED, end=True),
        Settlement(**WHO, stan=5, batch=7, totals=totals),
        *(
            SettlementReply(
                **WHO, stan=5, batch=7, local=LOCAL, totals=totals, outcome=outcome, response=ResponseCode.APPROVED
            )
            for outcome in Reconciliation
            if outcome is not Reconciliation.ASKED
        ),
        *(NetworkRequest(**WHO, kind=kind, stan=6, batch=7, operator="01 ") for kind in NetworkKind),
        *(
            NetworkReply(
                **WHO,
                kind=kind,
                stan=6,
                batch=7,
                local=LOCAL,
                response=ResponseCode.APPROVED,
                wrapped_key=AES_MASTER.wrap(AES_KEY) if kind.brings_key else None,
            )
            for kind in NetworkKind
        ),
        NetworkReply(
            **WHO, kind=NetworkKind.SIGN_ON, stan=6, batch=7, local=LOCAL, response=ResponseCode.TERMINAL_UNKNOWN
        ),
    ]

"""Credit transfers: what a company asks of its bank (pain.001), what the bank answers (pain.002), what goes from bank to bank
(pacs.008), and what the other bank answers (pacs.002).

Amounts are minor units. An end-to-end id has 1 to 35 characters and stays the same through all of them; ours is the operation's
id in 32 hexadecimal digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.errors import Invalid

from . import parties, xml
from .parties import Account
from .xml import Element, node

INITIATION, CUSTOMER_STATUS = "pain.001.001.09", "pain.002.001.12"
INTERBANK, INTERBANK_STATUS = "pacs.008.001.10", "pacs.002.001.12"
ACCEPTED, REJECTED, SETTLED = "ACCP", "RJCT", "ACSC"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One transfer of an initiation."""

    end_to_end: str
    amount: int
    currency: str
    creditor: Account
    text: str = ""


@dataclass(frozen=True, slots=True)
class Initiation:
    """pain.001: transfers from one account, to be done on a day."""

    id: str
    created: datetime
    debtor: Account
    day: date
    transfers: tuple[Transfer, ...]


@dataclass(frozen=True, slots=True)
class Interbank:
    """pacs.008: transfers from one bank to another, each with its debtor."""

    id: str
    created: datetime
    day: date
    transfers: tuple[tuple[Account, Transfer], ...]


@dataclass(frozen=True, slots=True)
class Status:
    """What became of one transfer: ACCP accepted, ACSC settled, RJCT rejected with its reason (ISO's external code list)."""

    end_to_end: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """pain.002 or pacs.002: what became of the transfers of the message `about`."""

    id: str
    created: datetime
    about: str
    statuses: tuple[Status, ...]


def write_initiation(one: Initiation) -> bytes:
    """pain.001. Refused: `iso20022.empty`, `iso20022.schema`."""
    currencies = {transfer.currency for transfer in one.transfers}
    _some(one.transfers)
    count, total = str(len(one.transfers)), _sum(one.transfers)
    payment = node(
        "PmtInf", node("PmtInfId", f"{one.id}-1"), node("PmtMtd", "TRF"), node("NbOfTxs", count), node("CtrlSum", total),
        node("ReqdExctnDt", node("Dt", one.day.isoformat())), parties.party("Dbtr", one.debtor),
        parties.account("DbtrAcct", one.debtor, currencies.pop() if len(currencies) == 1 else ""),
        parties.agent("DbtrAgt", one.debtor.agent),
        *(_ordered(transfer) for transfer in one.transfers),
    )  # fmt: skip
    head = node("GrpHdr", node("MsgId", one.id), node("CreDtTm", rfc3339(one.created)), node("NbOfTxs", count),
                node("CtrlSum", total), node("InitgPty", node("Nm", one.debtor.name)))  # fmt: skip
    return xml.document(INITIATION, node("CstmrCdtTrfInitn", head, payment))


def _ordered(transfer: Transfer) -> Element:
    return node(
        "CdtTrfTxInf", node("PmtId", node("EndToEndId", transfer.end_to_end)),
        node("Amt", xml.amount("InstdAmt", transfer.amount, transfer.currency)), *_creditor(transfer),
    )  # fmt: skip


def _creditor(transfer: Transfer) -> list[Element | None]:
    return [
        parties.agent("CdtrAgt", transfer.creditor.agent), parties.party("Cdtr", transfer.creditor),
        parties.account("CdtrAcct", transfer.creditor),
        node("RmtInf", node("Ustrd", transfer.text)) if transfer.text else None,
    ]  # fmt: skip


def read_initiation(data: bytes) -> Initiation:
    """pain.001 with one account to debit. Refused: what `xml.read` refuses, `iso20022.count`, `iso20022.sum`,
    `iso20022.several_accounts`."""
    body = xml.read(INITIATION, data)
    payments = xml.every(body, "PmtInf")
    if len(payments) != 1:
        raise Invalid(
            "iso20022.several_accounts", _("The message debits %(value)s accounts; send one message for each."),
            field="PmtInf", value=len(payments),
        )  # fmt: skip
    (payment,) = payments
    found = []
    for one in xml.every(payment, "CdtTrfTxInf"):
        amount, currency = xml.money(one, "Amt/InstdAmt")
        found.append(Transfer(xml.need(one, "PmtId/EndToEndId"), amount, currency, parties.read_account(one, "Cdtr"),
                              xml.text(one, "RmtInf/Ustrd") or ""))  # fmt: skip
    for head in (xml.find(body, "GrpHdr"), payment):
        _check_count(head, found)
    return Initiation(
        xml.need(body, "GrpHdr/MsgId"), xml.instant(xml.need(body, "GrpHdr/CreDtTm"), "CreDtTm"),
        parties.read_account(payment, "Dbtr"), xml.day(xml.need(payment, "ReqdExctnDt/Dt"), "ReqdExctnDt"), tuple(found),
    )  # fmt: skip


def write_interbank(one: Interbank) -> bytes:
    """pacs.008. Refused: `iso20022.empty`, `iso20022.schema`."""
    _some(one.transfers)
    head = node("GrpHdr", node("MsgId", one.id), node("CreDtTm", rfc3339(one.created)),
                node("NbOfTxs", str(len(one.transfers))), node("CtrlSum", _sum([transfer for _by, transfer in one.transfers])),
                node("SttlmInf", node("SttlmMtd", "CLRG")))  # fmt: skip
    return xml.document(INTERBANK, node("FIToFICstmrCdtTrf", head, *(
        node(
            "CdtTrfTxInf", node("PmtId", node("EndToEndId", transfer.end_to_end), node("TxId", transfer.end_to_end)),
            xml.amount("IntrBkSttlmAmt", transfer.amount, transfer.currency), node("IntrBkSttlmDt", one.day.isoformat()),
            node("ChrgBr", "SLEV"), parties.party("Dbtr", debtor), parties.account("DbtrAcct", debtor),
            parties.agent("DbtrAgt", debtor.agent), *_creditor(transfer),
        )
        for debtor, transfer in one.transfers
    )))  # fmt: skip


def read_interbank(data: bytes) -> Interbank:
    """pacs.008. Refused: what `xml.read` refuses, `iso20022.count`, `iso20022.sum`."""
    body = xml.read(INTERBANK, data)
    found, days = [], []
    for one in xml.every(body, "CdtTrfTxInf"):
        amount, currency = xml.money(one, "IntrBkSttlmAmt")
        transfer = Transfer(xml.need(one, "PmtId/EndToEndId"), amount, currency, parties.read_account(one, "Cdtr"),
                            xml.text(one, "RmtInf/Ustrd") or "")  # fmt: skip
        found.append((parties.read_account(one, "Dbtr"), transfer))
        days.append(xml.day(xml.need(one, "IntrBkSttlmDt"), "IntrBkSttlmDt"))
    _check_count(xml.find(body, "GrpHdr"), [transfer for _by, transfer in found])
    return Interbank(xml.need(body, "GrpHdr/MsgId"), xml.instant(xml.need(body, "GrpHdr/CreDtTm"), "CreDtTm"), days[0],
                     tuple(found))  # fmt: skip


def write_customer_report(one: Report) -> bytes:
    """pain.002, to whoever asked by pain.001."""
    head = node("GrpHdr", node("MsgId", one.id), node("CreDtTm", rfc3339(one.created)))
    about = node("OrgnlGrpInfAndSts", node("OrgnlMsgId", one.about), node("OrgnlMsgNmId", INITIATION))
    lines = node("OrgnlPmtInfAndSts", node("OrgnlPmtInfId", f"{one.about}-1"), *map(_status, one.statuses))
    return xml.document(CUSTOMER_STATUS, node("CstmrPmtStsRpt", head, about, lines))


def write_interbank_report(one: Report) -> bytes:
    """pacs.002, to the bank that sent pacs.008."""
    head = node("GrpHdr", node("MsgId", one.id), node("CreDtTm", rfc3339(one.created)))
    about = node("OrgnlGrpInfAndSts", node("OrgnlMsgId", one.about), node("OrgnlMsgNmId", INTERBANK))
    return xml.document(INTERBANK_STATUS, node("FIToFIPmtStsRpt", head, about, *map(_status, one.statuses)))


def read_customer_report(data: bytes) -> Report:
    """pain.002. Refused: what `xml.read` refuses."""
    return _report(xml.read(CUSTOMER_STATUS, data), "OrgnlPmtInfAndSts/TxInfAndSts")


def read_interbank_report(data: bytes) -> Report:
    """pacs.002. Refused: what `xml.read` refuses."""
    return _report(xml.read(INTERBANK_STATUS, data), "TxInfAndSts")


def _status(one: Status) -> Element:
    reason = node("StsRsnInf", node("Rsn", node("Cd", one.reason))) if one.reason else None
    return node("TxInfAndSts", node("OrgnlEndToEndId", one.end_to_end), node("TxSts", one.status), reason)


def _report(body: Element, path: str) -> Report:
    statuses = tuple(
        Status(xml.need(one, "OrgnlEndToEndId"), xml.need(one, "TxSts"), xml.text(one, "StsRsnInf/Rsn/Cd") or "")
        for one in xml.every(body, path)
    )
    return Report(xml.need(body, "GrpHdr/MsgId"), xml.instant(xml.need(body, "GrpHdr/CreDtTm"), "CreDtTm"),
                  xml.need(body, "OrgnlGrpInfAndSts/OrgnlMsgId"), statuses)  # fmt: skip


def _some(transfers: Sequence[object]) -> None:
    if not transfers:
        raise Invalid("iso20022.empty", _("A message of transfers has at least one."), field="CdtTrfTxInf")


def _sum(transfers: Sequence[Transfer]) -> str:
    """The control sum: of all amounts as they are written, whatever their currencies."""
    return f"{sum((Decimal(xml.decimal(one.amount, one.currency)) for one in transfers), Decimal(0)):f}"


def _check_count(head: Element, transfers: Sequence[Transfer]) -> None:
    told, total = xml.text(head, "NbOfTxs"), xml.text(head, "CtrlSum")
    if told is not None and told != str(len(transfers)):
        raise Invalid(
            "iso20022.count", _("%(field)s says %(value)s transfers; there are %(found)s."),
            field="NbOfTxs", value=told, found=len(transfers),
        )  # fmt: skip
    if total is not None and Decimal(total) != Decimal(_sum(transfers)):
        raise Invalid(
            "iso20022.sum", _("%(field)s says %(value)s; the transfers make %(found)s."),
            field="CtrlSum", value=total, found=_sum(transfers),
        )  # fmt: skip

"""What a bank tells of an account: each booking as it happens (camt.054), and the day with its balances (camt.053).

Amounts are minor units, above zero what came in, below what went out. An entry may stand for several transactions; each is a
line of its own here, with its end-to-end id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.utils.translation import gettext_lazy as _

from huangpu.core.clock import rfc3339
from huangpu.core.errors import Invalid

from . import parties, xml
from .parties import Account
from .xml import Element, node

STATEMENT, NOTIFICATION = "camt.053.001.08", "camt.054.001.08"
RECEIVED, ISSUED = "RCDT", "ICDT"  # bank transaction codes: received and issued credit transfers (domain PMNT)


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction. `reference` is the bank's own of the entry."""

    end_to_end: str
    amount: int
    booked_at: datetime
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """camt.054."""

    id: str
    created: datetime
    account: Account
    currency: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """A statement (camt.053) without its lines; `until` is the first instant after it."""

    id: str
    created: datetime
    number: str
    currency: str
    since: datetime
    until: datetime
    opening: int
    closing: int


def write_statement(head: Head, account: Account, entries: Sequence[Sequence[Line]]) -> bytes:
    """camt.053. Each entry is one booking of the lines in it. Refused: `iso20022.schema`."""
    body = node(
        "Stmt", node("Id", head.id), node("CreDtTm", rfc3339(head.created)),
        node("FrToDt", node("FrDtTm", rfc3339(head.since)), node("ToDtTm", rfc3339(head.until))),
        parties.account("Acct", account, head.currency),
        _balance("OPBD", head.opening, head.currency, head.since), _balance("CLBD", head.closing, head.currency, head.until),
        *(_entry(lines, head.currency) for lines in entries),
    )  # fmt: skip
    top = node("GrpHdr", node("MsgId", head.id), node("CreDtTm", rfc3339(head.created)))
    return xml.document(STATEMENT, node("BkToCstmrStmt", top, body))


def write_notification(one: Notification) -> bytes:
    """camt.054, an entry a line."""
    entries = [_entry([line], one.currency) for line in one.lines]
    account = parties.account("Acct", one.account, one.currency)
    body = node("Ntfctn", node("Id", one.id), node("CreDtTm", rfc3339(one.created)), account, *entries)
    top = node("GrpHdr", node("MsgId", one.id), node("CreDtTm", rfc3339(one.created)))
    return xml.document(NOTIFICATION, node("BkToCstmrDbtCdtNtfctn", top, body))


def read_notification(data: bytes) -> list[Line]:
    """The lines of a camt.054. Refused: what `xml.read` refuses, `iso20022.entry`."""
    body = xml.read(NOTIFICATION, data)
    return [line for entry in xml.every(body, "Ntfctn/Ntry") for line in _lines(entry)]


def read_head(file: IO[bytes]) -> Head:
    """What stands before the entries of a camt.053; the file is read to its first entry.

    Refused: `iso20022.missing`, `iso20022.balance` (opening or closing is not told), what `xml.stream` refuses."""
    found: dict[str, int] = {}
    currency = ""
    told: dict[str, str] = {}
    for one in xml.walk(STATEMENT, file, {"GrpHdr", "FrToDt", "Acct", "Bal", "Id", "Ntry"}):
        name = xml.local(one)
        if name == "Ntry":
            break
        if name == "GrpHdr":
            told["created"] = xml.need(one, "CreDtTm")
        elif name == "FrToDt":
            told["since"], told["until"] = xml.need(one, "FrDtTm"), xml.need(one, "ToDtTm")
        elif name == "Acct":
            told["number"] = parties.number(one.getparent(), "Acct")
            currency = xml.text(one, "Ccy") or currency
        elif name == "Id" and xml.local(one.getparent()) == "Stmt":
            told["id"] = one.text or ""
        elif name == "Bal":
            amount, currency = xml.money(one, "Amt")
            found[xml.need(one, "Tp/CdOrPrtry/Cd")] = _signed(one, amount)
    if not {"OPBD", "CLBD"} <= set(found) or not {"created", "since", "until", "number", "id"} <= set(told):
        raise Invalid(
            "iso20022.balance", _("The statement lacks its span, its account, or its opening and closing booked balance."),
            field="Stmt", value=", ".join(sorted({*found, *told})),
        )  # fmt: skip
    created, since, until = (xml.instant(told[name], name) for name in ("created", "since", "until"))
    return Head(told["id"], created, told["number"], currency, since, until, found["OPBD"], found["CLBD"])


def read_lines(file: IO[bytes]) -> Iterator[Line]:
    """The lines of a camt.053, one after another, however many. Refused: `iso20022.entry`, what `xml.stream` refuses."""
    for entry in xml.stream(STATEMENT, file, "Ntry"):
        yield from _lines(entry)


def _lines(entry: Element) -> list[Line]:
    """The transactions of an entry: those of its details, or itself. Together they are the entry."""
    total, currency = xml.money(entry, "Amt")
    total = _signed(entry, total)
    booked = xml.text(entry, "BookgDt/DtTm") or xml.need(entry, "BookgDt/Dt")
    at, reference = xml.instant(booked, "BookgDt"), xml.text(entry, "AcctSvcrRef") or ""
    details = xml.every(entry, "NtryDtls/TxDtls")
    if not details:
        return [Line("NOTPROVIDED", total, at, reference)]
    found = []
    for one in details:
        amount = total if len(details) == 1 and xml.find(one, "Amt") is None else _of(one, entry, currency)
        found.append(Line(xml.text(one, "Refs/EndToEndId") or "NOTPROVIDED", amount, at,
                          xml.text(one, "Refs/AcctSvcrRef") or reference))  # fmt: skip
    if sum(line.amount for line in found) != total:
        raise Invalid(
            "iso20022.entry", _("The entry %(value)s and its transactions are not the same amount."),
            field="Ntry", value=reference or str(total),
        )  # fmt: skip
    return found


def _of(details: Element, entry: Element, currency: str) -> int:
    amount, own = xml.money(details, "Amt")
    if own != currency:
        raise Invalid(
            "iso20022.entry", _("The entry %(value)s and its transactions are not the same amount."),
            field="TxDtls", value=own,
        )  # fmt: skip
    return _signed(details if xml.text(details, "CdtDbtInd") else entry, amount)


def _signed(of: Element, amount: int) -> int:
    return amount if xml.need(of, "CdtDbtInd") == "CRDT" else -amount


def _entry(lines: Sequence[Line], currency: str) -> Element:
    total = sum(line.amount for line in lines)
    family = RECEIVED if total > 0 else ISSUED
    code = node("Domn", node("Cd", "PMNT"), node("Fmly", node("Cd", family), node("SubFmlyCd", "ESCT")))
    return node(
        "Ntry", xml.amount("Amt", abs(total), currency), _direction(total), node("Sts", node("Cd", "BOOK")),
        node("BookgDt", node("DtTm", rfc3339(lines[0].booked_at))),
        node("AcctSvcrRef", lines[0].reference) if lines[0].reference else None,
        node("BkTxCd", code),
        node("NtryDtls", *(_details(line, currency) for line in lines)),
    )  # fmt: skip


def _details(line: Line, currency: str) -> Element:
    return node("TxDtls", node("Refs", node("EndToEndId", line.end_to_end)),
                xml.amount("Amt", abs(line.amount), currency), _direction(line.amount))  # fmt: skip


def _direction(amount: int) -> Element:
    return node("CdtDbtInd", "CRDT" if amount >= 0 else "DBIT")


def _balance(code: str, amount: int, currency: str, at: datetime) -> Element:
    return node("Bal", node("Tp", node("CdOrPrtry", node("Cd", code))), xml.amount("Amt", abs(amount), currency),
                _direction(amount), node("Dt", node("DtTm", rfc3339(at))))  # fmt: skip

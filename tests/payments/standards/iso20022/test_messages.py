"""Messages that we write fit the official schemas, read back the same, and another library's model reads and writes them too.
What is wrong or hostile is refused with its place."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from huangpu.core.errors import HuangpuError
from huangpu.payments.standards.iso20022 import statements, transfers, xml
from huangpu.payments.standards.iso20022.parties import Account
from huangpu.payments.standards.iso20022.statements import Head, Line, Notification
from huangpu.payments.standards.iso20022.transfers import Initiation, Interbank, Report, Status, Transfer

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
DAY = date(2026, 11, 27)
SHOP = Account("黄浦商家有限公司", "6222000000001", "PJBKCNSHXXX")
ACME = Account("Acme GmbH", "DE89370400440532013000", "COBADEFFXXX")

names = st.text(st.characters(min_codepoint=32, max_codepoint=0x9FFF, exclude_categories=["Cs", "Cc", "Cn", "Co"]), min_size=1,
                max_size=140).map(str.strip).filter(bool)  # fmt: skip
ids = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=35)
accounts = st.builds(
    Account, names, st.text("0123456789", min_size=1, max_size=34), st.sampled_from(["PJBKCNSHXXX", "COBADEFFXXX"])
)
accounts = accounts | st.just(ACME)
moved = st.builds(Transfer, ids, st.integers(1, 10**13), st.sampled_from(["CNY", "EUR"]), accounts,
                  st.text("abc 12", max_size=20).map(str.strip))  # fmt: skip
initiations = st.builds(Initiation, ids.map(lambda id: id[:33]), st.just(NOW), accounts, st.just(DAY),
                        st.lists(moved, min_size=1, max_size=4).map(tuple))  # fmt: skip


def refused(wanted: str, read: Any, *arguments: Any) -> HuangpuError:
    with pytest.raises(HuangpuError) as error:
        read(*arguments)
    assert error.value.code == wanted, error.value
    return error.value


@settings(max_examples=60, deadline=None)
@given(one=initiations)
def test_an_initiation_reads_back_the_same(one: Initiation) -> None:
    assert transfers.read_initiation(transfers.write_initiation(one)) == one


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(accounts, moved), min_size=1, max_size=4), id=ids)
def test_what_goes_between_banks_reads_back_the_same(pairs: list[tuple[Account, Transfer]], id: str) -> None:
    one = Interbank(id, NOW, DAY, tuple(pairs))
    assert transfers.read_interbank(transfers.write_interbank(one)) == one


statuses = st.builds(Status, ids, st.sampled_from(["ACSC", "ACCP"])) | st.builds(
    Status, ids, st.just("RJCT"), st.sampled_from(["AC04", "AM04"])
)


@settings(max_examples=40, deadline=None)
@given(found=st.lists(statuses, min_size=1, max_size=5), about=ids.map(lambda id: id[:33]))
def test_reports_read_back_the_same(found: list[Status], about: str) -> None:
    one = Report("R-1", NOW, about, tuple(found))
    assert transfers.read_customer_report(transfers.write_customer_report(one)) == one
    assert transfers.read_interbank_report(transfers.write_interbank_report(one)) == one


lines = st.builds(Line, ids, st.integers(-(10**12), 10**12).filter(bool), st.just(NOW), ids)


@settings(max_examples=60, deadline=None)
@given(entries=st.lists(st.lists(lines, min_size=1, max_size=3), max_size=5), opening=st.integers(-(10**12), 10**12))
def test_a_statement_reads_back_the_same(entries: list[list[Line]], opening: int) -> None:
    entries = [[replace(line, reference=entry[0].reference) for line in entry] for entry in entries]
    entries = [entry for entry in entries if sum(line.amount for line in entry)]
    closing = opening + sum(line.amount for entry in entries for line in entry)
    head = Head("S-1", NOW, SHOP.number, "CNY", NOW, NOW + timedelta(days=1), opening, closing)
    data = statements.write_statement(head, SHOP, entries)
    assert statements.read_head(io.BytesIO(data)) == head
    assert list(statements.read_lines(io.BytesIO(data))) == [line for entry in entries for line in entry]


@settings(max_examples=30, deadline=None)
@given(found=st.lists(lines, min_size=1, max_size=5))
def test_a_notification_reads_back_the_same(found: list[Line]) -> None:
    one = Notification("N-1", NOW, SHOP, "CNY", tuple(found))
    assert statements.read_notification(statements.write_notification(one)) == found


EXAMPLE = Initiation(
    "M-1", NOW, SHOP, DAY, (Transfer("E-1", 123_45, "CNY", ACME, "Lamps"), Transfer("E-2", 700, "CNY", SHOP))
)


def messages() -> dict[str, bytes]:
    """One of each."""
    head = Head("S-1", NOW, SHOP.number, "CNY", NOW, NOW + timedelta(days=1), 0, 500)
    return {
        "pain.001.001.09": transfers.write_initiation(EXAMPLE),
        "pacs.008.001.10": transfers.write_interbank(Interbank("B-1", NOW, DAY, ((SHOP, EXAMPLE.transfers[0]),))),
        "pacs.002.001.12": transfers.write_interbank_report(Report("R-1", NOW, "B-1", (Status("E-1", "RJCT", "AC04"),))),
        "camt.053.001.08": statements.write_statement(head, SHOP, [[Line("E-1", 500, NOW, "A-1")]]),
        "camt.054.001.08": statements.write_notification(Notification("N-1", NOW, SHOP, "CNY", (Line("E-1", -5, NOW, "A"),))),
    }  # fmt: skip


@pytest.mark.parametrize("message", list(messages()))
def test_another_librarys_model_reads_and_writes_it_too(message: str) -> None:
    """pyiso20022's classes, by xsdata: parsed without a word left over, written again, and that is the same."""
    from importlib import import_module

    from xsdata.formats.dataclass.parsers import XmlParser
    from xsdata.formats.dataclass.parsers.config import ParserConfig
    from xsdata.formats.dataclass.serializers import XmlSerializer

    name = message.replace(".", "_")
    module = import_module(f"pyiso20022.{message[:4]}.{name}")
    ours = messages()[message]
    parser = XmlParser(config=ParserConfig(fail_on_unknown_properties=True, fail_on_converter_warnings=True))
    theirs = XmlSerializer().render(parser.from_bytes(ours, module.Document), ns_map={None: xml.URN + message}).encode()  # type: ignore[dict-item]
    xml.read(message, theirs)
    same = [etree.tostring(etree.fromstring(one), method="c14n2", strip_text=True) for one in (ours, theirs)]
    assert _told(etree.fromstring(same[0])) == _told(etree.fromstring(same[1]))


def _told(root: Any) -> list[Any]:
    """Every element with its path and what it says; amounts and instants by value."""
    return [
        (root.getroottree().getpath(one), _value(one.text or ""), dict(one.attrib))
        for one in root.iter()
        if not len(one)
    ]


def _value(text: str) -> Any:
    try:
        return Decimal(text)
    except ArithmeticError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


def test_a_statement_too_large_for_the_memory_is_read_as_a_stream() -> None:
    head = Head("S-1", NOW, SHOP.number, "CNY", NOW, NOW + timedelta(days=1), 0, 20_000)
    data = statements.write_statement(head, SHOP, [[Line(f"E-{number}", 1, NOW, "A")] for number in range(20_000)])
    tracemalloc.start()
    assert sum(line.amount for line in statements.read_lines(io.BytesIO(data))) == 20_000
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000, f"{peak} bytes for {len(data)}"


def changed(before: str, after: str, message: str = "pain.001.001.09") -> bytes:
    text = messages()[message].decode()
    assert before in text
    return text.replace(before, after, 1).encode()


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"", "iso20022.xml", "message"),
        (b"<a/>", "iso20022.message", "Document"),
        (changed("pain.001.001.09", "pain.001.001.03"), "iso20022.message", "Document"),
        (changed("<Document", '<!DOCTYPE a [<!ENTITY x "y">]><Document'), "iso20022.xml", "DOCTYPE"),
        (changed("<NbOfTxs>2", "<NbOfTxs>3"), "iso20022.count", "NbOfTxs"),
        (changed("<CtrlSum>130.45", "<CtrlSum>130.46"), "iso20022.sum", "CtrlSum"),
        (changed("123.45", "123.456"), "iso20022.amount", "Amt/InstdAmt"),
        (changed("DE89370400440532013000", "DE88370400440532013000"), "iso20022.account", "IBAN"),
        (changed("COBADEFFXXX", "COBAXX00XXX"), "iso20022.agent", "BICFI"),
        (changed('Ccy="CNY">123.45', 'Ccy="QQQ">123.45'), "iso20022.currency", "Amt/InstdAmt"),
        (changed(">123.45", ">-123.45"), "iso20022.schema", None),
        (changed("<EndToEndId>E-1", "<EndToEndId>"), "iso20022.schema", None),
        (changed("<PmtMtd>TRF", "<Extra>1</Extra><PmtMtd>TRF"), "iso20022.schema", None),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_place(data: bytes, code: str, field: str | None) -> None:
    error = refused(code, transfers.read_initiation, data)
    assert error.field
    assert field is None or error.field == field


def test_hostile_xml_reads_no_file_and_takes_no_memory() -> None:
    laughs = b'<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(10)
    ) + b"]><l>&k;</l>"  # fmt: skip
    outside = b'<!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd">]><l>&f;</l>'
    for data in (laughs, outside):
        assert refused("iso20022.xml", transfers.read_initiation, data).code
        assert refused("iso20022.message", lambda data=data: list(statements.read_lines(io.BytesIO(data)))) or True
    deep = f'<Document xmlns="{xml.URN}camt.053.001.08">{"<a>" * 300}{"</a>" * 300}</Document>'.encode()
    refused("iso20022.xml", lambda: list(statements.read_lines(io.BytesIO(deep))))
    torn = messages()["camt.053.001.08"][:-40]
    refused("iso20022.xml", lambda: list(statements.read_lines(io.BytesIO(torn))))


def test_an_entry_that_is_not_its_transactions_is_refused() -> None:
    data = messages()["camt.053.001.08"].decode()
    place = data.index("<NtryDtls>")
    wrong = data[:place] + data[place:].replace("5.00", "4.00", 1)
    refused("iso20022.entry", lambda: list(statements.read_lines(io.BytesIO(wrong.encode()))))


def test_a_statement_without_its_balances_is_refused() -> None:
    text = messages()["camt.053.001.08"].decode().replace("OPBD", "ITBD")
    refused("iso20022.balance", statements.read_head, io.BytesIO(text.encode()))

"""XML as these messages need it: elements in one namespace, the official schema, amounts that are exact, and a reader that
believes nothing: no document type, no entity, no depth or size beyond what a message has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from django.utils.translation import gettext_lazy as _
from lxml import etree

from huangpu.core.errors import Invalid
from huangpu.core.money import CURRENCIES, exponent

SCHEMAS = Path(__file__).parent / "schemas"
BYTES_MAX = 64 * 1024 * 1024  # of a message that is read whole; a statement is read as a stream
DEPTH_MAX = 40
URN = "urn:iso:std:iso:20022:tech:xsd:"
Element = Any  # lxml's elements: its own stubs know no useful type for them


def node(name: str, *inside: Element | str | None, **attributes: str) -> Element:
    """An element of no namespace yet, which `document` gives: children that are None are left out, a text is its text."""
    made = etree.Element(name, attributes)
    for one in inside:
        if isinstance(one, str):
            made.text = one
        elif one is not None:
            made.append(one)
    return made


def document(message: str, body: Element) -> bytes:
    """The bytes of a message; it fits its schema, or `iso20022.schema` is raised: then a value has no place in it."""
    space = URN + message
    root = etree.Element(f"{{{space}}}Document", nsmap={None: space})  # type: ignore[dict-item]
    root.append(body)
    for one in root.iter():
        if not one.tag.startswith("{"):
            one.tag = f"{{{space}}}{one.tag}"
    written = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    _valid(message, etree.fromstring(written, _parser()))
    return written


def read(message: str, data: bytes) -> Element:
    """The element below `Document` of a message of that kind, when it fits its schema.

    Refused: `iso20022.too_large`, `iso20022.xml` (no well-formed XML, a document type, too deep), `iso20022.message` (another
    message), `iso20022.schema` (with the line and the element).
    """
    if len(data) > BYTES_MAX:
        raise Invalid(
            "iso20022.too_large", _("The message has %(value)s bytes; it may have %(most)s."),
            field="message", value=len(data), most=BYTES_MAX,
        )  # fmt: skip
    root = _parsed(data)
    _require(message, root.tag)
    _valid(message, root)
    return root[0]


def stream(message: str, file: IO[bytes], element: str) -> Iterator[Element]:
    """Every element of that name in a message that may be too large for the memory, without its schema; each is forgotten
    after it was looked at. Refused as `read`."""
    for one in walk(message, file, {element}):
        yield one
        one.clear()
        while one.getprevious() is not None:
            del one.getparent()[0]


def walk(message: str, file: IO[bytes], elements: set[str]) -> Iterator[Element]:
    """Every element of those names, as soon as it is whole, in the order of their ends. Refused as `read`."""
    wanted = {f"{{{URN}{message}}}{name}" for name in elements}
    depth = 0
    try:
        for number, (event, one) in enumerate(etree.iterparse(file, events=("start", "end"), **SAFE)):
            if number == 0:
                _require(message, one.tag)
                _no_doctype(one)
            depth += 1 if event == "start" else -1
            if depth > DEPTH_MAX:
                raise Invalid(
                    "iso20022.xml", _("This is no well-formed XML: %(value)s"), field="message", value="too deep"
                )
            if event == "end" and one.tag in wanted:
                yield one
    except etree.XMLSyntaxError as wrong:
        raise _no_xml(wrong) from wrong


def local(of: Element) -> str:
    """The name of an element without its namespace."""
    return str(etree.QName(of).localname)


def text(of: Element, path: str) -> str | None:
    """The text at a path such as "PmtId/EndToEndId"; None where there is none."""
    found = find(of, path)
    return found.text if found is not None else None


def need(of: Element, path: str) -> str:
    """The same, where there must be one. Refused: `iso20022.missing`."""
    found = text(of, path)
    if not found:
        raise Invalid("iso20022.missing", _("%(field)s is missing."), field=f"{etree.QName(of).localname}/{path}")
    return found


def find(of: Element, path: str) -> Element | None:
    """The first element at a path, in the namespace of where one stands."""
    space = etree.QName(of).namespace
    return of.find("/".join(f"{{{space}}}{part}" for part in path.split("/")))


def every(of: Element, path: str) -> list[Element]:
    """All elements at a path."""
    space = etree.QName(of).namespace
    return list(of.findall("/".join(f"{{{space}}}{part}" for part in path.split("/"))))


def amount(name: str, minor: int, currency: str) -> Element:
    """An amount with its currency."""
    return node(name, decimal(minor, currency), Ccy=currency)


def decimal(minor: int, currency: str) -> str:
    """Minor units as the messages write them: without a needless exponent, with all decimals of the currency."""
    return str(Decimal(minor).scaleb(-exponent(currency)).quantize(Decimal(1).scaleb(-exponent(currency))))


def money(of: Element, path: str) -> tuple[int, str]:
    """Minor units and currency of an amount. Refused: `iso20022.amount`, `iso20022.currency`, `iso20022.missing`."""
    found = find(of, path)
    written = need(of, path)
    assert found is not None
    return minor_of(written, found.get("Ccy") or "", path), found.get("Ccy") or ""


def minor_of(written: str, currency: str, path: str) -> int:
    """The minor units of a decimal text in a currency, exact."""
    if currency not in CURRENCIES:
        raise Invalid("iso20022.currency", _("“%(value)s” in %(field)s is no currency."), field=path, value=currency)
    try:
        value = Decimal(written).scaleb(exponent(currency))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value != value.to_integral_value() or not 0 <= value < 10**16:
        raise Invalid(
            "iso20022.amount", _("“%(value)s” in %(field)s is no amount in %(currency)s."),
            field=path, value=written[:40], currency=currency,
        )  # fmt: skip
    return int(value)


def instant(written: str, path: str) -> datetime:
    """An instant; one without an offset is in UTC. Refused: `iso20022.time`."""
    try:
        found = datetime.fromisoformat(written)
    except ValueError as wrong:
        raise Invalid(
            "iso20022.time", _("“%(value)s” in %(field)s is no date and time."), field=path, value=written[:40]
        ) from wrong
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def day(written: str, path: str) -> date:
    """A date. Refused: `iso20022.time`."""
    return instant(written[:10], path).date()


SAFE: dict[str, Any] = {"resolve_entities": False, "no_network": True, "load_dtd": False, "huge_tree": False}


def _parser() -> etree.XMLParser:
    return etree.XMLParser(remove_comments=True, remove_pis=True, **SAFE)


def _parsed(data: bytes) -> Element:
    try:
        root = etree.parse(BytesIO(data), _parser()).getroot()
    except etree.XMLSyntaxError as wrong:
        raise _no_xml(wrong) from wrong
    _no_doctype(root)
    return root


def _no_doctype(root: Element) -> None:
    if root.getroottree().docinfo.doctype:
        raise Invalid(
            "iso20022.xml", _("The message has a document type; none of these messages has one."), field="DOCTYPE"
        )


def _no_xml(wrong: etree.XMLSyntaxError) -> Invalid:
    return Invalid("iso20022.xml", _("This is no well-formed XML: %(value)s"), field="message", value=str(wrong)[:200])


def _require(message: str, tag: str) -> None:
    if tag != f"{{{URN}{message}}}Document":
        raise Invalid(
            "iso20022.message", _("“%(value)s” is another message; %(expected)s is expected."),
            field="Document", value=tag[:200], expected=message,
        )  # fmt: skip


def _valid(message: str, root: Element) -> None:
    schema = _schema(message)
    if schema.validate(root):
        return
    first: Any = next(iter(schema.error_log))  # type: ignore[call-overload]  # not in the stubs
    raise Invalid(
        "iso20022.schema", _("The message does not fit its schema, at %(field)s: %(value)s"),
        field=str(first.path or f"line {first.line}"), value=first.message.replace(f"{{{URN}{message}}}", "")[:300],
    )  # fmt: skip


@cache
def _schema(message: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMAS / f"{message}.xsd")))

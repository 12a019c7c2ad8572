"""The tables of `docs/reference/iso8583.md`, printed from the code; a test fails when the page is older."""

from __future__ import annotations

from collections.abc import Iterable

from .elements import ELEMENTS, MAC, MAC_EXTENDED
from .layouts import LAYOUTS
from .values import MEANINGS, Kind, NetworkKind, Reconciliation, ReversalReason

RULES: dict[int, str] = {
    2: "sale, pre-authorisation: must; void, refund, completion: may",
    37: "a request that names its original",
    38: "when there is one",
    48: "end of the upload: must, a count",
    61: "a request that names its original",
    62: "approved sign-on and key exchange",
    63: "sign-on: may",
}


def elements() -> str:
    """Every element that can be read, and what it is in which message: M must, C by a rule, – none."""
    rows = []
    for element in ELEMENTS.values():
        used = ", ".join(_uses(element.number)) or "in no message: refused"
        rows.append((element.number, element.name, element.format, element.on_wire, used))
    return _table(("DE", "name", "format", "on the wire", "messages"), rows)


def messages() -> str:
    """Every message type with its elements."""
    rows = []
    for mti, layout in LAYOUTS.items():
        mac = "sign-on: none; else 64" if layout.mac is None else str(layout.mac)
        rows.append((mti, layout.name, _numbers(layout.must), _numbers(layout.may), mac))
    return _table(("type", "message", "must have", "may have", "MAC"), rows)


def transactions() -> str:
    """How each kind of transaction is told."""
    rows = []
    for kind in Kind:
        shape = kind.value
        side = {True: "debit", False: "credit", None: "not counted"}[kind.is_debit]
        unanswered = "said again" if kind.is_advice else "reversed"
        name = kind.name.lower().replace("_", " ")
        rows.append((name, shape.mti, shape.processing_code, shape.condition, shape.type_code, side, unanswered))
    return _table(("transaction", "type", "DE 3", "DE 25", "DE 60", "in the totals", "unanswered"), rows)


def codes() -> str:
    """The codes of network management, of reversals and of a reconciliation, and the response codes."""
    rows: list[tuple[str, str, str]] = [
        ("DE 60, last three", kind.value, kind.name.lower().replace("_", " ")) for kind in NetworkKind
    ]
    rows += [("DE 39 of 0400", reason.value, reason.name.lower().replace("_", " ")) for reason in ReversalReason]
    rows += [("DE 48, last digit", one.value, one.name.lower()) for one in Reconciliation]
    rows += [("DE 39 of replies", code.value, str(meaning)) for code, meaning in MEANINGS.items()]
    return _table(("where", "code", "meaning"), rows)


def _uses(number: int) -> Iterable[str]:
    if number in (MAC, MAC_EXTENDED):
        yield "0400" if number == MAC_EXTENDED else "all others but sign-ons"
        return
    must = [mti for mti, layout in LAYOUTS.items() if number in layout.must]
    may = [mti for mti, layout in LAYOUTS.items() if number in layout.may]
    if len(must) == len(LAYOUTS):
        yield "all"
    elif must:
        yield " ".join(must)
    if may:
        yield f"by rule in {' '.join(may)}" + (f" ({RULES[number]})" if number in RULES else "")


def _numbers(numbers: Iterable[int]) -> str:
    return " ".join(str(number) for number in sorted(numbers)) or "–"


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])

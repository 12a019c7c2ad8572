"""Every operation × every role, and × a neighbour: allowed or refused as docs/reference/rights.md says.

A row names the act that the matrix lists for an operation, whose the object is, and a body that the act's right is reached
with. Every operation of the schema has a row, so a new one has to say who may. The same world serves all of them; what a
request does is undone after it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction
from tests.whole_world import Door, Place, Reader, filled, matrix

from huangpu.channels.api.urls import api
from huangpu.core.ids import uuid7
from huangpu.parties.rights import ORGANISATION_ROLES

SCHEMA = api.get_openapi_schema()
OPERATIONS = [f"{method.upper()} {path}" for path, item in SCHEMA["paths"].items() for method in item]
MATRIX = matrix()
NAMED = {"en": "Name"}
M, T, A = "/api/v1/m/{marketplace}", "/api/v1/m/{marketplace}/tenders", "/api/v1/m/{marketplace}/auctions"
O, W = "/api/v1/organisations", "/api/v1/m/{slug}/webhooks"  # noqa: E741
PEOPLE = frozenset({"buyer", "supplier"})  # both sides of a trade
BUYER, SUPPLIER, NOT_BUYER = frozenset({"buyer"}), frozenset({"supplier"}), frozenset({"supplier", "neighbour"})
LINES = [{"name": NAMED, "quantity": "1", "unit": "C62"}]
MEMBERS = frozenset(ORGANISATION_ROLES)
NOBODY: frozenset[str] = frozenset()  # of these organisations: the house that operates the marketplace is another
TRADE, AMENDED = {"number": "{trade}"}, {"number": "{amended_trade}"}
ITEM = {"code": "X", "name": NAMED, "unit": "C62"}
NEW_LINE = {"quantity": "1", "amount": 100, "unit": "C62", "name": NAMED}
DISPUTE = {"payment": "{payment}", "reference": "D", "amount": 5, "reason": "x"}
TENDER = {"title": NAMED, "procedure": "open", "lots": [{"lines": LINES}]}


def tender(name: str) -> dict[str, str]:
    return {"tender": f"{{{name}}}", "number": f"{{{name}_number}}"}


# its owner's members and the marketplace's arbiter; what everybody reads is a public one
PRIVATE = Door("information.read_document", BUYER, columns=MEMBERS | {"arbiter"})

DOORS: dict[str, Door] = {
    "GET /api/v1/me": Door("parties.see_marketplaces"),
    f"GET {O}": Door("parties.search_organisations"),
    f"POST {O}": Door("parties.register_organisation", body={"name": NAMED}),
    f"GET {O}/{{organisation_id}}": Door("parties.see_organisation"),
    f"PUT {O}/{{organisation_id}}": Door("parties.edit_organisation", BUYER, {"name": NAMED}),
    f"POST {O}/{{organisation_id}}/identifiers": Door("parties.add_identifier", BUYER, {"scheme": "XX", "value": "1"}),
    f"POST {O}/{{organisation_id}}/verification": Door(
        # without a marketplace in the address only the city's operator has an office
        "parties.verify_organisation", BUYER, {"level": 0}, columns=frozenset({"city operator"}),
    ),
    f"POST {M}/organisations/{{organisation_id}}/verification": Door("parties.verify_organisation", BUYER, {"level": 0}),
    f"GET {O}/{{organisation_id}}/members": Door(
        "parties.see_members", BUYER, columns=MATRIX["parties.see_members"] - {"operator"}
    ),
    f"POST {O}/{{organisation_id}}/members": Door("parties.add_member", BUYER, {"person": "{person}", "roles": ["clerk"]}),
    f"PUT {O}/{{organisation_id}}/members/{{person}}": Door(
        "parties.change_roles", BUYER, {"roles": ["clerk"]}, {"person": "{buyer_person}"}
    ),
    f"DELETE {O}/{{organisation_id}}/members/{{person}}": Door(
        "parties.end_membership", BUYER, at={"person": "{buyer_person}"}
    ),
    f"POST {O}/{{organisation_id}}/invitations": Door("parties.invite", BUYER, {"roles": ["clerk"]}),
    "POST /api/v1/invitations/accept": Door("parties.join", body={"secret": "{secret}"}),
    "DELETE /api/v1/invitations/{invitation_id}": Door("parties.invite", BUYER),
    "GET /api/v1/tokens": Door("parties.see_tokens"),
    f"POST {M}/tokens": Door("parties.create_token", body={"name": "T", "roles": ["owner"]}),
    # one's own token, or as owner any: this one is the owner's
    "DELETE /api/v1/tokens/{token_id}": Door("parties.revoke_token", BUYER, columns=frozenset({"owner"})),
    "GET /api/v1/marketplaces": Door("parties.see_marketplaces"),
    "POST /api/v1/marketplaces": Door("parties.open_marketplace", body={"name": NAMED, "slug": "new", "operator": "{buyer}"}),
    f"GET {M}": Door("parties.see_marketplaces"),
    f"PUT {M}": Door("parties.configure_marketplace", body={"name": NAMED}),
    f"POST {M}/offices": Door("parties.grant_marketplace_role", body={"person": "{person}", "role": "arbiter"}),
    f"DELETE {M}/offices/{{role}}/{{person}}": Door(
        "parties.revoke_marketplace_role", at={"role": "arbiter", "person": "{arbiter_person}"}
    ),
    f"GET {T}": Door("tender.read"),
    f"POST {T}": Door("tender.plan", body=TENDER),
    f"GET {T}/{{tender}}": Door("tender.read"),
    f"PUT {T}/{{tender}}": Door("tender.edit", BUYER, TENDER, tender("draft")),
    f"POST {T}/{{tender}}/copy": Door("tender.plan", at=tender("open")),
    f"POST {T}/{{tender}}/publish": Door("tender.publish", BUYER, at=tender("draft")),
    f"POST {T}/{{tender}}/approval": Door("process.ask_approval", BUYER, {"lot": "{opened_lot}"}, tender("opened"),
                                          columns=MATRIX["process.ask_approval"] & MATRIX["tender.award"]),
    f"POST {T}/{{tender}}/amend": Door("tender.amend", BUYER, {"description": NAMED}),
    f"POST {T}/{{tender}}/documents": Door(
        "tender.attach", BUYER, {"document": "{document_id}", "kind": "technicalSpecifications", "title": "A"}, tender("draft")
    ),
    f"DELETE {T}/{{tender}}/documents/{{attachment}}": Door("tender.edit", BUYER, at=tender("draft")),
    f"POST {T}/{{tender}}/cancel": Door("tender.cancel", BUYER, {"reason": "?"}),
    f"POST {T}/{{tender}}/questions": Door("tender.ask", NOT_BUYER, {"text": "?"}),
    f"POST {M}/questions/{{question}}/answer": Door("tender.answer", BUYER, {"text": "!"}),
    f"POST {T}/{{tender}}/bids": Door(
        "tender.submit_bid", NOT_BUYER, {"lot": "{open_lot}", "prices": [{"line": "{open_line}", "unit_price": "1"}]}
    ),
    f"POST {M}/bids/{{bid}}/withdraw": Door("tender.withdraw_bid", SUPPLIER, refusal="tender.bid_not_standing"),
    f"POST {T}/{{tender}}/open": Door("tender.open_bids", BUYER),
    f"POST {M}/bids/{{bid}}/disqualify": Door("tender.disqualify", BUYER, {"reason": "?"}, {"bid": "{opened_bid}"}),
    f"PUT {M}/bids/{{bid}}/scores": Door(
        "tender.score", BUYER, {"criterion": "quality", "points": "1"}, {"bid": "{opened_bid}"}
    ),
    f"POST {T}/{{tender}}/auction": Door("tender.start_auction", BUYER, {}, tender("opened")),
    f"POST {T}/{{tender}}/auction/result": Door("tender.take_auction_result", BUYER, at=tender("opened")),
    f"POST {T}/{{tender}}/evaluate": Door("tender.evaluate", BUYER, at=tender("opened")),
    f"POST {T}/{{tender}}/awards": Door("tender.award", BUYER, {"lot": "{opened_lot}"}, tender("opened")),
    f"POST {M}/awards/{{award}}/pass-on": Door("tender.pass_on", BUYER, {"reason": "?"}),
    f"POST {T}/{{tender}}/complaints": Door(
        "tender.complain", SUPPLIER, {"lot": "{awarded_lot}", "text": "?"}, tender("awarded")
    ),
    f"POST {M}/complaints/{{complaint}}/decide": Door("tender.decide_complaint", body={"upheld": False, "decision": "."}),
    f"POST {T}/{{tender}}/conclude": Door("tender.conclude", BUYER, at=tender("awarded")),
    f"GET {T}/{{number}}/ocds.json": Door("tender.read", at=tender("open")),
    f"POST {M}/history/{{procedure}}/tender": Door("tender.plan"),
    f"GET {A}": Door("auction.see"),
    f"POST {A}": Door("auction.schedule", body={
        "subject": "{market_id}", "opens_at": "2199-01-01T00:00:00Z",
        "bidders": [{"organisation": "{third}", "label": "1", "start_minor": 5}],
    }),
    f"GET {A}/{{auction}}": Door("auction.see_restricted", PEOPLE),
    f"POST {A}/{{auction}}/bids": Door("auction.bid", SUPPLIER, {"amount_minor": 900_000}),
    f"GET {A}/{{auction}}/log": Door("auction.see_restricted", PEOPLE),
    f"GET {A}/{{auction}}/stream-pass": Door("auction.see_restricted", PEOPLE),
    f"POST {A}/{{auction}}/pause": Door("auction.pause", BUYER),
    f"POST {A}/{{auction}}/resume": Door("auction.pause", BUYER),
    f"POST {A}/{{auction}}/cancel": Door("auction.cancel", BUYER, {"reason": "?"}),
    f"POST {A}/{{auction}}/close": Door("auction.close", BUYER),
    f"GET {M}/history": Door("history.read"),
    f"GET {M}/history/{{procedure}}": Door("history.read"),
    f"GET {M}/trades": Door("process.see", PEOPLE, listed=True),
    f"GET {M}/trades/{{number}}": Door("process.see", PEOPLE, at=TRADE),
    f"POST {M}/trades/{{number}}/perform": Door("process.hold", BUYER, {"parts": [{"ordinal": "{hold}"}]}, TRADE),
    f"GET {M}/trades/{{number}}/documents": Door("process.see", PEOPLE, at=TRADE),
    f"POST {M}/trades/{{number}}/documents": Door("process.attach", BUYER, {"documents": [{"id": "{document_id}"}]}, TRADE),
    f"GET {M}/trades/{{number}}/epcis": Door("process.see", PEOPLE, at=TRADE),
    f"GET {M}/trades/{{number}}/amendments": Door("process.see", PEOPLE, at=AMENDED),
    f"POST {M}/trades/{{number}}/amendments": Door("process.amend", PEOPLE, {"changes": [NEW_LINE]}, TRADE),
    f"POST {M}/trades/{{number}}/amendments/{{amendment}}/sign": Door("process.amend", PEOPLE, at=AMENDED),
    f"POST {M}/trades/{{number}}/amendments/{{amendment}}/decline": Door("process.amend", PEOPLE, {}, AMENDED),
    f"POST {M}/trades/{{number}}/resolve": Door("process.resolve", PEOPLE, {"option": "dispute"}, TRADE),
    "GET /api/v1/desk": Door("process.see", BUYER, listed=True, columns=MEMBERS),
    "GET /api/v1/desk/tasks": Door("process.approve", BUYER, listed=True, columns=MEMBERS),
    "POST /api/v1/desk/tasks/{task}": Door("process.approve", BUYER, {"approves": True}),
    "POST /api/v1/approval-rules": Door(
        "process.set_approval_rule", body={"act": "tender.award", "amount_from": 1, "persons": 1}
    ),
    f"GET {M}/wallets": Door("funds.see"),
    f"GET {M}/wallets/{{currency}}": Door("funds.see"),
    f"GET {M}/wallets/{{currency}}/statement": Door("funds.see"),
    f"POST {M}/wallets/{{currency}}/top-up": Door("funds.top_up", body={"amount": 5}),
    f"POST {M}/wallets/{{currency}}/withdraw": Door("funds.withdraw", body={"amount": 5}),
    f"GET {M}/books": Door("funds.see_books"),
    f"GET {M}/ledger/days": Door("funds.see_ledger", NOBODY),
    f"GET {M}/ledger/days/{{day}}/{{currency}}": Door("funds.see_ledger", NOBODY, at={"day": "{closed_day}"}),
    f"POST {M}/ledger/days/{{day}}": Door("funds.close_day", body={}, at={"day": "{closed_day}"}),
    "POST /api/v1/m/{slug}/documents": Door("information.store_document", form={"audience": ["{buyer}"]}, upload="file"),
    "GET /api/v1/m/{slug}/documents": Door("information.read_document", columns=MEMBERS),
    "GET /api/v1/documents/{document_id}": PRIVATE,
    "GET /api/v1/documents/{document_id}/content": PRIVATE,
    "GET /api/v1/notices": Door("information.mark_notices"),
    "POST /api/v1/notices/marks": Door("information.mark_notices", body={}),
    "GET /api/v1/m/{slug}/events": Door("information.read_events"),
    f"GET {W}": Door("information.see_webhooks"),
    f"POST {W}": Door("information.manage_webhooks", body={"url": "https://example.org/hook"}),
    f"POST {W}/{{endpoint_id}}/secret": Door("information.manage_webhooks", BUYER),
    f"DELETE {W}/{{endpoint_id}}": Door("information.manage_webhooks", BUYER),
    f"GET {W}/{{endpoint_id}}/deliveries": Door("information.see_webhooks", BUYER),
    "POST /api/v1/m/{slug}/deliveries/{delivery_id}/replay": Door("information.manage_webhooks", BUYER),
    f"POST {W}/{{endpoint_id}}/replay": Door("information.manage_webhooks", BUYER, {}),
    "GET /api/v1/intents": Door("commerce.see_intents"),
    f"GET {M}/intents": Door("commerce.see_intents"),
    f"GET {M}/items": Door("commerce.see_items"),
    f"POST {M}/items": Door("commerce.edit_item", body=ITEM),
    f"GET {M}/items/{{item_id}}": Door("commerce.see_items", BUYER),
    f"PUT {M}/items/{{item_id}}": Door("commerce.edit_item", BUYER, ITEM),
    f"GET {M}/places": Door("goods.see"),
    f"POST {M}/places": Door("goods.open_place", body={"code": "W9", "name": NAMED}),
    f"GET {M}/places/{{place_id}}": Door("goods.see", BUYER),
    f"PUT {M}/places/{{place_id}}": Door("goods.edit_place", BUYER, {"code": "W9", "name": NAMED}),
    f"GET {M}/stock": Door("goods.see"),
    f"POST {M}/stock": Door("goods.take_in", BUYER, {"place": "{place_id}", "item": "{item_id}", "quantity": "1"},
                                   refusal="item.not_own"),
    f"GET {M}/stock/{{stock_id}}": Door("goods.see", BUYER),
    f"POST {M}/stock/{{stock_id}}/count": Door("goods.adjust", BUYER, {"counted": "2"}),
    f"POST {M}/stock/{{stock_id}}/write-off": Door("goods.adjust", BUYER, {"quantity": "1"}),
    f"POST {M}/stock/{{stock_id}}/relocate": Door("goods.relocate", BUYER, {"to_place": "{other_place}", "quantity": "1"}),
    f"GET {M}/movements": Door("goods.see"),
    f"GET {M}/shipments": Door("goods.see"),
    f"GET {M}/shipments/{{shipment_id}}": Door("goods.see", PEOPLE),
    f"GET {M}/shipments/{{shipment_id}}/epcis": Door("goods.see", PEOPLE),
    f"GET {M}/epcis": Door("goods.see"),
    "GET /api/v1/payment-providers": Door("checkout.choose"),
    f"POST {M}/checkouts": Door("checkout.open", body={"title": "Lamps", "amount": 5}),
    f"POST {M}/checkouts/by-phone": Door("checkout.open", body={"title": "Lamps", "amount": 5, "phone": "1", "provider": "x"}),
    f"POST {M}/checkouts/by-pay-code": Door("checkout.open", body={"title": "Lamps", "amount": 5, "code": "1"}),
    f"GET {M}/checkouts": Door("checkout.see"),
    f"GET {M}/checkouts/{{checkout}}": Door("checkout.see", BUYER),
    f"POST {M}/checkouts/{{checkout}}/cancel": Door("checkout.open", BUYER),
    f"POST {M}/checkouts/{{checkout}}/code": Door("checkout.open", NOBODY, {"code": "123456"}),
    f"POST {M}/checkouts/{{checkout}}/pay": Door("checkout.pay"),
    f"GET {M}/pay/{{token}}": Door("checkout.choose"),
    f"POST {M}/pay/{{token}}/other-way": Door("checkout.choose"),
    f"POST {M}/pay/{{token}}/choice": Door("checkout.choose", body={"provider": "x"}),
    f"GET {M}/payments": Door("checkout.see"),
    f"GET {M}/payments/{{payment}}": Door("checkout.see", BUYER),
    f"POST {M}/payments/{{payment}}/refunds": Door("payments.refund", BUYER, {"amount": 5}),
    f"GET {M}/takings": Door("checkout.see"),
    f"POST {M}/statements": Door("reconciliation.match", form={"provider": "x"}, upload="file"),
    f"GET {M}/statements": Door("reconciliation.see"),
    f"GET {M}/statements/{{statement}}/breaks": Door("reconciliation.see"),
    f"GET {M}/disputes": Door("payments.see_disputes"),
    f"POST {M}/disputes": Door("payments.tell_dispute", body=DISPUTE),
    f"POST {M}/disputes/{{dispute}}/represent": Door("payments.answer_dispute", BUYER, {"evidence": "x"}),
    f"POST {M}/disputes/{{dispute}}/accept": Door("payments.answer_dispute", BUYER),
    f"POST {M}/disputes/{{dispute}}/conclude": Door("payments.tell_dispute", body={"won": True}),
    f"GET {M}/sendings": Door("wallets.see"),
    f"POST {M}/sendings": Door("wallets.send", body={"receiver": "x", "amount": 5}),
    f"POST {M}/sendings/{{sending}}/accept": Door("wallets.receive", SUPPLIER),
    f"POST {M}/sendings/{{sending}}/decline": Door("wallets.receive", SUPPLIER),
    f"POST {M}/sendings/{{sending}}/withdraw": Door("wallets.send", BUYER),
    f"PUT {M}/sending-limits": Door("wallets.set_limit", body={"level": 1, "a_day": 5, "a_year": 6}),
    f"GET {M}/terminals": Door("terminals.see"),
    f"POST {M}/terminals": Door("terminals.enrol", body={"name": "Till", "provider": "x"}),
    f"POST {M}/terminals/{{terminal}}/block": Door("terminals.enrol", BUYER, {"blocked": True}),
    f"GET {M}/terminals/{{identity}}/batches": Door("terminals.see", BUYER),
    f"GET {M}/channel-shares": Door("terminals.see_shares"),
    f"GET {M}/takings/{{day}}/bill": Door("checkout.see", at={"day": "{closed_day}"}),
    "GET /api/v1/board": Door("board.see"),
    f"GET {M}/board": Door("board.see"),
}  # fmt: skip

# what else one operation is the door of, by what its body names
PERFORM = f"POST {M}/trades/{{number}}/perform"
ALSO = [
    (PERFORM, Door("process.deliver", SUPPLIER, {"parts": [{"ordinal": "{deliver}"}]}, TRADE)),
    (PERFORM, Door("process.accept", BUYER, {"parts": [{"ordinal": "{accept}"}]}, TRADE)),
    (PERFORM, Door("process.invoice", SUPPLIER, {"parts": [{"ordinal": "{invoice}"}]}, TRADE)),
    (f"POST {T}/{{tender}}/approval", Door("process.ask_approval", BUYER, {}, tender("draft"),
                                           columns=MATRIX["process.ask_approval"] & MATRIX["tender.publish"])),
    (f"GET {T}/{{tender}}", Door("tender.edit", BUYER, at=tender("draft"), columns=MEMBERS)),  # a draft is its buyer's alone
    (f"POST {T}/{{tender}}/copy", Door("tender.plan", BUYER, at=tender("draft"))),
]  # fmt: skip
ROWS = [*DOORS.items(), *ALSO]


def asked(reader: Reader, operation: str, door: Door, known: dict[str, Any]) -> Any:
    """The answer to one request, whose doing is undone."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    method, path = operation.split()
    path = path.format_map({**known, "tender": known["open"], **filled(door.at, known)})
    headers = {"Idempotency-Key": str(uuid7())}
    with transaction.atomic():
        if door.form is not None:
            file = SimpleUploadedFile("b.pdf", b"%PDF-1.7\n%%EOF\n", "application/pdf")
            answer = reader.client.post(path, {**filled(door.form, known), door.upload: file}, headers=headers)
        else:
            body = "" if door.body is None else json.dumps(filled(door.body, known))
            answer = reader.client.generic(method, path, body, "application/json", headers=headers)
        transaction.set_rollback(True)
    return answer


def test_every_operation_has_its_row() -> None:
    assert set(DOORS) == set(OPERATIONS)


@pytest.mark.django_db
@pytest.mark.parametrize(("operation", "door"), ROWS, ids=[f"{door.act}: {name}" for name, door in ROWS])
def test_who_may_is_what_the_matrix_says(world_of_everything: Place, operation: str, door: Door) -> None:
    place, wrong = world_of_everything, []
    for reader in place.readers:
        answer = asked(reader, operation, door, place.known)
        told = answer.json() if "json" in answer.get("Content-Type", "") and answer.content else {}
        code = told.get("code", "") if isinstance(told, dict) else ""
        refused = answer.status_code in (401, 403) or (answer.status_code == 404 and code != "api.not_found")
        refused |= bool(door.refusal) and code == door.refusal
        refused |= door.listed and (told if isinstance(told, list) else told["items"]) == []
        if answer.status_code >= 500 or refused is door.open_to(reader):
            wrong.append((reader.name, answer.status_code, code, "may" if door.open_to(reader) else "may not"))
    assert not wrong, "\n".join(map(str, wrong))

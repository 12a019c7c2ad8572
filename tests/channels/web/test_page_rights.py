"""Every page × every role, and × a neighbour: shown or not, done or not, as docs/reference/rights.md says.

Every route has a row, so a new page has to say who may. A form that is refused leaves no event in the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from tests.whole_world import OWN, Door, Place, filled, matrix

from huangpu.core.log.models import Event
from huangpu.parties.rights import ORGANISATION_ROLES

MATRIX = matrix()
MEMBERS = frozenset(ORGANISATION_ROLES)
BUYER, SUPPLIER, PEOPLE = frozenset({"buyer"}), frozenset({"supplier"}), frozenset({"buyer", "supplier"})
ELSEWHERE = (
    "payments/notifications/",
    "admin/",
    "accounts/",
    "api/v1/",
)  # Django's and allauth's own; the API's matrix stands beside it
SIGNED_IN = frozenset({"signed in"})
NOBODY: frozenset[str] = frozenset()  # of these organisations: the house that operates the marketplace is another
ANYBODY = Door("parties.see_marketplaces")
M = "m/<slug:marketplace>/"
T, A, W, O = f"{M}tenders/", "m/<slug:slug>/auctions/", "m/<slug:slug>/webhooks/", "o/<uuid:organisation_id>/"  # noqa: E741
OPEN, DRAFT = {"number": "{open_number}", "lot": "1"}, {"number": "{draft_number}", "lot": "1"}
OPENED, AWARDED = {"number": "{opened_number}"}, {"number": "{awarded_number}"}
S = f"{M}stock/"
NEW_LINE = {"new-name": "x", "new-quantity": "1", "new-price": "10.00", "new-unit": "C62"}
FACTS = {"code": "X", "name_en": "X", "unit": "C62"}  # of an item, and of a place
AMENDED = {"number": "{amended_trade}"}
TRADE, HOUSE = {"number": "{trade}"}, {"organisation_id": "{buyer}"}

SHOWN: dict[str, Door] = {
    "": ANYBODY,
    "design/": ANYBODY,
    "problems/<str:code>": Door("parties.see_marketplaces", at={"code": "rights.role_missing"}),
    "organisations/": Door("parties.search_organisations"),
    "organisations/new/": Door("parties.register_organisation"),
    O: Door("parties.see_organisation", at=HOUSE),
    f"{M}o/<uuid:organisation_id>/": Door("parties.see_organisation", at=HOUSE),
    f"{O}settings/": Door("parties.see_tokens", BUYER, at=HOUSE),
    "join/<str:secret>/": Door("parties.join", at={"secret": "{secret}"}),
    "marketplaces/": Door("parties.see_marketplaces"),
    "marketplaces/new/": Door("parties.open_marketplace"),
    f"{M}operator/": Door("parties.configure_marketplace"),
    M: Door("board.see"),
    f"{M}history/": Door("history.read"),
    f"{M}history/<uuid:procedure>/": Door("history.read"),
    T: Door("tender.read"),
    f"{T}new/": Door("tender.plan"),
    f"{T}<str:number>/": Door("tender.read", at=OPEN),
    f"{T}<str:number>/edit/": Door("tender.edit", BUYER, at=DRAFT),
    f"{T}<str:number>/lots/<int:lot>/bid/": Door("tender.submit_bid", SUPPLIER | {"neighbour"}, at=OPEN),
    f"{T}<str:number>/evaluation/": Door("tender.read_evaluation", BUYER, at=OPENED),
    A: Door("auction.see"),
    f"{A}<uuid:auction>/": Door("auction.see_restricted", PEOPLE),
    f"{M}trades/": Door("process.see", PEOPLE, listed=True),
    f"{M}trades/<str:number>/": Door("process.see", PEOPLE, at=TRADE),
    "desk/": Door("process.see", columns=SIGNED_IN),
    f"{M}books/": Door("funds.see_books"),
    f"{M}ledger/": Door("funds.see_ledger", NOBODY),
    f"{M}ledger/<str:day>/<str:currency>/": Door("funds.see_ledger", NOBODY, at={"day": "{closed_day}"}),
    f"{M}ledger/<str:day>/<str:currency>/statement/": Door("funds.see_ledger", NOBODY, at={"day": "{closed_day}"}),
    f"{M}takings/": Door("checkout.see"),
    f"{M}pos/": Door("terminals.see"),
    f"{M}sendings/": Door("wallets.see"),
    f"{M}clearing/": Door("clearing.see", NOBODY),
    f"{M}clearing/<uuid:window_id>/": Door("clearing.see", NOBODY),
    f"{M}pos/<str:identity>/": Door("terminals.sell", BUYER),
    **{f"{M}takings/new/{way}/": Door("checkout.open") for way in ("web", "qr", "code", "phone")},
    f"{M}takings/requests/<uuid:checkout_id>/": Door("checkout.see", BUYER),
    f"{M}takings/requests/<uuid:checkout_id>/state/": Door("checkout.see", BUYER),
    f"{M}takings/payments/<uuid:payment_id>/": Door("checkout.see", BUYER),
    f"{M}pay/scan/": Door("checkout.choose"),
    f"{M}pay/my-code/": Door("checkout.pay"),
    f"{M}pay/<str:token>/": Door("checkout.choose"),
    f"{M}pay/<str:token>/state/": Door("checkout.choose"),
    f"{M}wallet/": Door("funds.see"),
    f"{M}wallet/<str:currency>/": Door("funds.see"),
    "notices/": Door("information.mark_notices"),
    "documents/<uuid:document_id>/": Door("information.read_document", BUYER, columns=MEMBERS | {"arbiter"}),
    S: Door("goods.see"),
    f"{S}take-in/": Door("goods.take_in"),
    f"{S}<uuid:stock_id>/": Door("goods.see", BUYER),
    f"{S}places/": Door("goods.see"),
    f"{S}places/<uuid:place_id>/": Door("goods.see", BUYER),
    f"{S}movements/": Door("goods.see"),
    f"{S}shipments/": Door("goods.see"),
    f"{S}shipments/<uuid:shipment_id>/": Door("goods.see", PEOPLE),
    f"{S}items/": Door("commerce.see_items"),
    f"{S}items/new/": Door("commerce.edit_item"),
    f"{S}items/<uuid:item_id>/": Door("commerce.see_items", BUYER),
    W: Door("information.see_webhooks"),
    f"{W}<uuid:endpoint_id>/": Door("information.see_webhooks", BUYER),
}
ALSO_SHOWN = [(f"{T}<str:number>/", Door("tender.edit", BUYER, at=DRAFT, columns=MEMBERS))]


def form(act: str, sides: frozenset[str], at: dict[str, str], /, upload: str = "", **fields: Any) -> Door:
    return Door(act, sides, at=at, form=fields, upload=upload)


DO = f"{T}<str:number>/do/<slug:name>/"
DONE: list[tuple[str, Door]] = [
    (DO, form("tender.publish", BUYER, {**DRAFT, "name": "publish"})),
    (DO, form("tender.cancel", BUYER, {**OPEN, "name": "cancel"}, reason="?")),
    (DO, form("tender.ask", SUPPLIER | {"neighbour"}, {**OPEN, "name": "ask"}, text="?")),
    (DO, form("tender.answer", BUYER, {**OPEN, "name": "answer"}, question="{question}", text="!")),
    (DO, form("tender.withdraw_bid", SUPPLIER, {**OPEN, "name": "withdraw"}, bid="{bid}")),
    (DO, form("tender.disqualify", BUYER, {**OPENED, "name": "disqualify"}, bid="{opened_bid}", reason="?")),
    (DO, form("tender.evaluate", BUYER, {**OPENED, "name": "evaluate"})),
    (DO, form("tender.award", BUYER, {**OPENED, "name": "award"}, lot="{opened_lot}")),
    (DO, form("tender.pass_on", BUYER, {**AWARDED, "name": "pass-on"}, award="{award}", reason="?")),
    (DO, form("tender.complain", SUPPLIER, {**AWARDED, "name": "complain"}, lot="{awarded_lot}", text="?")),
    (DO, form("tender.decide_complaint", BUYER, {**AWARDED, "name": "decide"}, complaint="{complaint}", upheld="no",
              decision=".")),
    (DO, form("tender.attach", BUYER, {**DRAFT, "name": "attach"}, upload="document", kind="billOfQuantity", title="A")),
    (DO, form("tender.edit", BUYER, {**DRAFT, "name": "detach"}, document="{attachment}")),
    (f"{M}trades/<str:number>/documents/", form("process.attach", PEOPLE, TRADE, upload="documents", kind="other")),
    (f"{T}<str:number>/copy/", form("tender.plan", OWN, OPEN)),
    (f"{M}history/<uuid:procedure>/tender/", form("tender.plan", OWN, {})),
    (f"{A}<uuid:auction>/", form("auction.bid", SUPPLIER, {}, amount="9,000.00")),
    (f"{A}<uuid:auction>/pause/", form("auction.pause", BUYER, {})),
    (f"{A}<uuid:auction>/cancel/", form("auction.cancel", BUYER, {}, reason="?")),
    (f"{M}wallet/<str:currency>/top-up/", form("funds.top_up", OWN, {},
                                               amount="5.00")),
    (f"{M}takings/requests/<uuid:checkout_id>/cancel/", form("checkout.open", BUYER, {})),
    (f"{M}takings/payments/<uuid:payment_id>/refund/", form("payments.refund", BUYER, {}, amount="1.00")),
    (f"{M}clearing/<uuid:window_id>/close/", form("clearing.close", NOBODY, {})),
    (f"{M}sendings/<uuid:sending>/accept/", form("wallets.receive", SUPPLIER, {})),
    (f"{M}sendings/<uuid:sending>/decline/", form("wallets.receive", SUPPLIER, {})),
    (f"{M}sendings/<uuid:sending>/withdraw/", form("wallets.send", BUYER, {})),
    (f"{M}pos/", form("terminals.enrol", OWN, {}, name="Till 2", provider="wallet")),
    (f"{M}pos/<str:identity>/block/", form("terminals.enrol", BUYER, {}, blocked="yes")),
    (f"{M}pay/<str:token>/wallet/", form("checkout.pay", OWN, {})),
    ("desk/tasks/<uuid:task>/", form("process.approve", BUYER, {}, approves="yes")),
    (f"{M}trades/<str:number>/amend/", form("process.amend", PEOPLE, TRADE, **NEW_LINE)),
    (f"{M}trades/<str:number>/amend/<int:amendment>/", form("process.amend", PEOPLE, AMENDED, answer="decline")),
    (f"{S}take-in/", form("goods.take_in", BUYER, {}, item="M-1", place="{place_id}", quantity="1")),
    (f"{S}<uuid:stock_id>/", form("goods.adjust", BUYER, {}, do="count", counted="2", reason="counted")),
    (f"{S}<uuid:stock_id>/", form("goods.adjust", BUYER, {}, do="write-off", quantity="1", reason="lost")),
    (f"{S}<uuid:stock_id>/", form("goods.relocate", BUYER, {}, do="relocate", quantity="1", to_place="{other_place}")),
    (f"{S}places/", form("goods.open_place", OWN, {}, **FACTS)),
    (f"{S}places/<uuid:place_id>/", form("goods.edit_place", BUYER, {}, **FACTS)),
    (f"{S}items/new/", form("commerce.edit_item", OWN, {}, **FACTS)),
    (f"{S}items/<uuid:item_id>/", form("commerce.edit_item", BUYER, {}, **FACTS)),
    (f"{O}settings/", form("parties.invite", BUYER, HOUSE, do="invite", roles="clerk")),
    (f"{O}settings/", form("parties.add_member", BUYER, HOUSE, do="add_member", username="somebody", roles="clerk")),
    (f"{M}operator/", form("parties.grant_marketplace_role", BUYER, {}, do="grant", username="somebody", role="arbiter")),
    (W, form("information.manage_webhooks", OWN, {},
             url="https://example.org/hook")),
    (f"{W}<uuid:endpoint_id>/change/", form("information.manage_webhooks", BUYER, {}, act="rotate")),
]  # fmt: skip

# Not pages of their own: what is done there is in DONE by another address, or changes only the reader's own session.
OTHERS = {
    "theme/", "language/", "act-for/", "notices/mark/", f"{T}<str:number>/points/", f"{A}<uuid:auction>/resume/",
    f"{M}clearing/<uuid:window_id>/confirm/", f"{M}clearing/<uuid:window_id>/settle/",
    f"{M}takings/requests/<uuid:checkout_id>/code/", f"{M}pay/<str:token>/choose/", f"{M}pay/<str:token>/other-way/",
    f"{M}wallet/<str:currency>/withdraw/", f"{M}trades/<str:number>/perform/", f"{M}trades/<str:number>/resolve/",
}  # fmt: skip


def routes(patterns: Any = None, before: str = "") -> Iterator[str]:
    """Every route below the root."""
    for one in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(one.pattern)
        if route.startswith(ELSEWHERE):
            continue
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, route)
        elif isinstance(one, URLPattern) and "(?P" not in route:
            yield route


def address(route: str, door: Door, known: dict[str, Any]) -> str:
    values = {**known, **filled(door.at, known)}
    parts = [str(values[part.strip("<>").split(":")[1]]) if part.startswith("<") else part for part in route.split("/")]
    return "/" + "/".join(parts)


def test_every_route_has_its_row() -> None:
    assert set(routes()) == SHOWN.keys() | {route for route, _door in DONE} | OTHERS


GETS = [*SHOWN.items(), *ALSO_SHOWN]


@pytest.mark.django_db
@pytest.mark.parametrize(("route", "door"), GETS, ids=[f"{door.act}: {route}" for route, door in GETS])
def test_who_is_shown_it(world_of_everything: Place, route: str, door: Door) -> None:
    place, wrong = world_of_everything, []
    for reader in place.readers:
        with transaction.atomic():
            answer = reader.client.get(address(route, door, place.known))
            transaction.set_rollback(True)
        shown = answer.status_code == 200 and (not door.listed or place.known["trade"] in answer.content.decode())
        if shown is not door.open_to(reader) or answer.status_code >= 500:
            wrong.append((reader.name, answer.status_code, "may" if door.open_to(reader) else "may not"))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.django_db
@pytest.mark.parametrize(("route", "door"), DONE, ids=[f"{door.act}: {route}" for route, door in DONE])
def test_who_does_it(world_of_everything: Place, route: str, door: Door) -> None:
    place, wrong = world_of_everything, []
    for reader in place.readers:
        with transaction.atomic():
            before = Event.objects.count()
            fields = filled(door.form, place.known)
            if door.upload:
                fields[door.upload] = SimpleUploadedFile("c.pdf", b"%PDF-1.7\n%%EOF\n", "application/pdf")
            answer = reader.client.post(address(route, door, place.known), fields)
            done = Event.objects.count() > before
            transaction.set_rollback(True)
        if done is not door.open_to(reader) or answer.status_code >= 500:
            wrong.append((reader.name, answer.status_code, "may" if door.open_to(reader) else "may not"))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.django_db
@pytest.mark.parametrize("route", sorted(OTHERS | {route for route, _door in DONE} - SHOWN.keys()))
def test_the_address_of_a_form_may_be_asked_for_by_anybody(world_of_everything: Place, route: str) -> None:
    """As a browser does that comes back to it: whatever the answer, the house does not fail and nothing is done."""
    place = world_of_everything
    for reader in place.readers:
        with transaction.atomic():
            before = Event.objects.count()
            door = Door("", at={"number": "{open_number}", "lot": "1", "name": "publish"})
            answer = reader.client.get(address(route, door, place.known))
            assert (answer.status_code < 500, Event.objects.count()) == (True, before), reader.name
            transaction.set_rollback(True)

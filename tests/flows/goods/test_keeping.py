"""Those who keep a warehouse: places, goods that come in, counts and losses, serial numbers, and who may not."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction

from huangpu.core.errors import Conflict, HuangpuError, Invalid, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event, Payload
from huangpu.core.names import named
from huangpu.flows.goods import acts, queries, verify
from huangpu.flows.goods.models import Movement, Stock
from huangpu.flows.goods.rules import Balance, Lot, Move, Pool, named_lots
from tests.flows.goods.warehouse import GLN, NOW, D, Warehouse, build


@pytest.fixture
def w(db: None) -> Warehouse:  # noqa: ARG001
    return build()


def consistent() -> bool:
    return all(check.ok for check in verify.checks())


def test_a_piece_with_a_serial_number_is_in_one_place_only(w: Warehouse) -> None:
    w.take_in(w.pump, "2", serials=("A1", "A2"))
    for place in (w.yard, w.shop):
        with pytest.raises(Conflict) as refused, transaction.atomic():
            w.take_in(w.pump, "1", serials=("A1",), at=place)
        assert refused.value.code == "serial.elsewhere"
        assert refused.value.value == "A1"
    with pytest.raises(Conflict), transaction.atomic():  # nor as a piece of another lot
        w.take_in(w.pump, "1", lot="L9", serials=("A2",))
    w.take_in(w.coil, "1", serials=("A1",))  # another item has its own numbers
    assert consistent()


def test_a_piece_goes_from_place_to_place_and_back(w: Warehouse) -> None:
    here = w.take_in(w.pump, "1", serials=("A1",))
    there = acts.relocate(actor=w.actor(), stock_id=here.id, to_place_id=w.shop.pk, quantity=D(1), now=NOW)
    assert (w.on_hand(here), w.on_hand(there)) == (0, 1)
    back = acts.relocate(actor=w.actor(), stock_id=there.id, to_place_id=w.yard.pk, quantity=D(1), now=NOW)
    assert back.id == here.id
    assert consistent()


def test_many_pieces_move_in_one_call(w: Warehouse) -> None:
    w.take_in(w.pump, "3", serials=("A1", "A2", "A3"))
    of = Balance(w.city.market.pk, w.yard.pk, w.pump.pk, w.city.seller.pk)
    to = Balance(w.city.market.pk, w.shop.pk, w.pump.pk, w.city.seller.pk)
    moves = [Move(of.of(Lot("", one, D(1))), to.of(Lot("", one, D(1))), D(1)) for one in ("A1", "A2", "A3")]
    acts.move(marketplace_id=w.city.market.pk, reference_id=uuid7(), moves=moves)
    assert Stock.objects.filter(place=w.shop, on_hand=1).count() == 3
    assert consistent()


@pytest.mark.parametrize("quantity", ["0.5", "2"])
def test_a_piece_is_one_piece(w: Warehouse, quantity: str) -> None:
    of = Balance(w.city.market.pk, w.yard.pk, w.pump.pk, w.city.seller.pk, serial="A1")
    with pytest.raises(Conflict) as refused, transaction.atomic():
        acts.move(marketplace_id=w.city.market.pk, reference_id=uuid7(), moves=[Move(None, of, D(quantity))])
    assert refused.value.code == "serial.quantity"


def test_the_database_itself_refuses_a_second_place_for_a_piece(w: Warehouse) -> None:
    here = w.take_in(w.pump, "1", serials=("A1",))
    row = Stock.objects.get(pk=here.id)
    with pytest.raises(IntegrityError, match="goods_serial_in_one_place"), transaction.atomic():
        Stock.objects.create(
            id=uuid7(),
            marketplace_id=uuid7(),
            place=w.gate,
            item_id=row.item_id,
            owner=w.city.buyer,
            serial="A1",
            on_hand=1,
        )


@pytest.mark.django_db(transaction=True)
def test_eight_take_in_the_same_piece_at_once() -> None:
    w = build()
    together, done = threading.Barrier(8), []

    def take(n: int) -> None:
        together.wait(20)
        try:
            w.take_in(w.pump, "1", serials=("A1",), at=(w.yard, w.shop)[n % 2])
            done.append(n)
        except HuangpuError as refused:
            assert refused.code == "serial.elsewhere"  # noqa: PT017
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(n,)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(done) == 1
    assert Stock.objects.filter(serial="A1", on_hand=1).count() == 1
    assert consistent()


def test_as_many_serials_as_pieces(w: Warehouse) -> None:
    for quantity, serials in (("2", ("A1",)), ("2", ("A1", "A1")), ("1", ("x" * 65,))):
        with pytest.raises(Invalid) as refused, transaction.atomic():
            w.take_in(w.pump, quantity, serials=serials)
        assert refused.value.code in ("serial.count", "lot.invalid")
    assert not Stock.objects.exists()


def test_what_is_counted_is_there_and_the_difference_is_a_movement(w: Warehouse) -> None:
    coil = w.take_in(w.coil, "100", lot="L1")
    for counted, moved in (("97.5", D("-2.5")), ("99", D("1.5")), ("99", None), ("0", D(-99))):
        before = Movement.objects.count()
        acts.adjust(actor=w.actor(), stock_id=coil.id, counted=D(counted), note="inventory", now=NOW)
        assert w.on_hand(coil) == D(counted)
        assert Movement.objects.count() == before + (moved is not None)
        event = Event.objects.filter(kind="goods.adjusted").latest("id")
        told = Payload.objects.get(pk=event.pk).body
        assert D(told["after"]) - D(told["before"]) == (moved or 0)
        assert (told["reason"], told["note"], told["counted"]) == ("counted", "inventory", True)
        assert event.audience == [w.city.seller.pk]
    assert consistent()


def test_a_loss_has_its_reason_and_never_touches_what_is_promised(w: Warehouse) -> None:
    coil = w.take_in(w.coil, "10")
    acts.move(marketplace_id=w.city.market.pk, reference_id=uuid7(), moves=[Move(coil, None, reservation=D(8))])
    acts.write_off(actor=w.actor(), stock_id=coil.id, quantity=D(1), reason="damaged", now=NOW)
    assert w.on_hand(coil) == 9
    for call, code in (
        (lambda: acts.write_off(actor=w.actor(), stock_id=coil.id, quantity=D(2), reason="lost", now=NOW), "stock.reserved"),
        (lambda: acts.write_off(
            actor=w.actor(), stock_id=coil.id, quantity=D(10), reason="lost", now=NOW), "stock.insufficient"),
        (lambda: acts.adjust(actor=w.actor(), stock_id=coil.id, counted=D(7), now=NOW), "stock.reserved"),
        (lambda: acts.adjust(actor=w.actor(), stock_id=coil.id, counted=D(-1), now=NOW), "quantity.invalid"),
        (lambda: acts.adjust(actor=w.actor(), stock_id=coil.id, counted=D(9), reason="stolen", now=NOW), "stock.reason"),
        (lambda: acts.relocate(
            actor=w.actor(), stock_id=coil.id, to_place_id=w.shop.pk, quantity=D(2), now=NOW), "stock.insufficient"),
        (lambda: acts.relocate(
            actor=w.actor(), stock_id=coil.id, to_place_id=w.yard.pk, quantity=D(1), now=NOW), "place.same"),
    ):  # fmt: skip
        with pytest.raises(HuangpuError) as refused, transaction.atomic():
            call()
        assert refused.value.code == code
    assert w.on_hand(coil) == 9
    assert consistent()


def test_a_place_is_renamed_and_keeps_what_lies_there(w: Warehouse) -> None:
    coil = w.take_in(w.coil, "10")
    acts.edit_place(
        actor=w.actor(), place_id=w.yard.pk, code="W2", name=named("二号库"), address="宝山", gln="", now=NOW
    )
    w.yard.refresh_from_db()
    assert (w.yard.code, w.yard.name, w.yard.gln, w.on_hand(coil)) == ("W2", {"zh-hans": "二号库"}, "", 10)
    wrong = (("S1", "x", "", "place.code_taken"), ("", "x", "", "place.code"), ("W2", " ", "", "place.name"),
             ("W2", "x", GLN[:-1] + "3", "identifier.check"))  # fmt: skip
    for code, name, gln, refusal in wrong:
        with pytest.raises(HuangpuError) as refused, transaction.atomic():
            acts.edit_place(
                actor=w.actor(), place_id=w.yard.pk, code=code, name={"en": name}, address="", gln=gln, now=NOW
            )
        assert refused.value.code.split("_")[0] == refusal.split("_")[0]


def test_a_neighbour_finds_nothing_and_an_auditor_changes_nothing(w: Warehouse) -> None:
    coil = w.take_in(w.coil, "10")
    neighbour, auditor = w.actor("owner", of=w.city.buyer), w.actor("auditor")
    market = w.city.market.pk
    for actor, error in ((neighbour, NotFound), (auditor, Refused)):
        for call in (
            lambda by: acts.adjust(actor=by, stock_id=coil.id, counted=D(1), now=NOW),
            lambda by: acts.write_off(actor=by, stock_id=coil.id, quantity=D(1), reason="lost", now=NOW),
            lambda by: acts.relocate(actor=by, stock_id=coil.id, to_place_id=w.shop.pk, quantity=D(1), now=NOW),
            lambda by: acts.edit_place(
                actor=by, place_id=w.yard.pk, code="W", name={"en": "x"}, address="", gln="", now=NOW),
            lambda by: acts.take_in(
                actor=by, marketplace_id=market, place_id=w.yard.pk, item_id=w.coil.pk, quantity=D(1), now=NOW),
        ):  # fmt: skip
            with pytest.raises(error), transaction.atomic():
                call(actor)
    with pytest.raises(NotFound), transaction.atomic():  # nor can one's goods be pushed into a neighbour's place
        acts.relocate(actor=w.actor(), stock_id=coil.id, to_place_id=w.gate.pk, quantity=D(1), now=NOW)
    with pytest.raises(NotFound):
        queries.one_stock(neighbour, market, coil.id)
    assert w.on_hand(coil) == 10


def test_lots_are_named_and_make_up_the_quantity() -> None:
    place = uuid7()
    details = {"lots": [{"commitment": 2, "lot": "L1", "quantity": "3"}, {"commitment": 2, "serials": ["A", "B"]},
                        {"commitment": 3, "lot": "L2", "quantity": "1", "from_place": str(place)}]}  # fmt: skip
    assert named_lots(details, 2, D(5)) == [Lot("L1", "", D(3)), Lot("", "A", D(1)), Lot("", "B", D(1))]
    assert named_lots(details, 3, D(1)) == [Lot("L2", "", D(1), place)]
    assert named_lots(details, 4, D(1)) == [] == named_lots({}, 2, D(1))
    with pytest.raises(Invalid) as refused:
        named_lots(details, 2, D(6))
    assert refused.value.code == "lots.quantity"
    for wrong in (5, "L1", [1], [{"lot": "x"}], [{"commitment": 2, "lot": "x" * 65, "quantity": "1"}],
                  [{"commitment": 2, "serials": [""]}], [{"commitment": 2, "serials": "A"}],
                  [{"commitment": 2, "serials": ["A"], "from_place": "yard"}], [{"commitment": 2, "lot": "x"}]):  # fmt: skip
        with pytest.raises(Invalid):
            named_lots({"lots": wrong}, 2, D(1))


def test_a_pool_is_used_up_in_the_order_in_which_it_was_filled() -> None:
    promised = Balance(uuid7(), uuid7(), uuid7(), uuid7(), disposition="inspecting")
    first, other = promised.of(Lot("L1", "", D(0))), Balance(uuid7(), uuid7(), uuid7(), uuid7())
    pool = Pool([(other, D(9)), (first, D(3)), (promised, D(2))])
    assert pool.take(promised, D(4)) == [(first, D(3)), (promised, D(1))]
    assert pool.take(promised, D(3)) == [(promised, D(1)), (promised, D(2))]

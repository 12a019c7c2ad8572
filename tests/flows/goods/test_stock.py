"""Stock: never below zero or below what is reserved, however many take at once; always the sum of its movements."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from huangpu.core.errors import Conflict
from huangpu.core.ids import uuid7
from huangpu.flows.goods import acts, verify
from huangpu.flows.goods.models import Place, Stock
from huangpu.flows.goods.rules import INSPECTING, Balance, Move
from huangpu.parties.models import Organisation

MARKET, ITEM = uuid7(), uuid7()
D = Decimal


def balance(lot: str = "", disposition: str = "available", place: Place | None = None) -> Balance:
    if place is None:
        owner = Organisation.objects.create(name={"en": "Yard"})
        place = Place.objects.create(organisation=owner, code=str(uuid7()), name={"en": "Yard"})
    return Balance(MARKET, place.id, ITEM, place.organisation_id, lot, disposition)


def move(*moves: Move) -> None:
    acts.move(marketplace_id=MARKET, reference_id=uuid7(), moves=moves)


def standing(of: Balance) -> tuple[Decimal, Decimal]:
    found = Stock.objects.get(pk=of.id)
    return found.on_hand, found.reserved


@pytest.mark.django_db
def test_reserved_goods_are_used_up_by_the_delivery_they_are_reserved_for() -> None:
    yard, gate = balance(), balance(disposition=INSPECTING)
    move(Move(None, yard, D(10)))
    move(Move(yard, None, reservation=D(8)))
    move(Move(yard, gate, D(3), D(-3)))
    assert standing(yard) == (D(7), D(5))
    assert standing(gate) == (D(3), D(0))
    assert all(check.ok for check in verify.checks())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("quantity", "reservation"), [("10.000001", "0"), ("6", "0"), ("0", "5.000001"), ("0", "-5.000001"), ("1", "-6")]
)
def test_refused_by_the_constraint_and_nothing_is_half_written(quantity: str, reservation: str) -> None:
    yard, gate = balance(), balance()
    move(Move(None, yard, D(10)), Move(yard, None, reservation=D(5)))
    from django.db import transaction

    with pytest.raises(Conflict) as refused, transaction.atomic():
        move(Move(None, gate, D(1)), Move(yard, gate, D(quantity), D(reservation)))
    assert refused.value.code == "stock.insufficient"
    assert standing(yard) == (D(10), D(5))
    assert not Stock.objects.filter(pk=gate.id).exists()


@pytest.mark.django_db
def test_fifty_lines_are_one_statement(django_assert_num_queries: Any) -> None:
    yard = balance()
    with django_assert_num_queries(3):  # the act's savepoint in the test's transaction, the call, its release
        move(*(Move(None, yard, D(1)) for _ in range(50)))
    assert standing(yard)[0] == 50


class TheSum(TestCase):
    """Whatever is moved and whatever is refused, stock equals its movements."""

    @settings(max_examples=30, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.integers(-1, 3), st.integers(-1, 3), st.decimals(0, 5, places=6), st.decimals(-5, 5, places=6)
            ),
            max_size=12,
        )
    )
    def test_stock_equals_its_movements(self, script: list[tuple[int, int, Decimal, Decimal]]) -> None:
        from django.db import transaction

        sides: list[Balance] = [balance() for _ in range(4)]
        model = {side.id: [D(0), D(0)] for side in sides}
        for source, target, quantity, reservation in script:
            from_, to = (sides[source] if source >= 0 else None), (sides[target] if target >= 0 else None)
            reserved = reservation if from_ else D(0)
            after = {key: list(value) for key, value in model.items()}
            if from_:
                after[from_.id][0] -= quantity
                after[from_.id][1] += reserved
            if to:
                after[to.id][0] += quantity
            allowed = all(on_hand >= held >= 0 for on_hand, held in after.values())
            try:
                with transaction.atomic():
                    move(Move(from_, to, quantity, reserved))
                assert allowed
                model = after
            except Conflict:
                assert not allowed
        for id, (on_hand, held) in model.items():
            found = Stock.objects.filter(pk=id).values_list("on_hand", "reserved").first() or (D(0), D(0))
            assert found == (on_hand, held)
        assert all(check.ok for check in verify.checks())


@pytest.mark.django_db(transaction=True)
def test_five_pieces_and_sixteen_takers_at_once() -> None:
    yard = balance()
    move(Move(None, yard, D(5)))
    taken: list[UUID] = []
    together = threading.Barrier(16)

    def take() -> None:
        together.wait(20)
        try:
            move(Move(yard, None, D(1)))
            taken.append(uuid7())
        except Conflict:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=take) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 5
    assert standing(yard) == (D(0), D(0))
    assert all(check.ok for check in verify.checks())

"""Netting against naive reckoning, for any obligations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huangpu.payments.clearing.rules import Owed, bilateral, multilateral, payments

names = st.sampled_from(["a", "b", "c", "d", "e"])
obligations = st.lists(
    st.builds(Owed, names, names, st.integers(1, 10**15)).filter(lambda one: one.debtor != one.creditor), max_size=40
)


def naive(owed: list[Owed], name: str) -> int:
    return sum(one.amount for one in owed if one.creditor == name) - sum(
        one.amount for one in owed if one.debtor == name
    )


@given(obligations)
def test_positions_are_what_each_gets_less_what_each_owes(owed: list[Owed]) -> None:
    found = multilateral(owed)
    assert sum(found.values()) == 0
    assert all(found[name] == naive(owed, name) for name in found)


@given(obligations)
def test_one_payment_a_pair_leaves_everybody_as_before(owed: list[Owed]) -> None:
    found = bilateral(owed)
    pairs = [frozenset((one.debtor, one.creditor)) for one in found]
    assert len(pairs) == len(set(pairs))
    assert all(one.amount > 0 for one in found)
    assert all(naive(found, name) == naive(owed, name) for name in "abcde")


@given(obligations)
def test_few_payments_bring_all_positions_to_zero(owed: list[Owed]) -> None:
    positions = multilateral(owed)
    found = payments(positions)
    assert len(found) < max(1, len([amount for amount in positions.values() if amount])) or not found
    assert all(naive(found, name) == positions.get(name, 0) for name in "abcde")


def test_positions_that_do_not_sum_to_zero_are_no_positions() -> None:
    with pytest.raises(ValueError):
        payments({"a": 1})

"""Money from wallet to wallet: held, accepted, declined, taken back, expired; limits that two at once cannot pass together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from huangpu.core.errors import HuangpuError
from huangpu.core.ids import uuid7
from huangpu.core.verify import all_checks
from huangpu.flows.funds import acts as funds
from huangpu.flows.funds.queries import wallet
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Identifier, Organisation
from huangpu.payments.wallets import acts, jobs, queries
from huangpu.payments.wallets.models import Sending
from tests.at_once import at_once
from tests.small_city import City, found

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
RICH = 10_000_000


class Two:
    """A buyer with money, and a seller without."""

    def __init__(self) -> None:
        self.city: City = found()
        self.market = self.city.market.pk
        self.buyer = Actor(self.city.owner.pk, self.city.buyer.pk, self.market, frozenset({"owner"}))
        self.seller = Actor(self.city.clerk.pk, self.city.seller.pk, self.market, frozenset({"finance"}))
        self.operator = Actor(self.city.operator.pk, None, self.market, market_roles=frozenset({"operator"}))
        funds.top_up(actor=SYSTEM, marketplace_id=self.market, organisation_id=self.city.buyer.pk, amount=RICH, currency="CNY",
                     now=NOW)  # fmt: skip

    def send(self, amount: int = 5_000, now: datetime = NOW, **changed: Any) -> Sending:
        asked: dict[str, Any] = {"receiver_id": self.city.seller.pk, "currency": "CNY", "note": "午饭 lunch", **changed}
        return acts.send(actor=self.buyer, marketplace_id=self.market, amount=amount, now=now, **asked)

    def wallets(self) -> tuple[int, int, int]:
        """What the buyer may spend, what is held of it, what the seller has."""
        mine = wallet(self.market, self.city.buyer.pk, "CNY")
        return mine.available, mine.held, wallet(self.market, self.city.seller.pk, "CNY").available

    def verified(self, level: int) -> None:
        Organisation.objects.filter(pk=self.city.buyer.pk).update(verification=level)


@pytest.fixture
def two(db: None) -> Two:  # noqa: ARG001
    return Two()


def refused(wanted: str, run: Any, /, **named: Any) -> HuangpuError:
    with pytest.raises(HuangpuError) as error:
        run(**named)
    assert error.value.code == wanted
    return error.value


def all_holds() -> None:
    assert [check for check in all_checks() if not check.ok] == []


def test_sent_held_and_accepted(two: Two) -> None:
    made = two.send()
    assert two.wallets() == (RICH - 5_000, 5_000, 0)
    all_holds()
    refused(
        "sending.unknown", acts.accept, actor=two.buyer, sending_id=made.pk, now=NOW
    )  # it is not the buyer's to accept
    acts.accept(actor=two.seller, sending_id=made.pk, now=NOW)
    assert two.wallets() == (RICH - 5_000, 0, 5_000)
    for act, actor in ((acts.accept, two.seller), (acts.decline, two.seller), (acts.withdraw, two.buyer)):
        refused("sending.over", act, actor=actor, sending_id=made.pk, now=NOW)
    all_holds()


@pytest.mark.parametrize("way", ["decline", "withdraw", "expire"])
def test_what_goes_back_is_whole_and_may_be_sent_again(two: Two, way: str) -> None:
    two.verified(1)
    made = two.send(100_000)
    refused("sending.limit", two.send, amount=1)
    if way == "decline":
        acts.decline(actor=two.seller, sending_id=made.pk, now=NOW)
    elif way == "withdraw":
        acts.withdraw(actor=two.buyer, sending_id=made.pk, now=NOW)
    else:
        assert not acts.expire(sending_id=made.pk, now=NOW)
        Sending.objects.update(sent_at=NOW - timedelta(hours=2), expires_at=NOW - timedelta(hours=1))
        assert refused("sending.over", acts.accept, actor=two.seller, sending_id=made.pk, now=NOW).value == "expired"
        jobs.expire(0)
    assert two.wallets() == (RICH, 0, 0)
    two.send(100_000)
    all_holds()


def test_limits_are_of_a_day_and_of_a_year(two: Two) -> None:
    two.verified(1)  # 1,000 yuan a day, 100,000 a year
    two.send(60_000)
    error = refused("sending.limit", two.send, amount=40_001)
    assert (error.field, error.params["left"]) == ("amount", 40_000)
    two.send(40_000)
    tomorrow = NOW + timedelta(days=1)
    two.send(100_000, now=tomorrow)
    acts.set_limit(
        actor=two.operator, marketplace_id=two.market, currency="CNY", level=1, a_day=100_000, a_year=210_000, now=NOW
    )
    error = refused("sending.limit", two.send, amount=10_001, now=tomorrow + timedelta(days=1))
    assert error.params["left"] == 10_000
    two.send(100_000, now=NOW + timedelta(days=365))
    all_holds()


def test_a_day_is_the_marketplaces(two: Two) -> None:
    """15:59 in Greenwich is a minute before midnight in Shanghai."""
    two.verified(1)
    two.send(100_000, now=datetime(2026, 11, 27, 15, 59, tzinfo=UTC))
    two.send(100_000, now=datetime(2026, 11, 27, 16, 0, tzinfo=UTC))
    refused("sending.limit", two.send, amount=1, now=datetime(2026, 11, 28, 15, 59, tzinfo=UTC))


def test_days_that_come_out_of_order_are_counted_each(two: Two) -> None:
    two.verified(1)
    late, next_day = datetime(2026, 11, 27, 15, 59, 59, tzinfo=UTC), datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
    first = two.send(60_000, now=late)
    two.send(60_000, now=next_day)
    two.send(10, now=late)
    refused("sending.limit", two.send, amount=60_000, now=next_day)
    acts.decline(actor=two.seller, sending_id=first.pk, now=late)
    all_holds()


def test_the_same_again_is_the_same(two: Two) -> None:
    id = uuid7()
    assert two.send(sending_id=id).pk == two.send(sending_id=id).pk == id
    refused("sending.id_reused", two.send, sending_id=id, amount=1)
    assert two.wallets() == (RICH - 5_000, 5_000, 0)


def test_a_currency_without_a_limit_is_not_sent(two: Two) -> None:
    refused("sending.limit", two.send, amount=1, currency="EUR")


def test_what_is_refused_changes_nothing(two: Two) -> None:
    for changed, code, field in (
        ({"amount": 0}, "sending.amount", "amount"),
        ({"amount": 1.5}, "sending.amount", "amount"),
        ({"note": "x" * 121}, "sending.note", "note"),
        ({"receiver_id": two.city.buyer.pk}, "sending.receiver", "receiver"),
        ({"receiver_id": uuid7()}, "sending.receiver", "receiver"),
        ({"currency": "XYZ"}, "currency.unknown", "currency"),
    ):
        assert refused(code, two.send, **changed).field == field, changed
    two.verified(3)
    assert refused("transfer.exceeds_floor", two.send, amount=RICH + 1)
    limit: dict[str, Any] = dict(actor=two.operator, marketplace_id=two.market, currency="CNY", now=NOW)
    refused("limit.level", acts.set_limit, level=4, a_day=1, a_year=1, **limit)
    refused("limit.amount", acts.set_limit, level=1, a_day=2, a_year=1, **limit)
    refused("rights.role_missing", acts.set_limit, level=1, a_day=1, a_year=1, **{**limit, "actor": two.buyer})
    assert two.wallets() == (RICH, 0, 0)
    all_holds()


def test_a_receiver_is_found_by_its_code(two: Two) -> None:
    Identifier.objects.create(organisation=two.city.seller, scheme="CN-USCC", value="91310113MA1FL0002Y")
    assert queries.receiver(" 91310113ma1fl0002y ") == two.city.seller.pk
    refused("sending.receiver", queries.receiver, code="91310113MA1FL0003X")


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_passes_the_limit(two: Two) -> None:
    two.verified(1)
    answers = at_once(*[lambda: two.send(60_000).state] * 3)
    assert sorted(one if isinstance(one, str) else one.code for one in answers) == [
        "sending.limit",
        "sending.limit",
        "waiting",
    ]
    all_holds()


@pytest.mark.django_db(transaction=True)
def test_accepted_and_taken_back_at_once_it_is_one_of_them(two: Two) -> None:
    made = two.send()
    answers = at_once(
        lambda: acts.accept(actor=two.seller, sending_id=made.pk, now=NOW).state,
        lambda: acts.withdraw(actor=two.buyer, sending_id=made.pk, now=NOW).state,
    )
    assert len([one for one in answers if isinstance(one, str)]) == 1
    all_holds()

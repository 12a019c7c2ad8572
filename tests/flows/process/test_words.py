"""What people read of a trade is in words: no key, no code of a state, no minor units, no machine's instant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone, translation

from huangpu.core.clock import SHANGHAI
from huangpu.core.errors import HuangpuError
from huangpu.flows.commerce.models import Commitment
from huangpu.flows.process import acts, amendments, deadlines
from huangpu.flows.process.acts import Part
from huangpu.flows.process.amending import Change
from huangpu.flows.process.models import Amendment

from .test_documents import NOW, Street, files, street  # noqa: F401

RAW = re.compile(
    r"\w+/\d"  # the key of a commitment or an option: deliver/1
    r"|\b(waiting_|withdraw_unpaid|cancel_undelivered|hold|accept|deliver)\b"
    r"|\d{4}-\d\d-\d\d|T\d\d:\d\d"  # RFC 3339
    r"|[0-9a-f]{8}-[0-9a-f]{4}-"
)


@pytest.fixture(autouse=True)
def zone() -> Iterator[None]:
    with timezone.override(SHANGHAI):
        yield


def of(street: Street, action: str) -> int:  # noqa: F811
    return Commitment.objects.filter(agreement_id=street.trade.id, action=action)[0].ordinal


def perform(street: Street, name: str, action: str, **part: object) -> None:  # noqa: F811
    acts.perform(
        actor=street.actor(name), agreement_id=street.trade.id, parts=[Part(of(street, action), **part)], now=NOW  # type: ignore[arg-type]
    )  # fmt: skip


def use(street: Street, name: str, option: str, **more: object) -> None:  # noqa: F811
    more = {"now": NOW, "reason": "", **more}
    acts.resolve(actor=street.actor(name), agreement_id=street.trade.id, option=option, **more)  # type: ignore[arg-type]


def amend(street: Street, change: Change) -> None:  # noqa: F811
    amendments.propose_amendment(actor=street.actor("buyer"), agreement_id=street.trade.id, changes=[change], now=NOW)


def reject_in_dispute(street: Street) -> None:  # noqa: F811
    use(street, "buyer", "dispute")
    use(street, "buyer", "reject/1")


CASES: list[tuple[str, Callable[[Street], None], str, str]] = [
    (
        "commitment.over", lambda s: perform(s, "buyer", "hold"),
        "“Payment into escrow” is over: done.", "“货款托管”已经结束：已完成。",
    ),
    (
        "commitment.waiting", lambda s: perform(s, "seller", "invoice"),
        "“Invoice” has to wait for: Inspection and acceptance · ", "“发票”须等待：检验与验收 · ",
    ),
    (
        "commitment.too_much", lambda s: perform(s, "seller", "deliver", quantity=Decimal(10**6)),
        "1000000 of “Delivery · ", "“交货 · ",
    ),
    ("option.not_yet", lambda s: use(s, "buyer", "reject/1"), "because of: Delivery · ", "原因：交货 · "),
    ("option.closed", reject_in_dispute, "“Reject a delivery” cannot be used: ", "争议"),
    (
        "amendment.due_at", lambda s: amend(s, Change(of(s, "deliver"), due_at=NOW - timedelta(days=1))),
        "The new time must lie in the future.", "新的期限必须在将来。",
    ),
    ("amendment.nothing", lambda s: amend(s, Change(of(s, "deliver"))), "Nothing is changed of “Delivery · ", "“交货 · "),
]  # fmt: skip


@pytest.mark.parametrize(("code", "attempt", "english", "chinese"), CASES, ids=[case[0] for case in CASES])
def test_a_refusal_is_told_in_words(
    street: Street, code: str, attempt: Callable[[Street], None], english: str, chinese: str  # noqa: F811
) -> None:  # fmt: skip
    with pytest.raises(HuangpuError) as refused:
        attempt(street)
    assert refused.value.code == code
    for language, words in (("en", english), ("zh-hans", chinese)):
        with translation.override(language):
            said = str(refused.value)
        assert words in said
        assert not RAW.search(said), said


def test_a_machine_still_gets_the_key(street: Street) -> None:  # noqa: F811
    answer = street.machine("buyer").post(
        f"{street.api}/perform", {"parts": [{"ordinal": of(street, "hold")}]}, "application/json",
        headers={"Idempotency-Key": "again"},
    )  # fmt: skip
    assert (answer.status_code, answer.json()["code"], answer.json()["value"]) == (409, "commitment.over", "hold")


def test_the_picture_calls_what_lapsed_by_its_name(street: Street) -> None:  # noqa: F811
    late = Commitment.objects.get(agreement_id=street.trade.id, action="deliver").due_at
    assert late
    deadlines.sweep(late)
    page = street.browser("buyer").get(street.page, headers={"Accept-Language": "en"}).content.decode()
    mark = page[page.index("Time passed") :][:300]
    assert "Delivery · " in mark
    assert not RAW.search(re.sub(r"<[^>]*>", "", mark)), mark


@pytest.mark.parametrize("typed", ["", "...", "-1", "1e999999", "1e300000", "NaN", "0.0000001", "x"])
def test_what_is_no_number_amends_nothing(street: Street, typed: str) -> None:  # noqa: F811
    """By page and by API: what nobody wrote is not «none of it», and no number is so large that it stops the house."""
    line = {"new-name": "Bolts", "new-quantity": "1", "new-price": "10", "new-unit": "C62"}
    browser = street.browser("buyer")
    for field in ("new-quantity", "new-price"):
        assert browser.post(f"{street.page}amend/", {**line, field: typed}).status_code == 422, field
    change = {"ordinal": of(street, "deliver"), "quantity": typed}
    answer = street.machine("buyer").post(
        f"{street.api}/amendments", {"changes": [change]}, "application/json", headers={"Idempotency-Key": "once"}
    )
    told = (answer.status_code, answer.json()["code"], answer.json()["field"])
    assert told == (422, "quantity.invalid", "changes.0.quantity")
    assert not Amendment.objects.exists()

"""A tender from plan to award and every way it can go: the acts, one after another."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from huangpu.core.errors import Conflict, Invalid, InvalidMany, NotFound, Refused
from huangpu.core.log.models import Event, Payload
from huangpu.core.names import named
from huangpu.markets.tender import acts, rules
from huangpu.markets.tender.models import Award, Bid, BidLine, Line, Lot, Tender
from huangpu.markets.tender.rules import Criterion

from .conftest import DEADLINE, START, World, lot_terms, refused, terms

MS = timedelta(milliseconds=1)
QUALITY = Criterion("quality", named("质量", "Quality"), weight=400, best=100)


def kinds(tender: Tender) -> list[str]:
    return list(Event.objects.filter(subject_id=tender.id).order_by("id").values_list("kind", flat=True))


def body(tender: Tender, kind: str) -> dict:
    event = Event.objects.filter(subject_id=tender.id, kind=kind).latest("id")
    return Payload.objects.get(pk=event.id).body


def test_lowest_price_wins_and_every_act_is_in_the_log(world: World) -> None:
    tender = world.awarded("1000", "900", "1100")
    award = Award.objects.get(tender=tender)
    assert award.supplier_id == world.suppliers[1].organisation_id
    assert award.amount_minor == 1_305_000  # 12 × 900 + 2.5 × 900, in fen
    assert (tender.stage, award.status) == ("standstill", "standing")
    assert kinds(tender) == [
        "tender.planned",
        "tender.published",
        "tender.bid_received",
        "tender.bid_received",
        "tender.bid_received",
        "tender.bids_opened",
        "tender.prices_opened",
        "tender.evaluated",
        "tender.awarded",
    ]
    told = body(tender, "tender.awarded")
    assert next(r.contender.bid_id for r in rules.recompute(told["file"])) == award.bid_id
    assert told["file_hash"] == rules.file_hash(told["file"])


def test_numbers_are_unique_and_for_people(world: World) -> None:
    one, two = world.plan(), world.plan()
    assert one.number != two.number
    assert one.number.startswith("T-2026-")
    assert len(one.number) == 13


@pytest.mark.parametrize(("offset", "taken"), [(-MS, True), (0 * MS, False), (MS, False)])
def test_before_the_deadline_is_strict_to_the_millisecond(world: World, offset: timedelta, taken: bool) -> None:
    tender = world.published()
    if taken:
        assert world.bid(tender, 0, "10", at=DEADLINE + offset).status == "sealed"
        return
    with refused(Conflict) as late:
        world.bid(tender, 0, "10", at=DEADLINE + offset)
    assert late.value.code == "tender.bids_closed"


@pytest.mark.parametrize(("offset", "opened"), [(-MS, False), (0 * MS, True)])
def test_opening_is_possible_from_the_deadline_on(world: World, offset: timedelta, opened: bool) -> None:
    tender = world.published()
    world.bid(tender, 0, "10")
    if opened:
        assert acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE + offset).stage == "evaluation"
        return
    with refused(Conflict) as late:
        acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE + offset)
    assert late.value.code == "tender.too_early"


def test_a_bid_is_replaced_and_withdrawn_until_the_deadline(world: World) -> None:
    tender = world.published()
    first = world.bid(tender, 0, "10")
    second = world.bid(tender, 0, "9", at=START + MS)
    first.refresh_from_db()
    assert (first.status, first.sealed, first.receipt is not None) == ("replaced", None, True)
    gone = acts.withdraw_bid(actor=world.suppliers[0], bid_id=second.id, now=DEADLINE - MS)
    assert (gone.status, gone.sealed) == ("withdrawn", None)
    with refused(Conflict):
        acts.withdraw_bid(actor=world.suppliers[0], bid_id=second.id, now=DEADLINE - MS)
    third = world.bid(tender, 0, "8")
    with refused(Conflict) as late:
        acts.withdraw_bid(actor=world.suppliers[0], bid_id=third.id, now=DEADLINE)
    assert late.value.code == "tender.bids_closed"
    opened = acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    assert [bid["status"] for bid in opened.opening["bids"]] == ["valid"]
    assert sorted(bid["status"] for bid in opened.opening["gone"]) == ["replaced", "withdrawn"]


def test_a_bid_must_price_every_line_and_no_other(world: World) -> None:
    tender = world.published()
    lot = Lot.objects.get(tender=tender)
    first, second = Line.objects.filter(lot=lot).order_by("number")
    stranger = Line.objects.get(lot__tender=world.published(lots=[lot_terms(("X", "1", "C62"))]))
    good = {first.id: Decimal("1"), second.id: Decimal("2")}
    for prices, code in (
        ({first.id: Decimal("1")}, "tender.price_missing"),
        ({**good, second.id: Decimal("0")}, "tender.price_invalid"),
        ({**good, second.id: Decimal("-1")}, "tender.price_invalid"),
        ({**good, second.id: Decimal("NaN")}, "tender.price_invalid"),
        ({**good, second.id: Decimal("0.0000001")}, "tender.price_invalid"),
        ({**good, stranger.id: Decimal("1")}, "tender.line_unknown"),
        ({first.id: Decimal("0.000001"), second.id: Decimal("0.000001")}, "tender.total_invalid"),
    ):
        with refused(InvalidMany) as wrong:
            acts.submit_bid(actor=world.suppliers[0], tender_id=tender.id, lot_id=lot.id, prices=prices, now=world.at)
        assert [error.code for error in wrong.value.errors] == [code]
    assert not Bid.objects.exists()


def test_no_bids_and_a_single_bid_where_it_is_not_allowed_are_unsuccessful(world: World) -> None:
    nobody = world.opened()
    assert (nobody.stage, Lot.objects.get(tender=nobody).reason) == ("unsuccessful", "no_bids")
    assert nobody.closed_at == DEADLINE
    single = world.opened("10", allow_single=False)
    assert (single.stage, Lot.objects.get(tender=single).reason) == ("unsuccessful", "single_bid")
    assert world.awarded("10", allow_single=True).stage == "standstill"


def test_a_tie_goes_to_the_earlier_receipt(world: World) -> None:
    tender = world.published()
    world.bid(tender, 2, "10", at=START + 2 * MS)
    world.bid(tender, 0, "10", at=START + 3 * MS)
    world.bid(tender, 1, "10", at=START + MS)
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    lot = acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)[0]
    order = [bid["supplier"] for bid in lot.evaluation["bids"]]
    assert order == [str(world.suppliers[n].organisation_id) for n in (1, 2, 0)]


def test_weighted_criteria_can_beat_the_lowest_price_and_need_all_points(world: World) -> None:
    tender = world.opened("100", "90", criteria=[QUALITY])
    with refused(Conflict) as missing:
        acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    assert missing.value.code == "tender.scores_missing"
    dear, cheap = Bid.objects.filter(tender=tender).order_by("number")
    for evaluator in (world.buyer, world.approver):
        acts.score(actor=evaluator, bid_id=dear.id, criterion="quality", points=Decimal("90"), now=DEADLINE)
        acts.score(actor=evaluator, bid_id=cheap.id, criterion="quality", points=Decimal("50.5"), now=DEADLINE)
    lot = acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)[0]
    assert [bid["score"] for bid in lot.evaluation["bids"]] == ["9/10", "401/500"]  # .6×.9+.4×.9; .6+.4×.505
    acts.score(actor=world.buyer, bid_id=cheap.id, criterion="quality", points=Decimal("100"), now=DEADLINE)
    with refused(Conflict) as again:  # the evaluation was thrown away with the new points
        acts.award(actor=world.approver, tender_id=tender.id, lot_id=lot.id, now=DEADLINE)
    assert again.value.code == "tender.not_evaluated"
    for points, code in ((Decimal("100.5"), "tender.points_invalid"), (Decimal("0.0001"), "tender.points_invalid")):
        with refused(Invalid) as wrong:
            acts.score(actor=world.buyer, bid_id=cheap.id, criterion="quality", points=points, now=DEADLINE)
        assert wrong.value.code == code
    with refused(Invalid):
        acts.score(actor=world.buyer, bid_id=cheap.id, criterion="beauty", points=Decimal("1"), now=DEADLINE)


def test_lots_are_awarded_each_by_itself(world: World) -> None:
    lots = [lot_terms((name, "1", "C62"), budget=2000) for name in ("A", "B", "C")]
    tender = world.published(lots=lots)
    world.bid(tender, 0, "10", lot=1)
    world.bid(tender, 1, "11", lot=1)
    world.bid(tender, 1, "10", lot=2)
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    one, two, three = Lot.objects.filter(tender=tender).order_by("number")
    assert (one.status, two.status, three.status) == ("active", "active", "unsuccessful")
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    acts.award(actor=world.buyer, tender_id=tender.id, lot_id=one.id, now=DEADLINE)
    tender.refresh_from_db()
    assert tender.stage == "evaluation"
    acts.award(actor=world.buyer, tender_id=tender.id, lot_id=two.id, now=DEADLINE)
    tender.refresh_from_db()
    assert tender.stage == "standstill"
    winners = Award.objects.filter(tender=tender).order_by("lot__number").values_list("supplier_id", flat=True)
    assert list(winners) == [world.suppliers[0].organisation_id, world.suppliers[1].organisation_id]
    assert {bid.number for bid in Bid.objects.filter(bidder_id=world.suppliers[1].organisation_id)} == {2}


def test_disqualification_needs_a_reason_and_may_leave_nobody(world: World) -> None:
    tender = world.opened("10")
    bid = Bid.objects.get(tender=tender)
    with refused(Invalid):
        acts.disqualify(actor=world.buyer, bid_id=bid.id, reason=" ", now=DEADLINE)
    acts.disqualify(actor=world.buyer, bid_id=bid.id, reason="No licence", now=DEADLINE)
    tender.refresh_from_db()
    assert (tender.stage, Lot.objects.get(tender=tender).reason) == ("unsuccessful", "no_valid_bid")


def test_after_a_disqualification_one_bid_may_win_even_without_the_switch(world: World) -> None:
    """The switch asks for competition at the opening; what the buyer then disqualifies was competition."""
    tender = world.opened("10", "11", allow_single=False)
    acts.disqualify(actor=world.buyer, bid_id=Bid.objects.get(number=1).id, reason="x", now=DEADLINE)
    tender.refresh_from_db()
    assert tender.stage == "evaluation"


def test_two_persons(world: World) -> None:
    tender = world.opened("10", two_persons=True)
    lot = acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)[0]
    with refused(Refused) as alone:
        acts.award(actor=world.buyer, tender_id=tender.id, lot_id=lot.id, now=DEADLINE)
    assert alone.value.code == "tender.second_person"
    assert acts.award(actor=world.approver, tender_id=tender.id, lot_id=lot.id, now=DEADLINE).status == "standing"


def test_a_default_passes_the_award_to_the_next_in_rank_until_nobody_is_left(world: World) -> None:
    tender = world.awarded("10", "11")
    first = Award.objects.get(tender=tender)
    second = acts.pass_on(actor=world.buyer, award_id=first.id, reason="Did not sign", now=DEADLINE + timedelta(days=1))
    assert second is not None
    assert second.supplier_id == world.suppliers[1].organisation_id
    assert second.standstill_until > first.standstill_until
    assert acts.pass_on(actor=world.buyer, award_id=second.id, reason="Neither", now=DEADLINE) is None
    tender.refresh_from_db()
    assert (tender.stage, Lot.objects.get(tender=tender).reason) == ("unsuccessful", "defaulted")
    assert [a.status for a in Award.objects.filter(tender=tender)] == ["defaulted", "defaulted"]


def test_cancelling_a_sealed_tender_destroys_its_key(world: World, keys, django_capture_on_commit_callbacks) -> None:
    tender = world.published()
    world.bid(tender, 0, "10")
    with refused(Invalid):
        acts.cancel(actor=world.buyer, tender_id=tender.id, reason="", now=world.at)
    with django_capture_on_commit_callbacks(execute=True):
        acts.cancel(actor=world.buyer, tender_id=tender.id, reason="Budget cut", now=world.at)
    assert list(keys.folder.iterdir()) == []
    assert Bid.objects.get(tender=tender).amount_minor is None
    with refused(Conflict):
        acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)


@pytest.mark.parametrize("stage", ["draft", "open", "evaluation", "standstill"])
def test_a_tender_can_be_cancelled_at_each_stage_before_conclusion(world: World, stage: str) -> None:
    made = {"draft": world.plan, "open": world.published, "evaluation": lambda: world.opened("10")}
    tender = made.get(stage, lambda: world.awarded("10"))()
    assert tender.stage == stage
    assert acts.cancel(actor=world.buyer, tender_id=tender.id, reason="x", now=DEADLINE).stage == "cancelled"
    assert not Award.objects.filter(tender=tender, status="standing").exists()
    with refused(Conflict):
        acts.cancel(actor=world.buyer, tender_id=tender.id, reason="x", now=DEADLINE)


def test_amending_extends_the_deadline_and_the_key(world: World, keys, django_capture_on_commit_callbacks) -> None:
    tender = world.published()
    world.bid(tender, 0, "10")
    later = DEADLINE + timedelta(days=1)
    with refused(Invalid):
        acts.amend(actor=world.buyer, tender_id=tender.id, now=world.at, bids_until=DEADLINE - MS)
    with django_capture_on_commit_callbacks(execute=True):
        acts.amend(actor=world.buyer, tender_id=tender.id, now=world.at, bids_until=later, note="More time")
    with refused(Conflict):
        keys.release(tender.id, DEADLINE, DEADLINE)
    assert world.bid(tender, 1, "9", at=later - MS).status == "sealed"
    assert acts.open_bids(actor=world.buyer, tender_id=tender.id, now=later).stage == "evaluation"
    with refused(Conflict):
        acts.amend(actor=world.buyer, tender_id=tender.id, now=later)


def test_questions_hide_who_asks_and_end_in_time(world: World) -> None:
    tender = world.published()
    question = acts.ask(actor=world.suppliers[0], tender_id=tender.id, text="Which flange?", now=world.at)
    event = Event.objects.get(kind="tender.question_asked")
    assert (event.actor_id, event.organisation_id) == (None, None)
    assert str(world.suppliers[0].organisation_id) not in str(Payload.objects.get(pk=event.id).body)
    assert acts.answer(actor=world.buyer, question_id=question.id, text="DIN 2501", now=world.at).answer == "DIN 2501"
    with refused(Conflict) as late:
        acts.ask(actor=world.suppliers[0], tender_id=tender.id, text="And?", now=DEADLINE - timedelta(days=1))
    assert late.value.code == "tender.questions_closed"
    with refused(Invalid):
        acts.ask(actor=world.suppliers[0], tender_id=tender.id, text="  ", now=world.at)


def test_a_complaint_upheld_reopens_the_evaluation_and_a_dismissed_one_does_not(world: World) -> None:
    tender = world.awarded("10", "11")
    lot = Lot.objects.get(tender=tender)
    with refused(Refused):
        acts.complain(actor=world.suppliers[3], tender_id=tender.id, lot_id=lot.id, text="Unfair", now=DEADLINE)
    complaint = acts.complain(actor=world.suppliers[1], tender_id=tender.id, lot_id=lot.id, text="Unfair", now=DEADLINE)
    with refused(Conflict):
        acts.complain(actor=world.suppliers[1], tender_id=tender.id, lot_id=lot.id, text="Again", now=DEADLINE)
    acts.decide_complaint(
        actor=world.arbiter, complaint_id=complaint.id, upheld=False, decision="No ground", now=DEADLINE
    )
    tender.refresh_from_db()
    assert tender.stage == "standstill"
    second = acts.complain(actor=world.suppliers[1], tender_id=tender.id, lot_id=lot.id, text="New", now=DEADLINE)
    acts.decide_complaint(actor=world.arbiter, complaint_id=second.id, upheld=True, decision="Right", now=DEADLINE)
    tender.refresh_from_db()
    lot.refresh_from_db()
    assert (tender.stage, lot.status, lot.evaluation) == ("evaluation", "active", None)
    assert Award.objects.get(tender=tender).status == "cancelled"


def test_no_complaint_after_the_standstill(world: World) -> None:
    tender = world.awarded("10", "11")
    lot, ends = Lot.objects.get(tender=tender), Award.objects.get(tender=tender).standstill_until
    with refused(Conflict):
        acts.complain(actor=world.suppliers[1], tender_id=tender.id, lot_id=lot.id, text="Late", now=ends)


def test_a_draft_is_its_buyers_own_and_edited_as_a_whole(world: World) -> None:
    tender = world.plan()
    with refused(NotFound):
        acts.edit(actor=world.neighbour, tender_id=tender.id, terms=terms(), now=world.at)
    edited = acts.edit(
        actor=world.buyer,
        tender_id=tender.id,
        terms=terms(lots=[lot_terms(("B", "1", "C62"))]),
        now=world.at,
        version=1,
    )
    assert (edited.version, Line.objects.get(lot__tender=tender).name["en"]) == (2, "B")
    with refused(Conflict) as raced:
        acts.edit(actor=world.buyer, tender_id=tender.id, terms=terms(), now=world.at, version=1)
    assert raced.value.code == "tender.changed_meanwhile"
    acts.publish(actor=world.buyer, tender_id=tender.id, now=world.at)
    with refused(Conflict) as published:
        acts.edit(actor=world.buyer, tender_id=tender.id, terms=terms(), now=world.at)
    assert published.value.code == "tender.wrong_stage"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"title": {}}, "tender.title_missing", "title"),
        ({"currency": "RMB"}, "currency.unknown", "currency"),
        ({"procedure": "dance"}, "tender.procedure_unknown", "procedure"),
        ({"lots": []}, "tender.lines_missing", "lots"),
        ({"lots": [lot_terms(("A", "0", "C62"))]}, "quantity.invalid", "lots.0.lines.0.quantity"),
        ({"lots": [lot_terms(("A", "1", "tons"))]}, "unit.invalid", "lots.0.lines.0.unit"),
        ({"budget_minor": 0}, "tender.budget_invalid", "budget"),
        ({"criteria": [Criterion("q", {}, 1000)]}, "tender.criteria_weights", "criteria"),
        ({"criteria": [Criterion("price", {}, 100)]}, "tender.criteria_codes", "criteria"),
        ({"standstill_days": -1}, "tender.days_invalid", "standstill_days"),
        ({"questions_until": DEADLINE + MS}, "tender.questions_after_bids", "questions_until"),
    ],
)
def test_terms_that_are_no_tender_name_the_field(world: World, changes: dict, code: str, field: str) -> None:
    with refused(InvalidMany) as wrong:
        world.plan(**changes)
    assert (code, field) in [(error.code, error.field) for error in wrong.value.errors]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"bids_until": None, "questions_until": None}, "tender.bids_until_missing"),
        ({"bids_until": START, "questions_until": None}, "tender.bids_until_too_early"),
        ({"standstill_days": 0}, "tender.standstill_too_short"),
        ({"procedure": "open_auction"}, "tender.auction_rules_missing"),
    ],
)
def test_what_may_be_a_draft_may_not_be_published(world: World, changes: dict, code: str) -> None:
    tender = world.plan(**changes)
    with refused(InvalidMany) as wrong:
        acts.publish(actor=world.buyer, tender_id=tender.id, now=world.at)
    assert [error.code for error in wrong.value.errors] == [code]


def test_a_new_tender_from_an_earlier_one_of_whomever_but_not_from_a_strangers_draft(world: World) -> None:
    source = world.plan()
    with refused(NotFound):
        acts.draft_from(actor=world.neighbour, source_id=source.id, marketplace_id=world.marketplace.id, now=world.at)
    acts.publish(actor=world.buyer, tender_id=source.id, now=world.at)
    draft = acts.draft_from(
        actor=world.neighbour, source_id=source.id, marketplace_id=world.marketplace.id, now=world.at
    )
    assert (draft.stage, draft.origin_id, draft.bids_until) == ("draft", source.id, None)
    assert draft.buyer_id == world.neighbour.organisation_id
    assert Line.objects.filter(lot__tender=draft).count() == 2


def test_the_database_itself_refuses(world: World) -> None:
    tender = world.awarded("10", "11")
    award, bid = Award.objects.get(tender=tender), Bid.objects.get(tender=tender, number=2)
    wrong = [
        lambda: Award.objects.create(
            marketplace_id=tender.marketplace_id, tender=tender, lot=award.lot, bid=bid, amount_minor=1
        ),
        lambda: Bid.objects.create(
            marketplace_id=tender.marketplace_id,
            tender=tender,
            lot=award.lot,
            bidder_id=bid.bidder_id,
            status="valid",
            amount_minor=1,
            received_at=START,
        ),
        lambda: Bid.objects.filter(pk=bid.pk).update(amount_minor=0),
        lambda: Bid.objects.filter(pk=bid.pk).update(final_minor=bid.amount_minor + 1),
        lambda: Bid.objects.filter(pk=bid.pk).update(status="sealed"),
        lambda: Bid.objects.filter(pk=bid.pk).update(status="withdrawn"),
        lambda: Tender.objects.filter(pk=tender.pk).update(stage="dreaming"),
        lambda: Line.objects.filter(lot=award.lot).update(quantity=0),
        lambda: BidLine.objects.filter(bid=bid).update(unit_price=0),
    ]
    for change in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            change()

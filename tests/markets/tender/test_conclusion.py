"""From the standstill to the agreement: by hand, by time, held up by a complaint, passed on after a default."""

from __future__ import annotations

from datetime import timedelta

from huangpu.core.errors import Conflict
from huangpu.flows.commerce.models import Agreement, AgreementParty, Commitment
from huangpu.flows.process import acts as process
from huangpu.markets.tender import acts, jobs, queries
from huangpu.markets.tender.models import Award, Lot

from .conftest import DEADLINE, World, lot_terms, refused

MS = timedelta(milliseconds=1)


def test_after_the_standstill_each_award_is_an_agreement(world: World) -> None:
    world.marketplace.fee_ppm = 5_000
    world.marketplace.save()
    lots = [lot_terms(("A", "3", "C62"), ("B", "2.5", "TNE")), lot_terms(("C", "1", "C62"))]
    tender = world.published(lots=lots, deliver_within_days=20)
    world.bid(tender, 0, "10.01", lot=1)
    world.bid(tender, 1, "99", lot=2)
    acts.open_bids(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    acts.evaluate(actor=world.buyer, tender_id=tender.id, now=DEADLINE)
    for lot in Lot.objects.filter(tender=tender):
        acts.award(actor=world.buyer, tender_id=tender.id, lot_id=lot.id, now=DEADLINE)
    ends = Award.objects.filter(tender=tender)[0].standstill_until
    with refused(Conflict) as early:
        acts.conclude(actor=world.buyer, tender_id=tender.id, now=ends - MS)
    assert early.value.code == "tender.standstill_running"
    made = acts.conclude(actor=world.buyer, tender_id=tender.id, now=ends)
    first, second = Agreement.objects.filter(origin_id=tender.id).order_by("id")
    assert made == [first.id, second.id]
    assert (first.amount, second.amount) == (3003 + 2503, 9900)  # 2.5 × 10.01 = 25.025, half up
    assert first.parameters["fee"] == 27  # 0.5 % of 55.06 yuan, rounded down
    assert first.parameters["deliver_within"] == 20
    assert (
        AgreementParty.objects.get(agreement=first, role="seller").organisation_id == world.suppliers[0].organisation_id
    )
    delivered = Commitment.objects.filter(agreement=first, action="deliver").order_by("ordinal")
    assert [(one.quantity, one.unit) for one in delivered] == [(3, "C62"), (2.5, "TNE")]
    tender.refresh_from_db()
    assert (tender.stage, tender.closed_at) == ("concluded", ends)
    view = queries.see(world.buyer, tender, ends)
    assert (view.saving.contracted, view.saving.delivered) == (5506 + 9900, None)


def test_time_concludes_by_itself_and_a_complaint_holds_it_up(world: World) -> None:
    tender = world.awarded("10", "11")
    lot, ends = Lot.objects.get(tender=tender), Award.objects.get(tender=tender).standstill_until
    complaint = acts.complain(
        actor=world.suppliers[1], tender_id=tender.id, lot_id=lot.id, text="Unfair", now=ends - MS
    )
    with refused(Conflict) as held:
        acts.conclude(actor=world.buyer, tender_id=tender.id, now=ends)
    assert held.value.code == "tender.complaint_undecided"
    assert jobs.sweep(ends) == 1
    tender.refresh_from_db()
    assert (tender.stage, tender.next_deadline_at) == ("standstill", None)
    acts.decide_complaint(
        actor=world.arbiter, complaint_id=complaint.id, upheld=False, decision="No", now=ends + timedelta(days=2)
    )
    assert jobs.sweep(ends + timedelta(days=2)) == 1
    tender.refresh_from_db()
    assert tender.stage == "concluded"
    assert Agreement.objects.filter(origin_id=tender.id).count() == 1


def test_an_award_is_passed_on_after_its_agreement_ended_but_not_while_it_runs(world: World) -> None:
    tender = world.awarded("10", "11")
    award = Award.objects.get(tender=tender)
    acts.conclude(actor=world.buyer, tender_id=tender.id, now=award.standstill_until)
    award.refresh_from_db()
    with refused(Conflict) as running:
        acts.pass_on(actor=world.buyer, award_id=award.id, reason="Late", now=award.standstill_until)
    assert running.value.code == "tender.agreement_running"
    unpaid = award.standstill_until + timedelta(days=30)
    process.lapse(agreement_id=award.agreement_id, ordinal=1, now=unpaid)
    process.resolve(actor=world.suppliers[0], agreement_id=award.agreement_id, option="withdraw_unpaid", now=unpaid)
    following = acts.pass_on(actor=world.buyer, award_id=award.id, reason="Withdrew", now=unpaid)
    assert following is not None
    assert following.supplier_id == world.suppliers[1].organisation_id
    tender.refresh_from_db()
    assert tender.stage == "standstill"
    acts.conclude(actor=world.buyer, tender_id=tender.id, now=following.standstill_until)
    assert Agreement.objects.filter(origin_id=tender.id).count() == 2

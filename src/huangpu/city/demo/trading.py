"""The trades of the demo city: tenders at every stage, and the agreements that came of them at every step.

Each is a story told through the acts at instants of the past, so that everything on a page has happened as it says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from huangpu.core.db import one_act
from huangpu.core.names import named
from huangpu.flows.process import acts as process
from huangpu.flows.process import amending, amendments, deadlines, store
from huangpu.flows.process.amending import Change
from huangpu.markets.auction import acts as auctions
from huangpu.markets.auction.models import Auction
from huangpu.markets.tender import acts as tenders
from huangpu.markets.tender.models import Lot, Tender
from huangpu.markets.tender.rules import Criterion
from huangpu.markets.tender.terms import LineTerms, LotTerms, TenderTerms
from huangpu.parties.actor import SYSTEM

from .catalogue import Good

if TYPE_CHECKING:
    from .fill import City, Firm, Stall

QUALITY = (
    Criterion("delivery", named("交货期", "Delivery time"), 200),
    Criterion("quality", named("质量与检验", "Quality and inspection"), 150),
)

RULES: dict[str, Any] = {"step_ppm": 5000, "base": "lead", "window_s": 20, "extend_s": 20, "extensions_max": 1}
ENDED_S = 120  # how long the auctions lasted that are over
LIVE = {**RULES, "duration_s": 3600}
ENDED = {**RULES, "duration_s": ENDED_S, "hard_close_after_s": ENDED_S}
LATE = {"rate": "0.005", "per": "week", "cap": "0.05"}
CARRIERS = ("申浦物流 Shenpu Logistics", "长江快运 Changjiang Express", "沪通货运 Hutong Freight")


@dataclass(frozen=True)
class Story:
    """How far a tender goes, and, where it comes to an agreement, what becomes of that. `began`: days ago."""

    ends: str  # a stage of the tender, or "trade"
    began: float
    bidders: int = 3
    trade: str = ""
    procedure: str = "open"
    quality: bool = False
    lines: int = 2
    auction: bool = False  # its prices went through a reverse auction


STORIES = (
    Story("draft", 1),
    Story("open", 3, bidders=2, lines=3),
    Story("open", 2, bidders=0, procedure="rfq"),
    Story("open", 4, bidders=3, procedure="open_auction"),
    Story("auction", 3.2, bidders=4, procedure="open_auction"),
    Story("evaluation", 6, bidders=4, quality=True),
    Story("ranked", 8, bidders=3),
    Story("standstill", 4.5, bidders=3),
    Story("unsuccessful", 15, bidders=0),
    Story("cancelled", 12, bidders=1),
    Story("trade", 20, trade="unpaid", procedure="rfq"),
    Story("trade", 30, trade="late", procedure="rfq", bidders=2),
    Story("trade", 24, trade="paid", bidders=4, procedure="open_auction", auction=True),
    Story("trade", 32, trade="part", lines=3),
    Story("trade", 36, trade="inspecting", bidders=2),
    Story("trade", 44, trade="disputed"),
    Story("trade", 52, trade="rejected", lines=1),
    Story("trade", 75, trade="cancelled", lines=2),
    Story("trade", 60, trade="done", lines=4, quality=True),
    Story("trade", 70, trade="done", bidders=4, procedure="open_auction", auction=True),
    Story("trade", 85, trade="amended", lines=1),
    Story("trade", 95, trade="many", lines=14, bidders=2),
)

# so that numbers grow with time, as they do in life
OLDEST_FIRST = sorted(STORIES, key=lambda story: -story.began)


def trade_everywhere(city: City) -> None:
    """Tells every story in every marketplace, as many times as the scale says; then lets silences be decided."""
    stories = [(stall, story) for stall in city.stalls for _round in range(city.scale) for story in OLDEST_FIRST]
    for number, (stall, story) in enumerate(stories, 1):
        with one_act():
            tell(city, stall, story, number)
        city.progress("Tenders and trades", number, len(stories))
    deadlines.sweep(city.now)


def tell(city: City, stall: Stall, story: Story, number: int) -> None:
    """One story from its draft to where it ends."""
    buyer = stall.buyers[number % len(stall.buyers)] if number % 2 else stall.buyers[0]
    rivals = [firm for firm in stall.suppliers if firm.industry == buyer.industry]
    start = city.now - timedelta(days=story.began)
    tender = tenders.plan(
        actor=buyer.actor(), marketplace_id=stall.market.id, terms=_terms(city, buyer, story, start), now=start
    )
    if story.ends == "draft":
        return
    tender = tenders.publish(actor=buyer.actor(), tender_id=tender.id, now=start + timedelta(hours=2))
    _talk(city, tender, buyer, rivals, start)
    bidders = rivals[: story.bidders] if number % 3 else rivals[-story.bidders :] if story.bidders else []
    _bid(city, tender, bidders, start + timedelta(hours=30))
    if story.ends == "cancelled":
        reason = "设计变更，重新招标 · the design changed; it will be tendered again"
        tenders.cancel(actor=buyer.actor(), tender_id=tender.id, reason=reason, now=start + timedelta(days=2))
    if story.ends in ("open", "cancelled"):
        return
    assert tender.bids_until is not None
    tenders.open_bids(actor=buyer.actor(), tender_id=tender.id, now=tender.bids_until + timedelta(seconds=10))
    if story.ends in ("unsuccessful", "evaluation"):
        return
    if story.ends == "auction":
        _auction(city, tender, buyer, bidders, city.now - timedelta(seconds=100), city.now)
        return
    if story.auction:
        opens = tender.bids_until + timedelta(hours=2)
        _auction(city, tender, buyer, bidders, opens, opens + timedelta(seconds=ENDED_S))
        _after_the_auction(tender, buyer)
    if story.quality:
        _score(city, tender, buyer, tender.bids_until + timedelta(hours=4))
    tenders.evaluate(actor=buyer.actor(), tender_id=tender.id, now=tender.bids_until + timedelta(hours=5))
    if story.ends == "ranked":
        return
    for lot in Lot.objects.filter(tender=tender):
        tenders.award(
            actor=buyer.actor(), tender_id=tender.id, lot_id=lot.id, now=tender.bids_until + timedelta(hours=20)
        )
    if story.ends == "standstill":
        return
    concluded = tender.bids_until + timedelta(days=3)
    for agreement_id in tenders.conclude(actor=buyer.actor(), tender_id=tender.id, now=concluded):
        TRADES[story.trade](Run(city, agreement_id, buyer, _winner(agreement_id, rivals), concluded))


def _terms(city: City, buyer: Firm, story: Story, start: datetime) -> TenderTerms:
    assert buyer.industry is not None
    first_of = city.random.randrange(len(buyer.industry.goods))
    goods = [buyer.industry.goods[(first_of + at) % len(buyer.industry.goods)] for at in range(story.lines)]
    quantities = [_some(city, good) for good in goods]
    budget = sum(int(quantity * good.price * 100) for quantity, good in zip(quantities, goods, strict=True))
    open_days = 7.0 if story.ends == "open" else 2.5
    first = goods[0]
    return TenderTerms(
        title=named(f"{first.zh} 等采购" if story.lines > 1 else f"{first.zh} 采购", f"Supply of {first.en}"),
        description=named(
            "按技术协议供货，含税到厂价；分批交货，验收合格后付款。",
            "Supply to the technical agreement, delivered and taxed; in parts; paid on acceptance.",
        ),
        currency="CNY",
        procedure=story.procedure,
        industry=buyer.industry.code,
        delivery_place=buyer.organisation.address,
        budget_minor=budget * 106 // 100,
        criteria=QUALITY if story.quality else (),
        auction=(ENDED if story.auction else LIVE) if "auction" in story.procedure else None,
        questions_until=start + timedelta(days=open_days / 2),
        bids_until=start + timedelta(days=open_days),
        standstill_days=4 if story.ends == "standstill" else 1,
        deliver_within_days=20,
        inspect_within_days=5,
        pay_within_days=3,
        late_penalty=LATE if story.procedure.startswith("open") else None,
        bond_ppm=10_000 if story.procedure.startswith("open") else None,
        lots=[
            LotTerms(
                [
                    LineTerms(named(good.zh, good.en), quantity, good.unit)
                    for good, quantity in zip(goods, quantities, strict=True)
                ]
            )
        ],
    )


def _some(city: City, good: Good) -> Decimal:
    return Decimal(max(1, good.quantity * city.random.randrange(5, 40) // 100))


def _talk(city: City, tender: Tender, buyer: Firm, rivals: list[Firm], start: datetime) -> None:
    if not rivals or city.random.random() < 0.5:
        return
    question = tenders.ask(
        actor=rivals[-1].actor(), tender_id=tender.id, text="是否接受分批交货？ Are deliveries in parts accepted?",
        now=start + timedelta(hours=8),
    )  # fmt: skip
    answer = "可以，每批不少于总量的三成。 Yes, at least 30 % of the whole each time."
    tenders.answer(actor=buyer.actor(), question_id=question.id, text=answer, now=start + timedelta(hours=20))


def _bid(city: City, tender: Tender, bidders: list[Firm], when: datetime) -> None:
    lot = Lot.objects.filter(tender=tender).prefetch_related("lines").get()
    for late, firm in enumerate(bidders):
        assert firm.industry is not None
        usual = {good.en: good.price for good in firm.industry.goods}
        prices = {
            line.id: (Decimal(usual[line.name["en"]]) * city.random.randrange(880, 1060) / 1000).quantize(
                Decimal("0.01")
            )
            for line in lot.lines.all()
        }
        tenders.submit_bid(
            actor=firm.actor(),
            tender_id=tender.id,
            lot_id=lot.id,
            prices=prices,
            now=when + timedelta(minutes=17 * late),
        )


BEAT = timedelta(seconds=2)  # of the house, in the past as in life: a longer silence would be credited to the bidders


def _auction(city: City, tender: Tender, buyer: Firm, bidders: list[Firm], opens: datetime, until: datetime) -> None:
    """A reverse auction in which now and then somebody goes below the lead; from its opening until an instant."""
    started = tenders.start_auction(
        actor=buyer.actor(), tender_id=tender.id, now=opens - timedelta(minutes=10), opens_at=opens
    )
    auctions.beat(now=opens)
    for auction_id in started:
        lead, when = Auction.objects.get(pk=auction_id).lead_minor, opens
        while (when := when + BEAT) <= until:
            auctions.beat(now=when)
            if when < until and city.random.random() < 0.4:
                lead = lead * city.random.randrange(9_900, 9_945) // 10_000
                firm = city.random.choice(bidders)
                auctions.bid(actor=firm.actor(), auction_id=auction_id, amount=lead, received_at=when)


def _after_the_auction(tender: Tender, buyer: Firm) -> None:
    for auction in Auction.objects.filter(subject_id=tender.id):
        over = auction.closes_at + BEAT
        auctions.beat(now=over)
        auctions.close(actor=SYSTEM, auction_id=auction.id, now=over)
        tenders.take_auction_result(actor=buyer.actor(), tender_id=tender.id, now=over + timedelta(minutes=1))


def _score(city: City, tender: Tender, buyer: Firm, when: datetime) -> None:
    for bid in tender.bids.filter(status="valid"):
        for criterion in QUALITY:
            points = Decimal(city.random.randrange(60, 100))
            tenders.score(actor=buyer.actor(), bid_id=bid.id, criterion=criterion.code, points=points, now=when)


def _winner(agreement_id: UUID, rivals: list[Firm]) -> Firm:
    seller = store.load(agreement_id).roles["seller"]
    return next(firm for firm in rivals if firm.organisation.id == seller)


# ── what becomes of an agreement ─────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Run:
    """An agreement on its way; `at` days after it was concluded."""

    city: City
    agreement_id: UUID
    buyer: Firm
    seller: Firm
    concluded: datetime

    def do(self, action: str, at: float, portion: str | None = None, **details: Any) -> None:
        """Performs all that is due of one verb, in whole or a portion of what is possible now."""
        trade = store.load(self.agreement_id)
        parts = []
        for item in trade.promises:
            if item.action == action and item.state == "due":
                quantity = None
                if portion and item.quantity is not None:
                    quantity = max((item.quantity * Decimal(portion)).quantize(Decimal(1)), Decimal(1))
                    quantity = min(quantity, item.quantity - item.done_quantity)
                parts.append(process.Part(item.ordinal, quantity))
        by = self.seller if action in ("deliver", "invoice") else self.buyer
        process.perform(
            actor=by.actor(), agreement_id=self.agreement_id, parts=parts, details=details, now=self._when(at)
        )

    def use(self, option: str, by: Firm, at: float, **more: Any) -> None:
        """Uses an option of the terms."""
        process.resolve(actor=by.actor(), agreement_id=self.agreement_id, option=option, now=self._when(at), **more)

    def amend(self, at: float, factor: str, *, within: int | None = None, signed: bool = True) -> None:
        """The buyer proposes so many times the rest of the first line that is open, the seller signs a day later."""
        line = amending.open_rest(store.load(self.agreement_id))[0]
        rest = ((line.quantity or Decimal(0)) - line.done_quantity) * Decimal(factor)
        change = Change(
            line.ordinal, max(rest.quantize(Decimal(1)), Decimal(1)),
            due_at=self.concluded + timedelta(days=at + within) if within else None,
        )  # fmt: skip
        made = amendments.propose_amendment(
            actor=self.buyer.actor(), agreement_id=self.agreement_id, changes=[change], now=self._when(at),
            note="产量上调 · the plan was raised",
        )  # fmt: skip
        if signed:
            amendments.sign_amendment(actor=self.seller.actor(), amendment_id=made.id, now=self._when(at + 1))

    def _when(self, at: float) -> datetime:
        return min(self.concluded + timedelta(days=at), self.city.now)

    def ship(self, at: float, portion: str | None = None) -> None:
        carrier = self.city.random.choice(
            ("申浦物流 Shenpu Logistics", "长江快运 Changjiang Express", "沪通货运 Hutong Freight")
        )
        tracking = f"SP{self.city.random.randrange(10**9):09}"
        self.do("deliver", at, portion, carrier=carrier, tracking=tracking)

    def bill(self, at: float) -> None:
        self.do("invoice", at, number=f"25{self.city.random.randrange(10**18):018}")


def _unpaid(_run: Run) -> None:
    """The money is not there yet."""


def _paid(run: Run) -> None:
    run.do("hold", 1)


def _part(run: Run) -> None:
    _paid(run)
    run.ship(6, "0.4")
    run.do("accept", 8)
    run.bill(9)
    run.ship(12, "0.3")
    run.amend(12.5, "1.5", signed=False)


def _amended(run: Run) -> None:
    """Half of it came; of the rest more was agreed on, by a new time, and it came late all the same."""
    _paid(run)
    run.ship(7, "0.5")
    run.do("accept", 9)
    run.amend(10, "1.5", within=10)
    run.ship(29)
    run.do("accept", 31)
    run.bill(32)


def _inspecting(run: Run) -> None:
    _paid(run)
    run.ship((run.city.now - run.concluded).days - 2)


def _disputed(run: Run) -> None:
    _paid(run)
    run.ship(9)
    run.use("dispute", run.buyer, 11, reason="到货与样品不符 · the goods differ from the sample")


def _rejected(run: Run) -> None:
    _paid(run)
    run.ship(8)
    run.use("reject/1.1", run.buyer, 10, reason="抽检不合格 · the sampling failed")
    run.ship(15)
    run.do("accept", 17)
    run.bill(18)


def _cancelled(run: Run) -> None:
    _paid(run)
    run.ship(10, "0.5")
    run.do("accept", 12)
    run.bill(13)
    run.use("cancel_undelivered", run.buyer, 30, reason="逾期未交 · not delivered in time")


def _done(run: Run) -> None:
    _paid(run)
    run.ship(7)
    run.do("accept", 10)
    run.bill(11)


def _many(run: Run) -> None:
    """A long trade in many parts, for the picture of sixty commitments and more."""
    _paid(run)
    for round_, portion in enumerate(("0.2", "0.3", "0.2")):
        run.ship(4 + 5 * round_, portion)
        run.do("accept", 6 + 5 * round_)
    run.bill(20)


TRADES: dict[str, Callable[[Run], None]] = {
    "unpaid": _unpaid,
    "late": _unpaid,
    "paid": _paid,
    "part": _part,
    "inspecting": _inspecting,
    "disputed": _disputed,
    "rejected": _rejected,
    "cancelled": _cancelled,
    "done": _done,
    "amended": _amended,
    "many": _many,
}

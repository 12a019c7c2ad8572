"""A day is closed when nothing can come into it any more, and whoever changes it afterwards is found."""

from __future__ import annotations

import random
import shutil
import subprocess
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from huangpu.core.clock import SHANGHAI
from huangpu.core.db import execute, row
from huangpu.core.errors import Conflict, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log.models import Event
from huangpu.flows.funds import acts, days, jobs, keys, trial, verify
from huangpu.flows.funds.models import Account, ClosedDay
from huangpu.flows.funds.models import Transfer as TransferRow
from huangpu.flows.funds.rules import AccountSpec, Capture, Hold, Item, Transfer, Void
from huangpu.parties.actor import SYSTEM, Actor
from huangpu.parties.models import Membership, Organisation
from tests.small_city import found

from .test_doors import client_of
from .test_races import CONNECTIONS, at_once

FIRST = date(2026, 11, 20)
MORNING = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)  # nine o'clock in Shanghai


def test_what_is_signed_is_these_bytes() -> None:
    day = trial.Day(
        UUID(int=1), "CNY", FIRST, "Asia/Shanghai", None, datetime(2026, 11, 20, 16, 0, tzinfo=UTC), 2,
        {"wallet": (1, 2**60, 0, 5), "bank": (2**60, 1, 5, 0)}, None,
    )  # fmt: skip
    assert day.text() == (
        b'{"before":null,"books":{"bank":{"pending_credit":"0","pending_debit":"5","posted_credit":"1",'
        b'"posted_debit":"1152921504606846976"},"wallet":{"pending_credit":"5","pending_debit":"0",'
        b'"posted_credit":"1152921504606846976","posted_debit":"1"}},"currency":"CNY","day":"2026-11-20",'
        b'"form":"huangpu trial balance 1","marketplace":"00000000-0000-0000-0000-000000000001","since":null,"transfers":2,'
        b'"until":"2026-11-20T16:00:00.000000Z","zone":"Asia/Shanghai"}'
    )
    assert trial.read(day.text()) == day
    assert trial.balanced(day.books)
    assert not trial.balanced({"wallet": (1, 2, 0, 0)})


def test_a_signature_is_of_these_bytes_and_this_key() -> None:
    public = keys.create()
    signature = keys.sign(public, b"a day")
    assert keys.is_signed(public, signature, b"a day")
    assert not keys.is_signed(public, signature, b"a dax")
    assert not keys.is_signed(keys.create(), signature, b"a day")
    file = settings.HUANGPU.data / "keys" / f"ledger-{public.hex()}"
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("00" * 32)  # another key in its place
    with pytest.raises(keys.KeyMissing):
        keys.sign(public, b"a day")


class Past:
    """A marketplace with two currencies whose transfers were posted on known instants of the past."""

    def __init__(self) -> None:
        self.market, buyer, seller = uuid7(), uuid7(), uuid7()
        self.specs = {
            (book, currency): AccountSpec(self.market, book, holder, currency)
            for currency in ("CNY", "USD")
            for book, holder in (("wallet", buyer), ("bank", None), ("escrow", None), ("fees", None))
        }
        self.seller = AccountSpec(self.market, "wallet", seller, "CNY")
        acts.ensure_accounts([*self.specs.values(), self.seller])
        Account.objects.filter(marketplace_id=self.market).update(opened_at=MORNING)

    def item(self, made: type, **facts: object) -> Item:
        reference = {} if made in (Capture, Void) else {"kind": "x", "reference": self.market}
        return made(id=uuid7(), marketplace_id=self.market, **reference, **facts)  # type: ignore[no-any-return]

    def pay(self, debit: str, credit: str, amount: int, currency: str = "CNY") -> Item:
        return self.item(
            Transfer, debit=self.specs[debit, currency].id, credit=self.specs[credit, currency].id, amount=amount
        )

    def post(self, at: datetime, *items: Item) -> None:
        acts.post(items, now=at)
        TransferRow.objects.filter(pk__in=[item.id for item in items]).update(posted_at=at)

    def close(self, day: date, **more: object) -> list[ClosedDay]:
        now = days.end_of(day, SHANGHAI)
        return days.close_day(actor=SYSTEM, marketplace_id=self.market, day=day, now=now, **more)  # type: ignore[arg-type]

    def three_days(self) -> Past:
        self.post(MORNING, self.pay("bank", "wallet", 1_000))
        midnight = days.end_of(FIRST, SHANGHAI)
        hold = self.item(Hold, debit=self.specs["wallet", "CNY"].id, credit=self.specs["escrow", "CNY"].id, amount=600)
        self.post(midnight - timedelta(microseconds=1), hold)
        capture = self.item(Capture, hold_id=hold.id, amount=450, credit=self.seller.id)
        self.post(midnight, capture, self.item(Void, hold_id=hold.id, amount=100))
        self.post(midnight + timedelta(hours=3), self.pay("bank", "wallet", 77, "USD"))
        for number in range(3):
            self.close(FIRST + timedelta(days=number))
        return self


@pytest.fixture
def past(db: None) -> Past:  # noqa: ARG001
    return Past()


def wrong() -> list[str]:
    return [check.name for check in verify.checks() if not check.ok]


def test_three_days_are_closed(past: Past) -> None:
    past.three_days()
    chain = [one.told for one in ClosedDay.objects.filter(marketplace_id=past.market, currency="CNY").order_by("day")]
    assert [(told.day, told.transfers) for told in chain] == [
        (FIRST, 2), (FIRST + timedelta(days=1), 2), (FIRST + timedelta(days=2), 0),
    ]  # fmt: skip
    assert chain[0].books == {"bank": (1_000, 0, 0, 0), "escrow": (0, 0, 0, 600), "wallet": (0, 1_000, 600, 0)}
    last = {"bank": (1_000, 0, 0, 0), "escrow": (0, 0, 0, 50), "wallet": (450, 1_450, 50, 0)}
    assert (chain[1].books, chain[2].books) == (last, last)
    dollars = ClosedDay.objects.filter(marketplace_id=past.market, currency="USD").order_by("day")
    assert [one.told.transfers for one in dollars] == [0, 1, 0]
    assert dollars[0].told.since is None
    for before, after in pairwise(dollars):
        assert after.told.before == bytes(before.digest)
        assert after.told.since == before.told.until
    assert {bytes(one.public_key) for one in dollars} == {
        bytes(one.public_key) for one in ClosedDay.objects.filter(marketplace_id=past.market)
    }, "one key a marketplace"
    assert wrong() == []


def test_a_closed_day_stays_as_it_is(past: Past) -> None:
    past.three_days()
    once = list(ClosedDay.objects.filter(marketplace_id=past.market).order_by("pk").values())
    events = Event.objects.filter(marketplace_id=past.market, kind="funds.day_closed").count()
    for new_key in (False, True):
        again = past.close(FIRST, new_key=new_key)
        assert [(one.day, one.currency) for one in again] == [(FIRST, "CNY"), (FIRST, "USD")]
    assert list(ClosedDay.objects.filter(marketplace_id=past.market).order_by("pk").values()) == once
    assert Event.objects.filter(marketplace_id=past.market, kind="funds.day_closed").count() == events == 6


def test_days_are_closed_in_order_and_when_they_are_over(past: Past) -> None:
    with pytest.raises(Conflict) as ahead:
        past.close(FIRST + timedelta(days=1))
    assert (ahead.value.code, ahead.value.params["expected"]) == ("ledger.day_before_open", "2026-11-20")
    early = days.end_of(FIRST, SHANGHAI) - timedelta(microseconds=1)
    with pytest.raises(Conflict) as open_yet:
        days.close_day(actor=SYSTEM, marketplace_id=past.market, day=FIRST, now=early)
    assert open_yet.value.code == "ledger.day_open"
    future = date(2999, 1, 1)  # by the caller's clock it is over, by the database's it is not
    with pytest.raises(Conflict) as fast:
        past.close(future)
    assert fast.value.code == "ledger.day_open"
    assert past.close(FIRST - timedelta(days=1)) == []  # before the first account
    with pytest.raises(Refused):
        days.close_day(actor=Actor(uuid7(), None, past.market), marketplace_id=past.market, day=FIRST, now=MORNING)


def test_the_job_closes_what_is_due(past: Past) -> None:
    past.post(MORNING, past.pay("bank", "wallet", 5))
    now = days.end_of(FIRST + timedelta(days=3), SHANGHAI) + timedelta(minutes=7)
    assert days.due(past.market, now) == [FIRST + timedelta(days=number) for number in range(4)]
    assert jobs.close_due(now) >= 4
    assert days.due(past.market, now) == []
    assert jobs.close_due(now) == 0
    assert wrong() == []


def test_a_lost_key_waits_for_the_operator(past: Past) -> None:
    [first, _dollars] = past.close(FIRST)
    file = settings.HUANGPU.data / "keys" / f"ledger-{bytes(first.public_key).hex()}"
    away = file.rename(file.with_suffix(".away"))
    with pytest.raises(Conflict) as lost:
        past.close(FIRST + timedelta(days=1))
    assert lost.value.code == "ledger.key_missing"
    assert jobs.close_due(days.end_of(FIRST + timedelta(days=1), SHANGHAI)) == 0
    away.rename(file)
    [second, _dollars] = past.close(FIRST + timedelta(days=1))
    [third, _dollars] = past.close(FIRST + timedelta(days=2), new_key=True)
    [fourth, _dollars] = past.close(FIRST + timedelta(days=3))
    used = [bytes(one.public_key) for one in (first, second, third, fourth)]
    assert (used[0], used[2]) == (used[1], used[3])
    assert used[0] != used[2]
    assert wrong() == []


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE funds_transfer SET amount = amount + 1 WHERE marketplace_id = %(m)s AND phase = 0",
        "UPDATE funds_transfer SET posted_at = posted_at + '1 day' WHERE marketplace_id = %(m)s AND phase = 1",
        "DELETE FROM funds_transfer WHERE marketplace_id = %(m)s AND phase = 3",
        "UPDATE funds_closedday SET statement = replace(statement, '600', '601') WHERE marketplace_id = %(m)s",
        "UPDATE funds_closedday SET statement = '{}' WHERE marketplace_id = %(m)s AND currency = 'USD'",
        "UPDATE funds_closedday SET digest = sha256('x') WHERE marketplace_id = %(m)s AND day = '2026-11-21'",
        "UPDATE funds_closedday SET signature = sha512('x') WHERE marketplace_id = %(m)s AND day = '2026-11-21'",
        "UPDATE funds_closedday SET public_key = sha256('x') WHERE marketplace_id = %(m)s AND day = '2026-11-21'",
        "UPDATE funds_closedday SET day = '2026-11-25' WHERE marketplace_id = %(m)s AND day = '2026-11-22'",
        "DELETE FROM funds_closedday WHERE marketplace_id = %(m)s AND day = '2026-11-21'",
    ],
)
def test_verify_finds_a_day_that_was_changed(past: Past, harm: str) -> None:
    past.three_days()
    assert wrong() == []
    assert execute(harm, {"m": past.market}) > 0
    assert any("closed day" in name for name in wrong())


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
def test_it_is_checked_without_this_house(past: Past, tmp_path: Path) -> None:
    """By the very lines that the page shows."""
    closed = past.three_days().close(FIRST)[0]
    text = {"statement.json": closed.text, "key.pem": keys.pem(bytes(closed.public_key)).encode()}
    for name, content in {**text, "signature.bin": bytes(closed.signature)}.items():
        (tmp_path / name).write_bytes(content)
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in statement.json -sigfile signature.bin"
    good = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False)
    assert good.returncode == 0, good.stderr
    (tmp_path / "statement.json").write_bytes(closed.text + b" ")
    assert subprocess.run(command.split(), cwd=tmp_path, capture_output=True, check=False).returncode != 0


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_began_in_the_day_is_waited_for() -> None:
    """One that has posted and one that has not even a number yet; not one that began later."""
    import threading

    said: dict[str, int] = {}
    begun, look, looked = threading.Barrier(3), threading.Event(), threading.Barrier(3)

    def begins(posts: bool) -> None:
        try:
            with transaction.atomic():
                row("SELECT 1")
                if posts:
                    past = Past()
                    acts.post([past.pay("bank", "wallet", 1)])
                begun.wait()
                look.wait()
            looked.wait()
        finally:
            connection.close()

    threads = [threading.Thread(target=begins, args=(posts,)) for posts in (True, False)]
    for thread in threads:
        thread.start()
    begun.wait()
    instant = row("SELECT clock_timestamp()")
    assert instant is not None
    said["while they run"] = days.running_since_before(instant[0])
    said["of one before them"] = days.running_since_before(instant[0] - timedelta(hours=1))
    look.set()
    looked.wait()
    for thread in threads:
        thread.join()
    said["after them"] = days.running_since_before(instant[0])
    assert said == {"while they run": 2, "of one before them": 0, "after them": 0}


@pytest.mark.django_db(transaction=True)
def test_days_are_closed_while_others_post() -> None:
    """Windows of milliseconds, closed in the midst of it: each holds exactly what was posted in it, for ever."""
    past = Past()
    key = keys.create()

    def work(number: int) -> str:
        if number:
            dice = random.Random(number)
            for _ in range(15):
                with transaction.atomic():
                    books = [dice.choice(["wallet", "fees", "escrow"]) for _ in range(dice.randint(1, 4))]
                    acts.post([past.pay("bank", book, dice.randint(1, 9)) for book in books])
                    for _ in range(dice.randint(0, 9)):  # posted, and not yet committed
                        row("SELECT 1")
            return "posted"
        for place in range(12):
            found = row("SELECT clock_timestamp()")
            assert found is not None
            while days.running_since_before(found[0]):
                pass
            told = days._day(past.market, "CNY", FIRST + timedelta(days=place), SHANGHAI, found[0])
            days._close(SYSTEM, told, key, found[0])
        return "closed"

    assert at_once(work) == {"closed": 1, "posted": CONNECTIONS - 1}
    closed = ClosedDay.objects.filter(marketplace_id=past.market)
    assert sum(one.told.transfers > 0 for one in closed) > 1, "the windows must fall among the postings"
    assert wrong() == []


@pytest.mark.django_db(transaction=True)
def test_many_close_a_day_at_once() -> None:
    past = Past()
    past.post(MORNING, past.pay("bank", "wallet", 5))
    assert at_once(lambda _: str(len(past.close(FIRST))), 8) == {"2": 8}
    assert ClosedDay.objects.filter(marketplace_id=past.market).count() == 2
    assert Event.objects.filter(marketplace_id=past.market, kind="funds.day_closed").count() == 2
    assert wrong() == []


@pytest.mark.django_db
def test_the_ledger_is_read_by_the_operator_and_its_auditors() -> None:
    city = found()
    acts.ensure_accounts([AccountSpec(city.market.pk, "bank", None, "CNY")])
    Account.objects.filter(marketplace_id=city.market.pk).update(opened_at=MORNING)
    [closed] = days.close_day(actor=SYSTEM, marketplace_id=city.market.pk, day=FIRST, now=days.end_of(FIRST, SHANGHAI))
    house = Organisation.objects.get(pk=city.market.operator_id)
    Membership.objects.create(organisation=house, person=city.clerk, roles=["auditor"])
    base, api = "/m/manufacturing/ledger/", "/api/v1/m/manufacturing/ledger/days"
    for client in (client_of(city.operator, None), client_of(city.clerk, house)):
        assert "2026-11-20" in client.get(base).content.decode()
        page = client.get(f"{base}2026-11-20/CNY/").content.decode()
        assert bytes(closed.digest).hex() in page
        assert keys.base64_of(bytes(closed.signature)) in page.replace("&#x2B;", "+").replace("&#x3D;", "=")
        file = client.get(f"{base}2026-11-20/CNY/statement/")
        assert (file.content, trial.digest_of(file.content)) == (closed.text, bytes(closed.digest))
        assert client.get(f"{base}2026-11-21/CNY/").status_code == 404
        assert client.get(f"{base}yesterday/CNY/").status_code == 404
        [told] = client.get(f"{api}?currency=CNY").json()["items"]
        assert told == client.get(f"{api}/2026-11-20/CNY").json()
        assert (told["statement"].encode(), told["digest"]) == (closed.text, bytes(closed.digest).hex())
        assert client.get(f"{api}/2026-11-21/CNY").json()["code"] == "ledger.day_unknown"
    for client in (client_of(city.owner, city.buyer), client_of(city.clerk, city.seller)):
        assert client.get(base).status_code == 403
        assert client.get(api).status_code == 403


@pytest.mark.django_db
def test_the_operator_closes_a_day_by_api() -> None:
    city = found()
    acts.ensure_accounts([AccountSpec(city.market.pk, "bank", None, "CNY")])
    Account.objects.filter(marketplace_id=city.market.pk).update(opened_at=MORNING)

    def close(client: Client, day: str) -> tuple[int, object]:
        answer = client.post(
            f"/api/v1/m/manufacturing/ledger/days/{day}", {}, content_type="application/json",
            headers={"Idempotency-Key": str(uuid7())},
        )  # fmt: skip
        return answer.status_code, answer.json()

    operator = client_of(city.operator, None)
    assert close(client_of(city.owner, city.buyer), "2026-11-20")[0] == 403
    status, told = close(operator, "2026-11-20")
    assert (status, [one["day"] for one in told]) == (200, ["2026-11-20"])  # type: ignore[attr-defined]
    assert close(operator, "2999-01-01")[0] == 409

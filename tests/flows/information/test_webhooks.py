"""Webhooks: signed, retried, replayed; what is not public is never called; what is not for one is never sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from huangpu.core.errors import Conflict, HuangpuError, Invalid, NotFound, Refused
from huangpu.core.ids import uuid7
from huangpu.core.log import sequencer
from huangpu.core.log.models import Payload
from huangpu.core.log.record import NewEvent, record
from huangpu.flows.information import calling, jobs, queries, rules, webhooks
from huangpu.flows.information.models import Delivery, Endpoint, Notice

from .conftest import NOW, Market


class Receiver:
    """A server that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                status, headers = outer.answers.pop(0) if outer.answers else (204, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return None

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def market(live_market: Market, private_webhooks: None) -> Market:  # noqa: ARG001
    return live_market


def register(market: Market, url: str, kinds: Any = (), who: str = "buyer") -> tuple[Endpoint, str]:
    return webhooks.register_endpoint(
        actor=market.actor(who), marketplace_id=market.marketplace.pk, url=url, kinds=list(kinds), now=NOW
    )


def happen(market: Market, kind: str = "tender.published", audience: tuple[UUID, ...] = (), **payload: Any) -> UUID:
    event = NewEvent(
        kind=kind,
        marketplace_id=market.marketplace.pk,
        subject_type="tender",
        subject_id=uuid7(),
        occurred_at=NOW,
        payload=payload or {"title": "钢板"},
        audience=audience,
    )
    record([event])
    return event.id


def deliver(market: Market, now: datetime = NOW) -> int:
    webhooks.make_deliveries(market.marketplace.pk, now)
    return jobs.deliver_due(now)


def kinds_got(receiver: Receiver) -> list[str]:
    return [json.loads(body)["type"] for _headers, body in receiver.got]


def test_an_event_arrives_signed(market: Market, receiver: Receiver) -> None:
    _endpoint, secret = register(market, receiver.url)
    id = happen(market)
    deliver(market, datetime.now(UTC))
    published = next((headers, body) for headers, body in receiver.got if b"tender.published" in body)
    headers, body = published
    content = Webhook(secret).verify(body, headers)
    assert content["data"]["event"] == str(id)
    assert content["data"]["payload"] == {"title": "钢板"}
    assert headers["webhook-id"] == f"msg_{id.hex}"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    assert Delivery.objects.get(event_id=id).state == "delivered"


def test_only_what_is_wanted_and_readable_is_sent(market: Market, receiver: Receiver) -> None:
    happen(market, "tender.published", title="before anybody listened")
    sequencer.sequence()
    register(market, receiver.url, ["tender.*", "award.made"])
    mine, theirs = market.organisations["buyer"].pk, market.organisations["seller"].pk
    happen(market, "tender.published")
    happen(market, "award.made", (mine, theirs))
    happen(market, "tender.secret", (theirs,))
    happen(market, "trade.settled", (mine,))
    deliver(market)
    # called at the same time, so they may arrive in either order; each tells its position in the log
    assert sorted(kinds_got(receiver)) == ["award.made", "tender.published"]
    assert b"before" not in b"".join(body for _headers, body in receiver.got)


def test_the_secret_changes_over_with_a_day_of_both(market: Market, receiver: Receiver) -> None:
    endpoint, old = register(market, receiver.url, ["tender.*"])
    now = datetime.now(UTC)
    _endpoint, new = webhooks.rotate_secret(
        actor=market.actor("buyer"), marketplace_id=market.marketplace.pk, endpoint_id=endpoint.pk, now=now
    )
    happen(market)
    deliver(market, now)
    headers, body = receiver.got[-1]
    assert Webhook(old).verify(body, headers) == Webhook(new).verify(body, headers)
    happen(market)
    endpoint.refresh_from_db()
    endpoint.previous_until = now
    endpoint.save()
    deliver(market, now)
    headers, body = receiver.got[-1]
    Webhook(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(body, headers)


def test_a_failing_call_is_tried_for_a_day_and_then_told(market: Market, receiver: Receiver) -> None:
    register(market, receiver.url, ["tender.*"])
    happen(market)
    receiver.answers = [(500, {})] * 30
    now, tries = NOW, 0
    webhooks.make_deliveries(market.marketplace.pk, now)
    while (delivery := Delivery.objects.get()).next_at:
        assert jobs.deliver_due(delivery.next_at - timedelta(milliseconds=1)) == 0
        now = delivery.next_at
        assert jobs.deliver_due(now) == 1
        tries += 1
        settled = Delivery.objects.get()
        if settled.next_at:  # written by the clock of the worker, so moved to the clock of the test
            settled.next_at = now + (rules.delay_after(settled.attempts) or timedelta())
            settled.save()
    assert tries == len(rules.DELAYS) + 1
    assert timedelta(hours=23) < now - NOW < timedelta(hours=25)
    assert Delivery.objects.get().state == "failed"
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    assert Notice.objects.get().kind == "information.webhook_failed"


def test_a_redirect_is_not_followed_and_gone_ends_the_calls(market: Market, receiver: Receiver) -> None:
    register(market, receiver.url, ["tender.*"])
    receiver.answers = [(302, {"Location": receiver.url})]
    happen(market)
    deliver(market)
    assert len(receiver.got) == 1
    assert Delivery.objects.get().last_error == "redirect"
    receiver.answers = [(410, {})]
    happen(market)
    deliver(market)
    assert Endpoint.objects.get().disabled_reason == "gone"
    assert not Delivery.objects.exclude(next_at=None).exists()
    assert Notice.objects.get().kind == "information.webhook_gone"


def test_a_worker_that_dies_during_a_call_is_followed_by_another(market: Market, receiver: Receiver) -> None:
    register(market, receiver.url, ["tender.*"])
    happen(market)
    webhooks.make_deliveries(market.marketplace.pk, NOW)
    assert len(webhooks.claim(NOW, 10)) == 1  # and the worker dies here
    assert jobs.deliver_due(NOW + rules.LEASE - timedelta(seconds=1)) == 0
    assert jobs.deliver_due(NOW + rules.LEASE) == 1
    assert Delivery.objects.get().state == "delivered"


def test_two_workers_never_take_the_same_delivery(market: Market, receiver: Receiver) -> None:
    register(market, receiver.url, ["tender.*"])
    for _ in range(20):
        happen(market)
    webhooks.make_deliveries(market.marketplace.pk, NOW)
    taken: list[UUID] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait(20)
        while found := webhooks.claim(NOW, 3):
            taken.extend(delivery.pk for delivery in found)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(taken) == len(set(taken)) == 20


def test_reading_the_log_twice_makes_no_double(market: Market, receiver: Receiver) -> None:
    register(market, receiver.url, ["tender.*"])
    happen(market)
    webhooks.make_deliveries(market.marketplace.pk, NOW)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE log_cursor SET position = 0")  # as if the worker had died before its commit
    webhooks.make_deliveries(market.marketplace.pk, NOW)
    assert Delivery.objects.count() == 1


def test_one_delivery_or_all_from_a_position_are_sent_again(market: Market, receiver: Receiver) -> None:
    happen(market, title="before")
    sequencer.sequence()
    endpoint, _secret = register(market, receiver.url, ["tender.*"])
    happen(market, title="after")
    deliver(market)
    actor, where = market.actor("buyer"), market.marketplace.pk
    delivery = Delivery.objects.get()
    webhooks.replay_delivery(actor=actor, marketplace_id=where, delivery_id=delivery.pk, now=NOW)
    jobs.deliver_due(NOW)
    assert len(receiver.got) == 2
    assert receiver.got[0][0]["webhook-id"] == receiver.got[1][0]["webhook-id"]
    assert webhooks.replay_from(actor=actor, marketplace_id=where, endpoint_id=endpoint.pk, position=0, now=NOW) == 2
    jobs.deliver_due(NOW)
    assert len(receiver.got) == 4


def test_an_erased_event_is_not_sent(market: Market, receiver: Receiver) -> None:
    register(market, receiver.url, ["tender.*"])
    id = happen(market)
    webhooks.make_deliveries(market.marketplace.pk, NOW)
    Payload.objects.filter(pk=id).delete()
    jobs.deliver_due(NOW)
    assert not receiver.got
    assert Delivery.objects.get().last_error == "erased"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost.localdomain"])
def test_no_call_goes_inside(live_market: Market, receiver: Receiver, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    endpoint = Endpoint.objects.create(
        marketplace_id=live_market.marketplace.pk,
        organisation_id=live_market.organisations["buyer"].pk,
        url=url,
        secret=b"x" * 24,
        after_position=0,
        created_at=NOW,
    )
    happen(live_market)
    deliver(live_market)
    assert not receiver.got
    assert Delivery.objects.get(endpoint=endpoint).last_error in ("private", "name")


def test_the_connection_goes_to_the_address_that_was_checked(
    market: Market, receiver: Receiver, monkeypatch: Any
) -> None:
    asked: list[str] = []

    async def resolve(url: str) -> str:
        asked.append(url)
        return "127.0.0.1"

    monkeypatch.setattr(calling, "resolve", resolve)
    register(market, receiver.url.replace("127.0.0.1", "erp.example.invalid"), ["tender.*"])
    happen(market)
    deliver(market)
    assert len(asked) == 1
    assert receiver.got[0][0]["host"].startswith("erp.example.invalid:")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:1::", "nothing", "",
    ],
)  # fmt: skip
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not rules.is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert rules.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "http://erp.example.com/", "https://", "https://localhost/", "https://127.0.0.1/", "https://[::1]/",
        "https://10.0.0.1/", "https://user@erp.example.com/", "https://u:p@erp.example.com/", "https://erp.example.com/#a",
        "https://erp.example.com:0/", "https://erp.example.com:99999/", "https://erp.example.com/ a", "ftp://erp.example.com/",
        "https://erp.example.com/" + "a" * 500, "https://erp.example.com/\n", "https://例子.中国/", "https://2130706433/",
        "https://0x7f.1/", "//erp.example.com/",
    ],
)  # fmt: skip
def test_an_address_that_cannot_be_called_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        rules.check_url(url, allow_private=False)
    assert refused.value.code == "information.webhook_url"


@given(st.text(max_size=60))
def test_no_text_is_more_than_a_refused_address(url: str) -> None:
    try:
        rules.check_url(url, allow_private=False)
    except Invalid as refused:
        url = refused.code
    assert url.startswith(("https://", "information.webhook_url"))


@pytest.mark.parametrize(
    "kind", ["", "Tender", "tender.", "*.published", "tender published", "tender.**", "x" * 65, "\0"]
)
def test_a_kind_that_is_none_is_refused(kind: str) -> None:
    with pytest.raises(Invalid):
        rules.check_kinds([kind])


def test_who_may_manage_and_see(market: Market, receiver: Receiver) -> None:
    endpoint, _secret = register(market, receiver.url)
    where = market.marketplace.pk
    with pytest.raises(Refused):
        webhooks.register_endpoint(
            actor=market.actor("buyer", "clerk"), marketplace_id=where, url=receiver.url, kinds=[], now=NOW
        )
    for act in (webhooks.rotate_secret, webhooks.disable_endpoint):
        with pytest.raises(NotFound):
            act(actor=market.actor("seller"), marketplace_id=where, endpoint_id=endpoint.pk, now=NOW)
    with pytest.raises(NotFound):
        queries.deliveries(actor=market.actor("seller"), marketplace_id=where, endpoint_id=endpoint.pk)
    webhooks.disable_endpoint(actor=market.actor("buyer"), marketplace_id=where, endpoint_id=endpoint.pk, now=NOW)
    with pytest.raises(Conflict):
        webhooks.replay_from(
            actor=market.actor("buyer"), marketplace_id=where, endpoint_id=endpoint.pk, position=0, now=NOW
        )


def test_there_is_a_limit_on_endpoints(market: Market, receiver: Receiver) -> None:
    for _ in range(rules.ENDPOINTS_MAX):
        register(market, receiver.url)
    with pytest.raises(HuangpuError) as refused:
        register(market, receiver.url)
    assert refused.value.code == "information.webhooks_too_many"


def test_the_feed_is_gap_free_for_its_reader(market: Market) -> None:
    mine, theirs = market.organisations["buyer"].pk, market.organisations["seller"].pk
    for number in range(12):
        happen(market, "test.public" if number % 3 == 0 else "test.mine" if number % 3 == 1 else "test.theirs",
               () if number % 3 == 0 else (mine,) if number % 3 == 1 else (theirs,), number=number)  # fmt: skip

    def numbers(client: Any) -> list[int]:
        found, after = [], 0
        while True:
            answer = client.get(f"/api/v1/m/harbour/events?after={after}&limit=3").json()
            found += [event["payload"]["number"] for event in answer["events"]]
            after = answer["after"]
            if not answer["more"]:
                return found

    from django.test import Client

    assert numbers(Client()) == [0, 3, 6, 9]
    assert numbers(market.client("buyer")) == [0, 1, 3, 4, 6, 7, 9, 10]
    assert numbers(market.client("seller")) == [0, 2, 3, 5, 6, 8, 9, 11]
    last = Client().get("/api/v1/m/harbour/events?after=12").json()
    assert (last["events"], last["after"], last["more"]) == ([], 12, False)


def test_the_pages_register_show_and_change(market: Market, receiver: Receiver, client: Any) -> None:
    client.force_login(market.people["buyer"])
    at = "/m/harbour/webhooks/"
    wrong = client.post(at, {"url": "nonsense", "kinds": "", "idempotency_key": "w"})
    assert wrong.status_code == 422
    assert "cannot be called" in wrong.content.decode()
    made = client.post(at, {"url": receiver.url, "kinds": "tender.*", "idempotency_key": "w"})
    assert "whsec_" in made.content.decode()
    again = client.post(at, {"url": receiver.url, "kinds": "tender.*", "idempotency_key": "w"})
    assert again.status_code == 409
    assert Endpoint.objects.count() == 1
    happen(market)
    deliver(market)
    own = f"{at}{Endpoint.objects.get().pk}/"
    shown = client.get(own).content.decode()
    assert "tender.published" in shown
    assert "Delivered" in shown
    rotated = client.post(f"{own}change/", {"act": "rotate", "idempotency_key": "r"})
    assert "whsec_" in rotated.content.decode()
    assert client.post(f"{own}change/", {"act": "replay", "after": "0", "idempotency_key": "p"}).status_code == 302
    assert client.post(f"{own}change/", {"act": "replay", "after": "-1", "idempotency_key": "q"}).status_code == 422
    assert client.post(f"{own}change/", {"act": "disable", "idempotency_key": "d"}).status_code == 302
    assert Endpoint.objects.get().disabled_reason == "owner"
    client.force_login(market.people["seller"])
    assert client.get(own).status_code == 404

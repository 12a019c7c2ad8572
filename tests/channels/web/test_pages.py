"""The installation's own pages: what they show, to whom, and what they refuse."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from tests.small_city import PASSWORD, City, found

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("city")]


@pytest.fixture
def city(settings) -> City:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # scrypt is slow on purpose
    cache.clear()
    return found()


def page(client: Client, path: str, status: int = 200, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status, answer.content[:400]
    return answer.content.decode()


def test_the_front_page_lists_the_marketplaces_in_the_readers_language(client: Client) -> None:
    assert "Shanghe Procurement" in page(client, "/")
    assert "商和网" in page(client, "/", Accept_Language="zh-CN")
    assert 'href="/m/manufacturing/"' in page(client, "/")
    assert 'href="/m/city/"' not in page(client, "/")


def test_every_page_names_the_operator_with_its_licence_code_and_contact(client: Client) -> None:
    for path in ("/", "/m/manufacturing/", "/accounts/login/"):
        html = page(client, path)
        for fact in ("91310101MA1FL0001X", "021-6000 0000", "operator@demo.invalid", "Shencheng E-Commerce"):
            assert fact in html, (path, fact)


def test_a_marketplace_brings_its_name_and_its_colour(client: Client) -> None:
    html = page(client, "/m/manufacturing/")
    assert 'href="/look/0e7a5f.css"' in html
    assert "Tenders and reverse auctions" in html
    css = client.get("/look/0e7a5f.css")
    assert css["Content-Type"].startswith("text/css")
    assert "immutable" in css["Cache-Control"]
    assert client.get("/look/red.css").status_code == 404


@pytest.mark.parametrize(
    "path", ["/", "/m/manufacturing/", "/accounts/login/", "/accounts/signup/", "/nothing/", "/design/"]
)
def test_no_page_has_an_inline_style_or_script_and_the_policy_forbids_both(client: Client, path: str) -> None:
    answer = client.get(path)
    html = answer.content.decode()
    assert not re.search(r'\sstyle="|\son\w+="', html)
    assert all("src=" in tag or 'type="application/json"' in tag for tag in re.findall(r"<script[^>]*>", html))
    assert "unsafe-inline" not in answer["Content-Security-Policy"]
    assert "default-src 'self'" in answer["Content-Security-Policy"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_policy_lets_pages_reach_the_live_streams(client: Client) -> None:
    policy = client.get("/design/")["Content-Security-Policy"]
    assert f"http://localhost:{settings.HUANGPU.live_port}" in policy


def test_one_click_signs_in_as_a_person_of_the_demo_city(city: City, client: Client) -> None:
    html = page(client, "/accounts/login/")
    assert "林岚 Lin Lan" in html
    assert "operator of the marketplace" in html
    answer = client.post("/accounts/demo/", {"person": str(city.owner.pk), "next": "/accounts/"})
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/"
    assert "Shanghai Electric Heavy Industries" in page(client, "/accounts/")


def test_the_demos_door_does_not_exist_outside_of_the_demo(city: City, client: Client, monkeypatch) -> None:
    monkeypatch.setattr(settings, "HUANGPU", replace(settings.HUANGPU, demo=False))
    assert "林岚" not in page(client, "/accounts/login/")
    assert client.post("/accounts/demo/", {"person": str(city.owner.pk)}).status_code == 404
    assert "_auth_user_id" not in client.session
    page(client, "/design/", 404)


@pytest.mark.parametrize("person", ["", "nobody", "0190a5b0-0000-7000-8000-000000000000"])
def test_the_demos_door_opens_for_its_own_persons_only(client: Client, person: str) -> None:
    assert client.post("/accounts/demo/", {"person": person}).status_code == 404


def test_a_real_account_has_no_one_click_door(city: City, client: Client) -> None:
    city.owner.email = "lin@real.example"
    city.owner.save()
    assert client.post("/accounts/demo/", {"person": str(city.owner.pk)}).status_code == 404


def test_a_person_signs_in_by_password_and_out(client: Client) -> None:
    answer = client.post("/accounts/login/", {"login": "lin", "password": PASSWORD})
    assert answer.status_code == 302
    assert "林岚" in page(client, "/")
    client.post("/accounts/logout/")
    assert "林岚" not in page(client, "/")


def test_guessing_passwords_is_stopped(client: Client) -> None:
    wrong = [client.post("/accounts/login/", {"login": "lin", "password": f"guess {n}"}) for n in range(7)]
    assert "Too many failed login attempts" in wrong[-1].content.decode()
    right = client.post("/accounts/login/", {"login": "lin", "password": PASSWORD})
    assert right.status_code == 200, "the right password is not taken either, until the limit has passed"


def test_acting_for_another_organisation_is_visible_and_only_ones_own_can_be_chosen(city: City, client: Client) -> None:
    client.force_login(city.owner)
    assert "Acting for</span> <strong>Shanghai Electric Heavy Industries" in page(client, "/")
    answer = client.post("/act-for/", {"organisation": str(city.seller.pk), "next": "/m/manufacturing/"})
    assert answer["Location"] == "/m/manufacturing/"
    assert "Acting for</span> <strong>Baoshan Fine Steel" in page(client, "/")
    client.force_login(city.clerk)
    assert client.post("/act-for/", {"organisation": str(city.buyer.pk)}).status_code == 403
    assert "Acting for</span> <strong>Baoshan Fine Steel" in page(client, "/")


def test_switches_lead_back_to_our_own_pages_only(client: Client) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": "https://evil.example/"})["Location"] == "/"
    answer = client.post("/theme/", {"theme": "dark", "next": "/design/"})
    assert answer["Location"] == "/design/"
    assert answer.cookies["theme"].value == "dark"
    assert 'data-theme="dark"' in page(client, "/design/")
    assert "theme" not in client.post("/theme/", {"theme": "<pink>"}).cookies


def test_the_language_is_switched_and_remembered(client: Client) -> None:
    client.post("/language/", {"language": "zh-hans", "next": "/"})
    assert '<html lang="zh-hans"' in page(client, "/")


@pytest.mark.parametrize(("path", "status"), [("/nothing/", 404), ("/m/nowhere/", 404)])
def test_an_error_page_says_what_is_wrong_and_where_to_go(client: Client, path: str, status: int) -> None:
    html = page(client, path, status)
    assert f'<p class="hp-error-status">{status}</p>' in html
    assert "City front page" in html


def test_a_form_without_its_token_is_refused_with_words() -> None:
    answer = Client(enforce_csrf_checks=True).post("/theme/", {"theme": "dark"})
    assert answer.status_code == 403
    assert "load it anew" in answer.content.decode()


def test_our_own_error_needs_no_database(client: Client, monkeypatch) -> None:
    def broken(*_args: object, **_options: object) -> None:
        raise RuntimeError("the inside")

    monkeypatch.setattr("huangpu.channels.web.pages.queries.marketplaces", broken)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "the inside" not in answer.content.decode()
    assert "Our error" in answer.content.decode()


def test_cookies_are_kept_from_scripts_and_other_sites(city: City, client: Client) -> None:
    answer = client.post("/accounts/demo/", {"person": str(city.owner.pk)})
    session = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert bool(session["secure"]) is settings.HUANGPU.https

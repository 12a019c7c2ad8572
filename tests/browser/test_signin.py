"""The front page and the ways in, in both languages, at a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.small_city import PASSWORD, City, found

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("city")]


@pytest.fixture
def city(settings) -> City:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # scrypt is slow on purpose
    return found()


@pytest.mark.parametrize(
    ("language", "sign_in", "market", "account", "out"),
    [
        ("en", "Sign in", "Shanghe Procurement", "Account and security", "Sign out"),
        ("zh-hans", "登录", "商和网", "账号与安全", "退出登录"),
    ],
)
def test_a_person_finds_the_market_signs_in_switches_and_leaves(
    new_page, axe, language: str, sign_in: str, market: str, account: str, out: str
) -> None:
    page = new_page(language=language)
    page.goto("/")
    axe(page)
    page.get_by_role("link", name=market).first.click()
    expect(page.locator("h1")).to_have_text(market)
    axe(page)
    page.get_by_role("navigation").get_by_role("button", name=sign_in).click()
    axe(page)
    page.get_by_role("button", name="林岚 Lin Lan").click()
    expect(page.locator("h1")).to_have_text(market)
    page.locator(".hp-acting > summary").click()
    axe(page)
    other = "Baoshan Fine Steel" if language == "en" else "宝山精钢有限公司"
    page.get_by_role("button", name=other).click()
    expect(page.locator(".hp-acting-for strong")).to_have_text(other)
    page.locator(".hp-acting > summary").click()
    page.get_by_role("link", name=account).click()
    expect(page.locator("h1")).to_have_text(account)
    axe(page)
    page.locator(".hp-acting > summary").click()
    page.get_by_role("button", name=out).click()
    expect(page.get_by_role("navigation").get_by_role("button", name=sign_in)).to_be_visible()


def test_the_keyboard_alone_reaches_the_content_and_signs_in(city: City, page) -> None:
    page.goto("/accounts/login/")
    page.keyboard.press("Tab")
    expect(page.locator(".hp-skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type(city.owner.username)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    expect(page.locator(".hp-acting")).to_be_visible()


def test_a_phone_has_its_menu_and_the_theme_is_kept(new_page, axe) -> None:
    page = new_page(size="phone", language="zh-hans")
    page.goto("/m/manufacturing/")
    expect(page.locator(".hp-menu")).to_be_hidden()
    page.get_by_role("button", name="菜单").click()
    expect(page.locator(".hp-menu")).to_be_visible()
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="深色").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    axe(page)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_passkey_is_added_and_opens_the_door(page) -> None:
    """With the browser's own virtual authenticator; passkeys need the name localhost, which the live server has."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
            }
        },
    )
    page.goto("/accounts/login/?next=/accounts/")
    page.locator("[name=login]").fill("lin")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").first.click()
    page.get_by_role("link", name="Add", exact=True).click()
    page.locator("[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.locator("[name=name]").fill("key of this device")
    page.locator("[name=passwordless]").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url("**/recovery-codes/**")
    page.goto("/accounts/")
    page.locator(".hp-acting > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/?next=/accounts/")
    page.locator("#passkey_login").click()
    page.wait_for_url("**/accounts/")
    expect(page.locator("h1")).to_have_text("Account and security")


def test_the_pages_of_the_account_are_accessible(page, axe) -> None:
    page.goto("/accounts/login/?next=/accounts/")
    page.get_by_role("button", name="林岚 Lin Lan").click()
    for path in ("/accounts/email/", "/accounts/password/change/", "/accounts/2fa/", "/nothing/"):
        page.goto(path)
        axe(page)


def test_pictures(shots, new_page) -> None:
    shots("/", "front")
    shots("/accounts/login/", "login")
    shots("/m/manufacturing/", "market")
    page = new_page()
    page.goto("/accounts/login/?next=/accounts/")
    page.get_by_role("button", name="林岚 Lin Lan").click()
    cookies = page.context.cookies()
    shots("/accounts/", "account", cookies)
    shots("/nothing/", "missing", cookies, ["en-desktop-light"])
    shots("/accounts/2fa/", "mfa", cookies, ["en-desktop-light"])

"""A real browser for journeys: the system's Chromium by Playwright, against Django's own live server.

    def test_something(page, live_server, axe): page.goto(live_server.url + "/"); axe(page)

`shot(page, "front")` writes what is on screen, so that a person can look at it. Without a Chromium these tests are skipped
with a clear word; HUANGPU_CHROMIUM names another than /usr/bin/chromium.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

CHROMIUM = os.environ.get("HUANGPU_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
SHOTS = Path(os.environ.get("HUANGPU_SHOTS", "var/shots"))
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
]
SIZES = {"desktop": (1280, 860), "phone": (390, 844)}
LANGUAGES = {"en": "en", "zh": "zh-hans"}

# All four when somebody is to look (HUANGPU_SHOTS is set), else the narrowest, which also tells whether a page overflows.
VARIANTS = ["en-desktop-light", "zh-desktop-dark", "zh-phone-light", "en-phone-dark"]
if "HUANGPU_SHOTS" not in os.environ:
    VARIANTS = ["zh-phone-light"]

# Playwright's synchronous interface runs an event loop in this thread; Django must not take that for an async view.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is marked `browser`, skipped where there is none, and comes last: once a browser runs,
    Playwright keeps an event loop in this thread, and no test after it could start one of its own."""
    here = Path(__file__).parent
    items.sort(key=lambda item: here in item.path.parents)  # stable: the order is kept otherwise
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM:
                item.add_marker(pytest.mark.skip(reason="no Chromium: install Debian's package chromium"))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
    yield running
    running.close()


@pytest.fixture
def new_page(browser: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """Opens pages of one person each: `new_page(language="zh-hans", size="phone", theme="dark")`.

    A script that fails or that the content security policy stops fails the test, with its words.
    """
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_page(language: str = "en", size: str = "desktop", theme: str = "light") -> Page:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            base_url=live_server.url,
            is_mobile=size == "phone",
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": live_server.url}])
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
        contexts.append(context)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not wrong, wrong


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """One page in English at a desk."""
    return new_page()


@pytest.fixture
def axe() -> Callable[[Page], None]:
    """Asserts that axe-core finds nothing serious or critical on the page."""
    from axe_playwright_python.sync_playwright import Axe

    def check(page: Page) -> None:
        found = Axe().run(page).response["violations"]
        grave = [
            f"{one['impact']} {one['id']}: {one['help']} at {node['target']} {node.get('failureSummary', '')}"
            for one in found
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"][:4]
        ]
        assert not grave, "\n".join([page.url, *grave])

    return check


@pytest.fixture
def shot() -> Callable[[Page, str], Path]:
    """Writes the whole page as a picture and returns where."""

    def write(page: Page, name: str, full: bool = True) -> Path:
        SHOTS.mkdir(parents=True, exist_ok=True)
        path = SHOTS / f"{name}.png"
        page.screenshot(path=path, full_page=full, caret="initial")  # hiding it would need an inline style
        return path

    return write


@pytest.fixture
def shots(browser: Browser, live_server: Any) -> Callable[..., list[Path]]:
    """Writes a page in both languages, at a desk and on a phone, light and dark: `shots("/", "front")`, where HUANGPU_SHOTS
    names a folder; without it on a phone only. Fails where the page is wider than the screen.

    `cookies` are those of a signed-in page's context (`page.context.cookies()`).
    """

    def write(path: str, name: str, cookies: list[Any] | None = None, variants: list[str] | None = None) -> list[Path]:
        SHOTS.mkdir(parents=True, exist_ok=True)
        written = []
        for variant in variants or VARIANTS:
            language, size, theme = variant.split("-")
            width, height = SIZES[size]
            context = browser.new_context(
                viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
            )
            context.add_cookies([one for one in cookies or [] if one["name"] != "django_language"])
            context.add_cookies([{"name": "django_language", "value": LANGUAGES[language], "url": live_server.url}])
            page = context.new_page()
            page.goto(live_server.url + path)
            target = SHOTS / f"{name}-{variant}.png"
            page.screenshot(path=target, full_page=True)
            written.append(target)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} px wide at {width} ({variant})"
            context.close()
        return written

    return write


@contextmanager
def live_process(web_port: int, live_port: int) -> Iterator[None]:
    """The product's live process, on the tests' database."""
    from django.conf import settings as django_settings
    from django.db import connection

    from huangpu.core import processes

    given = connection.settings_dict
    url = f"postgresql://{given['USER']}@/{given['NAME']}?host={given['HOST']}"
    env = {**os.environ, "DATABASE_URL": url, "HUANGPU_SECRET_KEY": django_settings.SECRET_KEY}
    env |= {"HUANGPU_PORT": str(web_port), "HUANGPU_LIVE_PORT": str(live_port)}
    command = [sys.executable, "-m", "granian", "huangpu.channels.cli.live:application", "--interface", "asgi"]
    command += [
        "--host",
        "127.0.0.1",
        "--port",
        str(live_port),
        "--no-ws",
        "--log-level",
        "warning",
        "--workers-kill-timeout",
        "1",
    ]
    process = processes.start(command, stop_signal=signal.SIGTERM, env=env)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{live_port}/", timeout=5).read()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)  # a poll of the start, not of an outcome
        yield
    finally:
        processes.end_group(process, signal.SIGTERM, 10)


@pytest.fixture
def live(live_server: Any, settings: Any) -> Callable[[], Any]:
    """Starts (and restarts) the live process where the pages look for it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    web = urlsplit(live_server.url)
    settings.HUANGPU = replace(settings.HUANGPU, port=web.port, live_port=port)
    policy = deepcopy(settings.CONTENT_SECURITY_POLICY)
    policy["DIRECTIVES"]["connect-src"].append(f"http://{web.hostname}:{port}")
    settings.CONTENT_SECURITY_POLICY = policy
    return lambda: live_process(web.port, port)

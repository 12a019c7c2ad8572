"""Takes the pictures of the READMEs from a running demo: `python tools/pictures.py [http://localhost:8000]`.

Without an address it starts a demo city of its own in a throwaway folder and stops it at the end. Needs Chromium with
Chinese letters (Debian: chromium, fonts-noto-cjk) and the development packages.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
CHROMIUM = os.environ.get("HUANGPU_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome") or ""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--font-render-hinting=none"]  # fmt: skip
LANGUAGES = {"en": "en", "zh": "zh-hans"}
MARKET = "heshang"
WHO, PASSWORD = "zhou", "huangpu-demo-2010"  # the owner of a buying firm
WIDTH, HEIGHT = 1440, 1100
BYTES_MAX = 400_000
START_S_MAX = 600


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo city made for this."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="huangpu-pictures-"))
    folder.chmod(0o755)
    told = {"HUANGPU_DATA": str(folder), "HUANGPU_PORT": str(port)}
    running = subprocess.Popen([sys.executable, "-m", "huangpu", "demo"], env={**os.environ, **told}, cwd=ROOT)
    try:
        yield wait_for(f"http://localhost:{port}", running)
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


def wait_for(address: str, running: subprocess.Popen[bytes]) -> str:
    """Returns the address once it answers."""
    for _second in range(START_S_MAX):
        if running.poll() is not None:
            raise SystemExit(f"the demo ended with status {running.returncode}")
        try:
            with urlopen(address, timeout=2):
                return address
        except (URLError, OSError):
            time.sleep(1)
    raise SystemExit(f"the demo did not answer within {START_S_MAX} s")


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.fill("input[name=login]", WHO)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_load_state("networkidle")


def chosen_trade(page: Page) -> str:
    """The number of the trade that shows most: one that is on its way, with parts delivered, accepted and paid."""
    api = f"/api/v1/m/{MARKET}/trades"

    def told(number: str) -> int:
        trade: dict[str, Any] = page.request.get(f"{api}/{number}").json()
        promises = trade["commitments"]
        begun = sum(one["done_amount"] > 0 or float(one["done_quantity"]) > 0 for one in promises)
        return begun if len(promises) <= 12 and any(one["state"] == "due" for one in promises) else 0

    items = page.request.get(f"{api}?state=open&limit=200").json()["items"]
    return str(max((one["number"] for one in items), key=told))


def take(context: BrowserContext, path: str, target: Path) -> None:
    """A trade's page down to the end of its five lanes, as a PNG of at most 400 kB."""
    page = context.new_page()
    page.goto(path)
    page.wait_for_load_state("networkidle")
    lanes = page.locator("section[aria-labelledby=flows]").bounding_box()
    assert lanes is not None, f"{path} shows no lanes"
    page.screenshot(
        path=target, full_page=True, clip={"x": 0, "y": 0, "width": WIDTH, "height": lanes["y"] + lanes["height"] + 16}
    )
    size = target.stat().st_size
    if size > BYTES_MAX:
        raise SystemExit(f"{target} has {size} bytes; at most {BYTES_MAX} are wanted")
    print(f"{target.relative_to(ROOT)} {size} bytes")


def pictures(address: str) -> None:
    """The trade page in both languages."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for short, language in LANGUAGES.items():
            context = browser.new_context(
                viewport={"width": WIDTH, "height": HEIGHT}, reduced_motion="reduce", base_url=address
            )
            context.add_cookies([{"name": "django_language", "value": language, "url": address}])
            page = context.new_page()
            sign_in(page)
            take(context, f"/m/{MARKET}/trades/{chosen_trade(page)}/", PICTURES / f"trade-{short}.png")
        browser.close()


if __name__ == "__main__":
    if not CHROMIUM:
        raise SystemExit("no Chromium: install Debian's package chromium, or name one in HUANGPU_CHROMIUM")
    if len(sys.argv) > 1:
        pictures(sys.argv[1].rstrip("/"))
    else:
        with demo() as made:
            pictures(made)

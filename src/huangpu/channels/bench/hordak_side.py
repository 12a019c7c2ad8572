"""django-hordak's side of the comparison, run by a Python that has it: `hordak_side.py URL PROCESSES SECONDS`.

It imports nothing of ours. Its accounts are as many as it can be fair with: a thousand, so that two seldom meet.
"""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ACCOUNTS = 1_000


def set_up(url: str) -> None:
    """Django with hordak alone."""
    import django
    from django.conf import settings

    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.strip("/"), "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""), "HOST": query.get("host") or parts.hostname or "",
            "PORT": str(parts.port or ""), "CONN_MAX_AGE": None,
        }},
        USE_TZ=True, SECRET_KEY="x", DEFAULT_AUTO_FIELD="django.db.models.AutoField", DEFAULT_CURRENCY="EUR",
        CURRENCIES=["EUR"], HORDAK_CURRENCIES=["EUR"], HORDAK_DEFAULT_CURRENCY="EUR", HORDAK_INTERNAL_CURRENCY="EUR",
    )  # fmt: skip
    django.setup()


def work(url: str, number: int, seconds: float, ready: Any, go: Any, counts: Any) -> None:
    """Transfers until the time is over."""
    set_up(url)
    from django.db import transaction
    from hordak.models import Account  # type: ignore[import-not-found]
    from moneyed import Money  # type: ignore[import-not-found]

    accounts = list(Account.objects.order_by("pk"))
    dice = random.Random(number)
    ready.release()
    go.wait()
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        payer, payee = dice.sample(accounts, 2)
        with transaction.atomic():
            payer.transfer_to(payee, Money(1, "EUR"))
        done += 1
    counts.put(done)


def main(url: str, processes: int, seconds: float) -> None:
    """Migrates, makes the accounts, and counts."""
    set_up(url)
    from django.core.management import call_command
    from django.db import connection
    from hordak.models import Account

    call_command("migrate", verbosity=0)
    for number in range(ACCOUNTS):
        Account.objects.create(name=f"A{number}", code=f"{number:05}", type="AS", currencies=["EUR"])
    connection.close()
    context = multiprocessing.get_context("spawn")
    ready, go, counts = context.Semaphore(0), context.Event(), context.Queue()
    children = [
        context.Process(target=work, args=(url, number, seconds, ready, go, counts)) for number in range(processes)
    ]
    for child in children:
        child.start()
    for _child in children:
        ready.acquire()
    go.set()
    print("transfers", sum(counts.get() for _child in children), flush=True)
    for child in children:
        child.join()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))

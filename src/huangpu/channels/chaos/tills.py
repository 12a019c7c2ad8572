"""Card terminals under fire: they tap, void and settle; at the end their journals are what the batches say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from huangpu.channels.pos.terminal import Device
from huangpu.core import clock, keyfiles
from huangpu.core.errors import HuangpuError
from huangpu.payments.standards.iso8583.macs import Cryptography, MasterKey
from huangpu.payments.standards.iso8583.terminal import Setup
from huangpu.payments.standards.iso8583.values import Kind

from .journal import Client
from .market import Till

CARD = "6222020000000000075"  # a test number
TAPS_A_BATCH = 25
ROUNDS_MAX = 60


def device(till: Till, folder: Path, port: int) -> Device:
    """The terminal with its journal, which is all that it has besides its key."""
    key = MasterKey(Cryptography.AES, keyfiles.read(folder, f"terminal-{till.identity.lower()}"))
    setup = Setup(till.identity, till.merchant, "CNY", key)
    return Device(setup, ("127.0.0.1", port), folder / "pos" / f"{till.identity}.journal", answer_s=5)


def work(client: Client, till: Device) -> None:
    """Taps until it is told to stop. What a terminal could not bring to its end it takes up again at its next start."""
    while not client.stop.is_set():
        try:
            with till.at_work():
                for _tap in range(client.random.randint(1, TAPS_A_BATCH)):
                    if client.stop.is_set():
                        return
                    _tap_or_void(client, till)
                if client.random.random() < 0.3:
                    till.settle()
        except HuangpuError:  # a reversal that is not answered yet
            client.stop.wait(0.5)
        client.stop.wait(0.05)


def _tap_or_void(client: Client, till: Device) -> None:
    followed = {record.about.stan for record in till.now_state.records if record.about is not None}
    sales = [
        record.stan for record in till.now_state.records if record.kind is Kind.SALE and record.stan not in followed
    ]
    if sales and client.random.random() < 0.1:
        till.void(client.random.choice(sales))
    else:
        till.sale(CARD, client.random.randint(1, 50_000))
    client.stop.wait(client.random.uniform(0.05, 0.2))


def settle(till: Device) -> str | None:
    """Brings a terminal's day to its end; the words of what went wrong if that cannot be."""
    for _round in range(ROUNDS_MAX):
        try:
            with till.at_work():
                if till.settle():
                    return None
        except HuangpuError:
            continue
    return f"terminal {till.setup.identity} could not settle"


def tills(devices: list[Device]) -> Iterator[str]:
    """Every line is something that does not fit: each batch is closed, with what the terminal had, and all were known to us."""
    from huangpu.payments.terminals import taking_back
    from huangpu.payments.terminals.models import Batch, Transaction

    for one in devices:
        if wrong := settle(one):
            yield wrong
        with one.at_work():
            number = one.now_state.batch
        closed = Batch.objects.filter(terminal__identity=one.setup.identity, closed_at__isnull=False).count()
        if closed != number - 1:
            yield f"terminal {one.setup.identity} has settled {number - 1} batches, we have closed {closed}"
    if strange := Batch.objects.exclude(unknown=[]).count():
        yield f"{strange} batches have transactions that only the terminal knows"
    for transaction in taking_back.left():
        taking_back.take_back(transaction, now=clock.now)
    if left := len(taking_back.left()):
        yield f"{left} transactions were taken back and are not undone"
    if not Transaction.objects.filter(response="00").exists():
        yield "no card payment was approved at all"

"""Made-up trades for the design language's page and for the tests of the picture: one of six marks, one of sixty."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from huangpu.core.web.lanes import Mark

BUYER, SELLER = "Shanghai Electric", "Baoshan Steel"
DAY = timedelta(days=1)


def six(now: datetime) -> list[Mark]:
    """A purchase half-way: paid in and delivered, the invoice late, the inspection due, the money waiting for it."""

    def mark(lane: str, days: int, state: str, label: str, detail: str, key: str, *after: str) -> Mark:
        time = now + days * DAY
        at = time if state == "done" else None
        return Mark(lane, at, time, state, label, detail, f"#{key}", SELLER, BUYER, key, after)

    return [
        mark("process", -21, "done", _("Contract"), "PO-2026-000123", "contract"),
        mark("funds", -19, "done", _("Payment held"), "¥512,400.00", "held", "contract"),
        mark("goods", -2, "done", _("Delivery"), "120 t", "delivered", "held"),
        mark("information", -1, "late", _("Invoice"), "¥512,400.00", "invoice", "delivered"),
        mark("commerce", 5, "due", _("Inspection"), "120 t", "accepted", "delivered"),
        mark("funds", 6, "waiting", _("Release"), "¥509,838.00", "released", "accepted"),
    ]


def sixty(now: datetime) -> list[Mark]:
    """A frame contract delivered in eleven parts: seven over, one of them cancelled, the eighth late, the rest to come."""

    def mark(lane: str, days: float, state: str, label: str, detail: str = "") -> Mark:
        time = now + days * DAY
        return Mark(lane, time if state == "done" else None, time, state, label, detail, "#", SELLER, BUYER)

    marks = [
        mark("process", -48, "done", _("Contract"), "PO-2026-000124"),
        mark("commerce", -48, "done", _("Terms signed")),
        mark("process", -47, "done", _("Approval"), "2 / 2"),
    ]
    for part in range(1, 12):
        day = 4.04 * part - 34
        shipped = "cancelled" if part == 5 else "done" if part < 8 else "late" if part == 8 else "waiting"
        accepted = "cancelled" if part == 5 else "done" if part < 7 else "due" if part == 7 else "waiting"
        held = "done" if part < 9 else "due" if part == 9 else "waiting"
        marks += [
            mark("funds", day - 2, held, _("Payment held"), "¥51,240.00"),
            mark("goods", day, shipped, f"{_('Delivery')} {part}", "12 t"),
            mark("information", day + 0.1, shipped, f"{_('Delivery note')} {part}"),
            mark("commerce", day + (7 if part == 7 else 2), accepted, f"{_('Inspection')} {part}", "12 t"),
            mark("funds", day + 3, "waiting" if accepted == "due" else accepted, _("Release"), "¥50,983.80"),
        ]
    marks.append(mark("information", 15, "waiting", _("Invoice"), "¥563,640.00"))
    marks.append(Mark("process", None, None, "waiting", _("Closing")))
    return marks

"""What verbs, states and options are called for a person: the one place where the process room's codes become words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from huangpu.core.names import in_language
from huangpu.core.quantity import plain

# by action: the promise, the button, the deed
ACTIONS: dict[str, tuple[Any, Any, Any]] = {
    "hold": (_("Payment into escrow"), _("Pay into escrow"), _("Paid into escrow")),
    "release": (_("Release of payment"), _("Release the payment"), _("Payment released")),
    "charge": (_("Marketplace fee"), _("Charge the fee"), _("Fee charged")),
    "refund": (_("Refund"), _("Refund"), _("Refunded")),
    "penalty": (_("Penalty for late delivery"), _("Pay the penalty"), _("Penalty for late delivery paid")),
    "pay": (_("Payment"), _("Pay"), _("Paid")),
    "deliver": (_("Delivery"), _("Report a delivery"), _("Delivered")),
    "serve": (_("Service"), _("Report the service"), _("Served")),
    "transfer_title": (_("Transfer of title"), _("Transfer the title"), _("Title transferred")),
    "accept": (_("Inspection and acceptance"), _("Accept"), _("Accepted")),
    "invoice": (_("Invoice"), _("Issue the invoice"), _("Invoiced")),
}
STATES: dict[str, Any] = {
    "waiting": _("waiting"),
    "due": _("due"),
    "late": _("late"),
    "done": _("done"),
    "ended": _("ended"),
    "open": _("under way"),
    "disputed": _("in dispute"),
    "fulfilled": _("fulfilled"),
    "terminated": _("terminated"),
}
OPTIONS: dict[str, Any] = {
    "withdraw_unpaid": _("Withdraw: the payment did not come"),
    "reject": _("Reject a delivery"),
    "cancel_undelivered": _("Cancel what was not delivered in time"),
    "dispute": _("Open a dispute"),
    "decide": _("Decide the dispute"),
    "cancel": _("Cancel"),
    "cancel_late": _("Cancel with the agreed penalty"),
    "return": _("Return goods"),
    "lapse": _("Lapsed"),
}
FLOWS: dict[str, Any] = {
    "commerce": _("Commerce"),
    "goods": _("Goods"),
    "funds": _("Funds"),
    "information": _("Information"),
    "process": _("Process"),
}
ROLES: dict[str, Any] = {
    "buyer": _("buyer"),
    "seller": _("seller"),
    "operator": _("operator"),
    "arbiter": _("arbiter"),
    "house": _("the platform"),
}
# by kind of event: its lane in the picture (empty: told in the list only), and what it is called
EVENTS: dict[str, tuple[str, Any]] = {
    "agreement.concluded": ("commerce", _("Agreement concluded")),
    "process.resolved": ("process", _("Option used")),
    "agreement.amendment_proposed": ("", _("Amendment proposed")),
    "agreement.amendment_signed": ("", _("Amendment signed by a party")),
    "agreement.amendment_declined": ("", _("Amendment declined")),
    "agreement.amended": ("commerce", _("Agreement amended")),
    "commitment.lapsed": ("process", _("Time passed")),
    "information.attached": ("information", _("Document added")),
    # what fulfils a commitment is in the picture by its commitment
    "funds.held": ("", ACTIONS["hold"][2]),
    "funds.released": ("", ACTIONS["release"][2]),
    "funds.charged": ("", ACTIONS["charge"][2]),
    "funds.refunded": ("", ACTIONS["refund"][2]),
    "funds.penalised": ("", ACTIONS["penalty"][2]),
    "funds.paid": ("", ACTIONS["pay"][2]),
    "goods.delivered": ("", ACTIONS["deliver"][2]),
    "goods.served": ("", ACTIONS["serve"][2]),
    "commerce.title_transferred": ("", ACTIONS["transfer_title"][2]),
    "process.accepted": ("", ACTIONS["accept"][2]),
    "information.invoiced": ("", ACTIONS["invoice"][2]),
}


TASK_STATES: dict[str, Any] = {"open": _("still open"), "approved": _("approved"), "refused": _("refused")}
# by act: what a colleague is asked to approve, as a task is called on the desk
TASKS: dict[str, Any] = {}


def declare_tasks(words: dict[str, Any]) -> None:
    """A room above says what those of its acts are called that an organisation may put under approval."""
    TASKS.update(words)


def declare_events(lane: str, words: dict[str, Any]) -> None:
    """A room above says what its events are called and in which lane of the trade page they belong ("": in none)."""
    EVENTS.update({kind: (lane, word) for kind, word in words.items()})


def late_words(penalty: Mapping[str, Any]) -> str:
    """A penalty for lateness as a contract says it. `penalty`: rate, per and cap, as `lateness.Rate.of` reads them."""
    sentence = (
        _("%(rate)s %% of its value for each started week, at most %(cap)s %%")
        if penalty["per"] == "week"
        else _("%(rate)s %% of its value for each started day, at most %(cap)s %%")
    )
    words = str(sentence) % {name: plain(Decimal(penalty[name]) * 100) for name in ("rate", "cap")}
    return words.replace(" %", "\N{NO-BREAK SPACE}%")


def _spell_promise(action: str, name: Mapping[str, str]) -> str:
    words, goods = str(ACTIONS[action][0]), in_language(dict(name))
    return f"{words} · {goods}" if goods else words


_promise_text: Callable[[str, Mapping[str, str]], str] = lazy(_spell_promise, str)


def promise_words(promise: Any) -> str:
    """A commitment as it is called on its trade's page, when it is shown: «Delivery · Stainless plate»."""
    return _promise_text(promise.action, promise.name)


def option_words(key: str) -> Any:
    """«reject/1» is called what «reject» is called."""
    return OPTIONS.get(key.split("/")[0], key)

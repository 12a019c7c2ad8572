"""The sentences of an auction, for its page and for the script that keeps the page alive."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

REASONS: dict[str, Any] = {
    "": gettext_lazy("accepted"),
    "cancelled": gettext_lazy("the auction is cancelled"),
    "closed": gettext_lazy("the auction is closed"),
    "paused": gettext_lazy("the auction is paused"),
    "too_early": gettext_lazy("the auction has not opened yet"),
    "too_late": gettext_lazy("received after the close"),
    "step": gettext_lazy("not below the last bid by the minimum step"),
    "drop": gettext_lazy("so much lower that it looks like a slip"),
}

KINDS: dict[str, Any] = {
    "bid": pgettext_lazy("auction", "Bid"),
    "pause": pgettext_lazy("auction", "Paused"),
    "resume": gettext_lazy("Resumed; the lost time is credited"),
    "outage": gettext_lazy("Outage; the lost time is credited to everybody"),
    "close": pgettext_lazy("auction", "Closed"),
    "cancel": gettext_lazy("Cancelled"),
}


def for_script() -> dict[str, Any]:
    """What the script says, in the reader's language. {names} are filled by the script."""
    return {
        "bidder": _("Bidder {label}"),
        "you": _("you"),
        "connected": _("Live"),
        "connecting": _("Connecting …"),
        "lost": _("Connection lost; it is tried again. Your bids go another way and still count."),
        "extended": _("Extended: the close is now {time}."),
        "bid": _("Bid {amount}"),
        "confirm": _("Confirm {amount}: press Enter again"),
        "sending": _("Sending …"),
        "accepted": _("No. {sequence}: {amount} accepted at {time}. Your rank: {rank}."),
        "refused": _("No. {sequence}: {amount} refused at {time}: {reason}."),
        "failed": _("No answer came. It is not known whether the bid was taken: press again, it counts once only."),
        "unreadable": _("Write an amount, digits only."),
        "time": pgettext("auction", "Time"),
        "lead_axis": _("Leading price"),
        "takes_lead": _("leading price"),
        "rank_of": _("{rank} of {count}"),
        "opens_in": _("Opens in"),
        "closes_in": _("Closes in"),
        "over": _("over"),
        "reasons": {code: str(text) for code, text in REASONS.items()},
        "kinds": {code: str(text) for code, text in KINDS.items()},
        "phases": {
            "scheduled": _("Not open yet"),
            "running": pgettext("auction", "Running"),
            "ending": _("Time is over"),
            "paused": pgettext("auction", "Paused"),
            "closed": pgettext("auction", "Closed"),
            "cancelled": _("Cancelled"),
        },
    }

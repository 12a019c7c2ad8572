"""What the house tells people about tenders."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from huangpu.flows.information.sentences import declare

declare(
    {
        "tender.amended": _("%(number)s “%(title)s” was amended; bids are taken until %(until)s."),
        "tender.question_asked": _("A question was asked about %(number)s “%(title)s”."),
        "tender.question_answered": _("Your question about %(number)s “%(title)s” was answered."),
        "tender.bids_opened": _("The bids for %(number)s “%(title)s” were opened."),
        "tender.bid_disqualified": _("Your bid for %(number)s “%(title)s” was left out: %(reason)s"),
        "tender.auction_starts": _("The reverse auction of %(number)s “%(title)s” opens at %(opens)s."),
        "tender.awarded": _("A lot of %(number)s “%(title)s” was awarded to %(supplier)s."),
        "tender.award_defaulted": _("The award of %(number)s “%(title)s” was passed on: %(reason)s"),
        "tender.complaint_raised": _("A complaint was raised about %(number)s “%(title)s”."),
        "tender.complaint_decided": _("The complaint about %(number)s “%(title)s” was decided."),
        "tender.cancelled": _("%(number)s “%(title)s” was cancelled: %(reason)s"),
        "tender.bond_returned": _("Your bid bond of %(amount)s for %(number)s “%(title)s” was given back."),
        "tender.bond_forfeited": _("The bid bond of %(amount)s for %(number)s “%(title)s” was forfeited to the buyer."),
        "tender.opening_failed": _("The bids for %(number)s “%(title)s” could not be opened: their key is missing."),
    }
)

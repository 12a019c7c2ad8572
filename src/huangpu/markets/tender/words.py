"""What the events of a tender are called on the trade page, and in which lane they belong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

DOCUMENT_KINDS: Mapping[str, Any] = {  # after OCDS, codelist documentType
    "technicalSpecifications": _("Technical specifications"),
    "biddingDocuments": _("Bidding documents"),
    "billOfQuantity": _("Bill of quantity"),
    "contractDraft": _("Draft contract"),
    "illustration": _("Illustration"),
}
COMMERCE: dict[str, Any] = {
    "tender.published": _("Tender published"),
    "tender.awarded": _("Lot awarded"),
    "tender.award_defaulted": _("Award passed on"),
}
PROCESS: dict[str, Any] = {
    "tender.bids_opened": _("Bids opened"),
    "tender.evaluated": _("Bids evaluated"),
    "tender.auction_started": _("Auction started"),
    "tender.complaint_decided": _("Complaint decided"),
}
TOLD_ONLY: dict[str, Any] = {
    "tender.planned": _("Planned"),
    "tender.amended": _("Tender amended"),
    "tender.question_asked": _("Question asked"),
    "tender.question_answered": _("Question answered"),
    "tender.bid_received": _("Bid received"),
    "tender.bid_withdrawn": _("Bid withdrawn"),
    "tender.prices_opened": _("Prices opened"),
    "tender.bid_disqualified": _("Bid disqualified"),
    "tender.bid_scored": _("Bid scored"),
    "tender.bidders_named": _("Bidders named"),
    "tender.auction_ended": _("Auction result taken over"),
    "tender.complaint_raised": _("Complaint raised"),
    "tender.concluded": _("Tender concluded"),
    "tender.cancelled": _("Tender cancelled"),
    "tender.bond_held": _("Bid bond held"),
    "tender.bond_returned": _("Bid bond given back"),
    "tender.bond_forfeited": _("Bid bond forfeited"),
}
BOND_REASONS: dict[str, Any] = {  # why a bond is held no longer
    "withdrawn": _("the bid was withdrawn"),
    "rejected": _("the bid was left out"),
    "not_awarded": _("the lot was awarded to another"),
    "unsuccessful": _("the lot was unsuccessful"),
    "cancelled": _("the tender was cancelled"),
    "concluded": _("the agreement is concluded"),
    "defaulted": _("the bidder defaulted"),
}

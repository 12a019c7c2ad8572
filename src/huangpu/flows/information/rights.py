"""Who may store, read and be told."""

from __future__ import annotations

from huangpu.parties.rights import MEMBERS, Rule

ACTS: dict[str, Rule] = {
    "information.store_document": Rule(
        "Store a document of one's organisation.",
        roles=("buyer", "approver", "finance", "warehouse", "clerk"),
        market_roles=("operator", "arbiter"),
    ),
    "information.read_document": Rule(
        "Read a document: everybody a public one, else its owner, its audience and arbiters.", everybody=True
    ),
    "information.read_events": Rule("Read the events that are public or meant for one's organisation.", everybody=True),
    "information.mark_notices": Rule("Mark one's own notices as read or unread.", signed_in=True),
    "information.see_webhooks": Rule("See the webhooks of one's organisation and their log.", roles=MEMBERS),
    "information.manage_webhooks": Rule(
        "Register, rotate, disable and replay webhooks of one's organisation.", roles=("owner",)
    ),
}

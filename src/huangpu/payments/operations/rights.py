"""Who may ask for a payment, and send money out."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "payments.charge": Rule("Ask for a payment, capture or void it.", roles=("finance", "clerk")),
    "payments.refund": Rule("Pay back a captured payment.", roles=("finance",)),
    "payments.pay_out": Rule("Send money from the wallet through a bank.", roles=("finance",)),
    "payments.see_disputes": Rule(
        "Read what payers' banks dispute.", roles=("finance", "auditor"), market_roles=("operator",)
    ),
    "payments.answer_dispute": Rule("Accept a dispute, or answer it with evidence.", roles=("finance",)),
    "payments.tell_dispute": Rule(
        "Tell of a dispute as the provider did, and how it ended.", market_roles=("operator",)
    ),
    "payments.top_up": Rule("Bring money through a bank into the wallet.", roles=("finance",)),
}

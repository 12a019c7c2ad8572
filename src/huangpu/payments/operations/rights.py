"""Who may ask for a payment, and send money out."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "payments.charge": Rule("Ask for a payment, capture or void it.", roles=("finance", "clerk")),
    "payments.refund": Rule("Pay back a captured payment.", roles=("finance",)),
    "payments.pay_out": Rule("Send money from the wallet through a bank.", roles=("finance",)),
    "payments.top_up": Rule("Bring money through a bank into the wallet.", roles=("finance",)),
}

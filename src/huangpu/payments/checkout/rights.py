"""Who may ask for money by a link or a code, see the takings, and pay from a wallet. A payer with a link needs no account."""

from __future__ import annotations

from huangpu.parties.rights import Rule

ACTS: dict[str, Rule] = {
    "checkout.open": Rule("Ask for money by a link, a code or the phone.", roles=("finance", "clerk")),
    "checkout.see": Rule("Read the organisation's payments and takings.", roles=("finance", "clerk", "auditor")),
    "checkout.choose": Rule("Choose a bank and pay, with the link of a checkout.", everybody=True),
    "checkout.pay": Rule("Pay a checkout from the organisation's wallet; show its pay code.", roles=("finance",)),
}

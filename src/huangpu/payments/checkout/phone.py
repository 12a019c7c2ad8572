"""An order by phone: the payee's clerk names the payer's bank and number, the bank sends a code to that number, the payer tells
it, the clerk passes it on. No card number is ever told, and the number is kept nowhere here."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from huangpu.core.db import act
from huangpu.core.errors import Conflict, Invalid
from huangpu.core.jobs import enqueue
from huangpu.parties.actor import Actor
from huangpu.parties.rights import require_own

from . import acts, jobs, queries
from .models import Checkout

PHONE = re.compile(r"\+?[0-9]{6,15}")  # E.164, or a number of the country
CODE = re.compile(r"[0-9]{4,8}")


@act
def order(
    *,
    actor: Actor,
    marketplace_id: UUID,
    asked: acts.Asked,
    phone: str,
    provider: str,
    operation_id: UUID,
    now: datetime,
) -> Checkout:
    """Asks for a payment of who is on the phone, and has the bank send the code.

    Refused: as `acts.open_checkout` and `acts.choose`; `checkout.phone`.
    """
    require_own(actor, "checkout.open")
    number = re.sub(r"[\s()-]", "", phone)
    if not PHONE.fullmatch(number):
        raise Invalid(
            "checkout.phone",
            _("“%(value)s” is no phone number; it has 6 to 15 digits."),
            field="phone",
            value=phone[:40],
        )
    acts.require_payable(provider, field="bank")
    made = acts.open_checkout(actor=actor, marketplace_id=marketplace_id, asked=asked, now=now)
    operation = acts.purchase(made, provider, operation_id, now)
    enqueue(jobs.challenge, operation_id=str(operation), phone=number)
    return made


@act
def told(*, actor: Actor, checkout_id: UUID, code: str, now: datetime) -> None:
    """The payer has told the code; the bank is asked whether it is right. Refused: `checkout.unknown`, `checkout.code_form`,
    `checkout.no_code_asked`."""
    payee = require_own(actor, "checkout.open")
    made = Checkout.objects.select_related("payment").filter(pk=checkout_id, payee_id=payee, channel="phone").first()
    if made is None:
        raise queries.unknown(checkout_id)
    digits = "".join(code.split())
    if not CODE.fullmatch(digits):
        raise Invalid(
            "checkout.code_form", _("The code is 4 to 8 digits; the payer has it on the phone."), field="code"
        )
    operation = queries.under_way(made)
    if operation is None or queries.state(made, now) != "paying":
        raise Conflict("checkout.no_code_asked", _("No code is waited for."), field="code")
    enqueue(jobs.confirm, operation_id=str(operation.pk), code=digits)

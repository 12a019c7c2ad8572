"""What the house tells people about their trades."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from huangpu.flows.information.sentences import declare

declare(
    {
        "process.amendment_proposed": _("An amendment of %(number)s was proposed; it waits for your signature."),
        "process.amended": _("The amendment of %(number)s is signed by all and applies."),
        "process.amendment_declined": _("The amendment of %(number)s was declined."),
    }
)

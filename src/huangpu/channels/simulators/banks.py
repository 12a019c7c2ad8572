"""The simulated providers: what they are called, and how they can be told to behave."""

from __future__ import annotations

from typing import Any

from django.utils.translation import pgettext_lazy

BANKS: dict[str, dict[str, str]] = {
    "pujiang": {"en": "Pujiang Bank", "zh-hans": "浦江银行"},
    "waitan": {"en": "Bund Bank", "zh-hans": "外滩银行"},
    "jiangpay": {"en": "JiangPay wallet", "zh-hans": "江付通"},
    "acquirer": {"en": "Huangpu Acquiring", "zh-hans": "黄浦收单"},
}
AT_ONCE = frozenset({"acquirer"})  # decides by itself, as the card is at the terminal; payers are not offered it
DECLINED_CENTS = 51  # an amount that ends so is declined at once, as test hosts of acquirers do

MODES: dict[str, Any] = {
    "well": pgettext_lazy("how a simulated bank behaves", "Answers at once"),
    "slow": pgettext_lazy("how a simulated bank behaves", "Answers after three seconds"),
    "silent": pgettext_lazy("how a simulated bank behaves", "Does what it is asked and gives no answer"),
    "repeating": pgettext_lazy("how a simulated bank behaves", "Tells everything three times"),
    "lying": pgettext_lazy("how a simulated bank behaves", "Answers about another amount"),
    "declining": pgettext_lazy("how a simulated bank behaves", "Declines everything"),
    "stopped": pgettext_lazy("how a simulated bank behaves", "Is out of service"),
}
SLOW_S = 3.0

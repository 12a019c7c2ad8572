from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CheckoutConfig(AppConfig):
    name = "huangpu.payments.checkout"
    label = "checkout"

    def ready(self) -> None:
        from huangpu.core.web import navigation, status
        from huangpu.core.web.navigation import Section
        from huangpu.core.web.status import State
        from huangpu.payments.gateway.provider import register

        from .rules import WALLET
        from .wallet import TITLE, OwnWallet

        navigation.register(
            Section("takings", _("Takings"), "takings/", order=20, icon="coins", own=True, right="checkout.see")
        )
        navigation.register(
            Section("pay-code", _("Pay code"), "pay/my-code/", order=30, icon="qr-code", own=True, right="checkout.pay")
        )
        register(WALLET, OwnWallet(), title=TITLE, payable=False)
        status.register(
            "checkout",
            {
                "open": State("waiting", pgettext_lazy("checkout", "Not paid yet")),
                "paying": State("live", pgettext_lazy("checkout", "Being paid")),
                "paid": State("done", pgettext_lazy("checkout", "Paid")),
                "refunded": State("info", pgettext_lazy("checkout", "Paid back")),
                "cancelled": State("cancelled", pgettext_lazy("checkout", "Withdrawn")),
                "expired": State("late", pgettext_lazy("checkout", "Not paid in time")),
            },
        )
        status.register(
            "operation",
            {
                "asked": State("waiting", pgettext_lazy("operation", "Asked")),
                "pending": State("waiting", pgettext_lazy("operation", "Waiting for the payer or the bank")),
                "unknown": State("due", pgettext_lazy("operation", "No answer yet")),
                "succeeded": State("done", pgettext_lazy("operation", "Done")),
                "declined": State("late", pgettext_lazy("operation", "Declined")),
            },
        )

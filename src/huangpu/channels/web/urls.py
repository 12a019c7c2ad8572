"""Every address of the installation."""

from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

urlpatterns = [
    path("api/v1/", include("huangpu.channels.api.urls")),  # first: machines ask most often
    path("", include("huangpu.channels.web.pages")),
    path("", include("huangpu.core.web.pages")),
    path("", include("huangpu.flows.information.pages")),
    path("", include("huangpu.flows.funds.pages")),
    path("", include("huangpu.flows.goods.pages")),
    path("", include("huangpu.flows.commerce.pages")),
    path("", include("huangpu.flows.process.pages")),
    path("", include("huangpu.payments.operations.pages")),
    path("", include("huangpu.payments.checkout.pages")),
    path("", include("huangpu.payments.wallets.pages")),
    path("", include("huangpu.payments.clearing.pages")),
    path("", include("huangpu.channels.pos.pages")),
    path("", include("huangpu.parties.pages")),
    path("", include("huangpu.city.board.pages")),
    path("", include("huangpu.markets.history.pages")),
    path("", include("huangpu.markets.tender.history_door")),
    path("", include("huangpu.markets.tender.pages")),
    path("", include("huangpu.markets.auction.pages")),
    path("language/", set_language, name="set_language"),
    path("accounts/", include("allauth.urls")),
    path("", include("huangpu.channels.api.pages")),
    path("admin/", admin.site.urls),
]

handler400 = "huangpu.channels.web.errors.bad_request"
handler403 = "huangpu.channels.web.errors.forbidden"
handler404 = "huangpu.channels.web.errors.not_found"
handler500 = "huangpu.channels.web.errors.unexpected"

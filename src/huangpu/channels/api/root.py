"""The API of the installation: `/api/v1`, made of what each room's `api.py` offers."""

from __future__ import annotations

from importlib import import_module

from django.apps import apps
from django.utils.module_loading import module_has_submodule
from ninja import Router
from ninja.openapi.docs import Swagger

import huangpu
from huangpu.core.web.api import Api
from huangpu.core.web.limits import Limited
from huangpu.parties.tokens import AUTH

ROOMS = (  # the order of the documentation
    "huangpu.parties",
    "huangpu.markets.tender",
    "huangpu.markets.auction",
    "huangpu.markets.history",
    "huangpu.flows.commerce",
    "huangpu.flows.process",
    "huangpu.flows.goods",
    "huangpu.flows.funds",
    "huangpu.payments.operations",
    "huangpu.payments.checkout",
    "huangpu.payments.terminals",
    "huangpu.payments.wallets",
    "huangpu.payments.reconciliation",
    "huangpu.flows.information",
    "huangpu.sectors.manufacturing",
    "huangpu.city.board",
)

DESCRIPTION = """
Everything that can be done in Huangpu can be done here. One installation hosts many marketplaces; their addresses begin
with `/api/v1/m/{marketplace}/`.

* **Who you are**: `Authorization: Bearer <token>`; a token belongs to an organisation on a marketplace. What is public
  needs none.
* **Once**: a call that changes something carries `Idempotency-Key`. The same key again gives the same answer, with
  `Idempotent-Replayed: true`; with another body it is refused. A refused call changes nothing and leaves the key free.
* **Errors** are problem details (RFC 9457) with a stable `code`, in the language of `Accept-Language`.
* **Lists** come newest first, up to 200 a page; follow `next`.
* **Amounts** are whole minor units with a currency; quantities and unit prices are decimal texts; instants are RFC 3339.
"""


class Docs(Swagger):
    """The interactive documentation, from our own address and clean under our content security policy."""

    template = "api/docs.html"


def routers() -> list[Router]:
    """The routers of the rooms that are installed, in the order of `ROOMS`."""
    installed = {config.name: config.module for config in apps.get_app_configs() if config.module}
    rooms = [installed[name] for name in ROOMS if name in installed]
    return [import_module(f"{room.__name__}.api").router for room in rooms if module_has_submodule(room, "api")]


def build() -> Api:
    """The API of this installation, version 1."""
    api = Api(
        title="Huangpu 黄浦",
        version="1.0.0",
        description=DESCRIPTION,
        urls_namespace="api",
        docs=Docs(),
        auth=AUTH,
        throttle=Limited(per_second=20, burst=200, anonymous_only=True),
        openapi_extra={
            "info": {
                "x-software-version": huangpu.__version__,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            }
        },
    )
    for router in routers():
        api.add_router("", router)
    return api

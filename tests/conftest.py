"""Before any test: the catalogues are compiled, as `make install` and every start do. The longest files come first, so that no
process of a run in parallel is left with one of them at the end."""

import pytest

from huangpu.core.web.catalogues import compile_all

LONGEST = (
    "browser/test_journey",
    "channels/chaos/",
    "browser/",
    "markets/auction/test_kill",
    "city/test_demo",
    "docs/",
)

compile_all()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the order otherwise."""
    items.sort(
        key=lambda item: next((place for place, name in enumerate(LONGEST) if f"tests/{name}" in item.nodeid), 99)
    )

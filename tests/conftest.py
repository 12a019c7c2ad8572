"""The longest files come first, so that no process of a run in parallel is left with one of them at the end."""

import pytest

LONGEST = (
    "browser/test_journey",
    "channels/chaos/",
    "browser/",
    "markets/auction/test_kill",
    "city/test_demo",
    "docs/",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keeps the order otherwise."""
    items.sort(
        key=lambda item: next((place for place, name in enumerate(LONGEST) if f"tests/{name}" in item.nodeid), 99)
    )

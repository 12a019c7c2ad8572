"""The design language's page: every component, in every look."""

from __future__ import annotations

import pytest


@pytest.mark.django_db(transaction=True)
def test_the_components_are_accessible_in_light_and_dark_and_both_languages(new_page, axe, shots):
    for language, size, theme in [("en", "desktop", "light"), ("zh-hans", "phone", "dark")]:
        page = new_page(language=language, size=size, theme=theme)
        page.goto("/design/")
        assert page.locator("h1").count() == 1
        axe(page)
    shots("/design/", "design")

"""Tags of the sign-in page."""

from __future__ import annotations

from django import template

from huangpu.channels.web.signin import DemoPerson, people

register = template.Library()


@register.simple_tag
def demo_persons() -> list[DemoPerson]:
    """Who can be signed in as by one click; nobody outside of the demo."""
    return people()

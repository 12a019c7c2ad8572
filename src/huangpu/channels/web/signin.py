"""The demo's door: one click signs in as a person of the demo city. It exists only where HUANGPU_DEMO is set."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from huangpu.core.names import in_language
from huangpu.core.web.pages import back
from huangpu.parties.models import Membership, Person
from huangpu.parties.rights import ROLE_NAMES

DOMAIN = "demo.invalid"  # the e-mail addresses of the demo city's persons end so, and nobody else's can
SHOWN_MAX = 24


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """A person of the demo city as the sign-in page lists it."""

    id: UUID
    name: str
    place: str
    roles: str

    @property
    def initial(self) -> str:
        return self.name[:1].upper()


def people() -> list[DemoPerson]:
    """The persons of the demo city in the order in which they were made; none outside of the demo."""
    if not settings.HUANGPU.demo:
        return []
    members = Membership.objects.filter(ended_at=None).select_related("organisation").order_by("id")
    found = (
        Person.objects.filter(is_active=True, email__endswith="@" + DOMAIN)
        .prefetch_related(Prefetch("memberships", members), "marketplace_roles__marketplace")
        .order_by("id")[:SHOWN_MAX]
    )
    return [_listed(person) for person in found]


def _listed(person: Person) -> DemoPerson:
    places = [in_language(one.organisation.name) for one in person.memberships.all()]
    places += [in_language(one.marketplace.name) for one in person.marketplace_roles.all()]
    roles = [role for one in person.memberships.all() for role in one.roles]
    roles += [one.role for one in person.marketplace_roles.all()]
    roles += [f"city:{role}" for role in person.city_roles]
    words = dict.fromkeys(str(ROLE_NAMES.get(role, role)) for role in roles)
    return DemoPerson(person.pk, person.get_full_name(), " · ".join(dict.fromkeys(places)), ", ".join(words))


@require_POST
def demo_signin(request: HttpRequest) -> HttpResponse:
    """Sign in as a person of the demo city. 404 outside of the demo and for everybody else."""
    if not settings.HUANGPU.demo:
        raise Http404
    try:
        chosen = UUID(request.POST.get("person", ""))
    except ValueError as wrong:
        raise Http404 from wrong
    person = Person.objects.filter(pk=chosen, is_active=True, email__endswith="@" + DOMAIN).first()
    if person is None:
        raise Http404
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return back(request)

"""The demo city: made through the acts, the same for the same seed, at every stage, and consistent."""

from __future__ import annotations

from collections import Counter

import pytest

from huangpu.city.demo import catalogue
from huangpu.city.demo.fill import fill
from huangpu.core.verify import all_checks
from huangpu.flows.commerce.models import Agreement
from huangpu.markets.tender.models import Tender
from huangpu.parties.identifiers import is_good
from huangpu.parties.models import Identifier, Marketplace, Organisation, Person


@pytest.mark.django_db(transaction=True)
def test_the_city_has_something_at_every_stage_and_its_books_balance() -> None:
    told: dict[str, int] = {}

    def progress(name: str, done: int, total: int) -> None:
        assert told.get(name, 0) < done <= total
        told[name] = done

    fill(1, progress)
    assert told.keys() >= {"Marketplaces and firms", "People", "Tenders and trades", "Imported history"}
    stages = Counter(Tender.objects.values_list("stage", flat=True))
    assert stages.keys() >= {"draft", "open", "evaluation", "standstill", "concluded", "unsuccessful", "cancelled"}
    states = Counter(Agreement.objects.values_list("state", flat=True))
    assert states.keys() == {"open", "disputed", "fulfilled", "terminated"}
    assert Marketplace.objects.filter(is_city=False).count() == len(catalogue.MARKETS)
    industries = set(Organisation.objects.exclude(industry="").values_list("industry", flat=True))
    assert {industry.code for industry in catalogue.INDUSTRIES} <= industries
    codes = Identifier.objects.filter(scheme="CN-USCC").values_list("value", flat=True)
    assert all(is_good("CN-USCC", code) for code in codes)
    assert set(Person.objects.values_list("username", flat=True)) >= {
        account.username for account in catalogue.ACCOUNTS
    }
    broken = [check for check in all_checks() if not check.ok]
    assert not broken

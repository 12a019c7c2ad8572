"""Forms of pages: a refusal of an act is shown beside the field it is about."""

from __future__ import annotations

from collections.abc import Mapping

from django.forms import BaseForm

from ..errors import HuangpuError


def show(form: BaseForm, error: HuangpuError, names: Mapping[str, str] | None = None) -> None:
    """Adds what an act refused to a bound form: beside its field, or above the form when no field is named so.

    `names` maps the act's names to the form's where they differ. Usage in a page:
    `except Invalid as error: forms.show(form, error)`, then render the form again with status 422.
    """
    for one in error.each:
        name = (names or {}).get(one.field or "", one.field)
        form.add_error(name if name in form.fields else None, str(one))

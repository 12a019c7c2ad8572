"""Names of things in several languages: JSON {"zh-hans": …, "en": …} with fallback, one field type for all."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import get_language

ORDER = ("zh-hans", "en")


def in_language(names: dict[str, str] | None, language: str | None = None) -> str:
    """The name in the reader's language, else in the first language there is, else empty."""
    if not names:
        return ""
    wanted = (language or get_language() or "en").lower()
    for key in (wanted, wanted.split("-")[0], *ORDER):
        if names.get(key):
            return names[key]
    return next((name for name in names.values() if name), "")


def named(zh: str, en: str | None = None) -> dict[str, str]:
    """A name in Chinese and, where there is one, in English."""
    return {"zh-hans": zh, "en": en} if en else {"zh-hans": zh}


class NameField(models.JSONField):
    """A name in several languages. Show it with `in_language` or the template filter `|name`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", dict)
        super().__init__(*args, **kwargs)

"""The one family of errors. Pages, API and CLI each render it in their own way; the code never changes its meaning.

An error carries data (field, value, parameters) and a sentence that is translated only when it is shown, so that each
reader sees it in the reader's own language.
"""

from __future__ import annotations

from typing import Any


class HuangpuError(Exception):
    """What was wrong: `code` is stable and documented, `message` a lazily translated sentence with %(name)s parameters."""

    status = 400

    def __init__(self, code: str, message: Any, *, field: str | None = None, value: Any = None, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field
        self.value = value
        self.params = params

    @property
    def each(self) -> list[HuangpuError]:
        """What was wrong, one by one: itself, or of several at once each."""
        return [self]

    def __str__(self) -> str:
        text = str(self.message)
        return text % {"field": self.field, "value": self.value, **self.params} if "%(" in text else text


class Invalid(HuangpuError):
    """The input is not what was asked for: names the field, the value, and what would be right."""

    status = 422


class InvalidMany(Invalid):
    """Several fields are wrong at once: a form shows each beside its field, the API lists them under `errors`."""

    def __init__(self, errors: list[Invalid]) -> None:
        first = errors[0]
        super().__init__(first.code, first.message, field=first.field, value=first.value, **first.params)
        self.errors = errors

    @property
    def each(self) -> list[HuangpuError]:
        return [*self.errors]


class Refused(HuangpuError):
    """The input is right but this actor may not, with the reason."""

    status = 403


class NotSignedIn(Refused):
    """Nobody is known to be acting: no session, or a token that is not (or no longer) good."""

    status = 401


class NotFound(HuangpuError):
    """There is no such thing, or not for who asks (the two are not told apart)."""

    status = 404


class Conflict(HuangpuError):
    """The thing is not in a state in which this can be done, or somebody was faster."""

    status = 409

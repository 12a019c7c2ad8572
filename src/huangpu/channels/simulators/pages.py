"""What the simulators answer: the platform's questions, and pages for people who play a bank's payer or its operator."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import cache
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from huangpu.core import clock
from huangpu.payments.gateway import configured, wire
from huangpu.payments.gateway.provider import Answer

from .banks import BANKS, MODES, SLOW_S
from .book import Book, Entry


@cache
def book() -> Book:
    """The book of this process."""
    return Book(settings.HUANGPU.data / "simulators.db")


@cache
def secrets() -> dict[str, bytes]:
    """What each bank shares with the platform."""
    return {line.name: line.secret for line in configured.read(settings.HUANGPU.data) if line.name in BANKS}


@csrf_exempt
@require_POST
def take(request: HttpRequest, bank: str) -> HttpResponse:
    """A question of the platform. 400: it is none; 401: it is not signed; 503: the bank is out of service."""
    _known(bank)
    mode = book().mode(bank)
    if mode == "stopped":
        return HttpResponse(status=503)
    try:
        id = wire.check(secrets()[bank], request.headers, request.body)
        question = wire.read_question(request.body)
    except wire.NotSigned:
        return HttpResponse(status=401)
    except ValueError as wrong:
        return HttpResponseBadRequest(str(wrong), content_type="text/plain")
    answer = _answer(bank, question, declining=mode == "declining")
    if mode == "slow":
        time.sleep(SLOW_S)
    if mode == "silent":
        return HttpResponse(status=502)
    if mode == "lying":
        answer = replace(answer, amount=answer.amount + 1)
    body = wire.written_answer(answer)
    return HttpResponse(body, headers=wire.signed(secrets()[bank], id, body, clock.now()))


def _answer(bank: str, question: wire.Question, *, declining: bool) -> Answer:
    order, now = question.order, clock.now()
    if question.do == "send":
        return book().take(bank, order, now, declining=declining).answer
    if question.do == "cancel":
        return book().cancel(bank, order, now).answer
    found = book().find(bank, order.id)
    if found is None:
        return Answer(order.id, "not_found", order.amount, order.currency)
    if question.do == "challenge":
        return book().challenge(bank, order.id, question.phone, now).answer
    if question.do == "confirm":
        return book().confirm(bank, order.id, question.code).answer
    return found.answer


@require_http_methods(["GET", "POST"])
def order(request: HttpRequest, bank: str, id: UUID) -> HttpResponse:
    """Where a payer agrees to a payment, or does not, and goes back to where they came from."""
    entry = book().find(_known(bank), id)
    if entry is None:
        raise Http404(str(id))
    back = request.GET.get("back", "")
    if not back.startswith(f"{settings.HUANGPU.simulators_for}/"):
        back = ""
    if request.method == "POST":
        book().decide(bank, id, agreed=request.POST.get("decision") == "agree", now=clock.now())
        return HttpResponseRedirect(back or request.get_full_path())
    return render(request, "simulators/order.html", {"bank": bank, "title": _title(bank), "entry": entry, "back": back})


@require_GET
def phone(request: HttpRequest, phone: str) -> HttpResponse:
    """The short messages of a phone."""
    shown = [(message, _title(message.bank)) for message in book().messages(phone)]
    return render(request, "simulators/phone.html", {"phone": phone, "messages": shown})


@require_GET
def banks(request: HttpRequest) -> HttpResponse:
    """The banks, and how each behaves."""
    shown = [(name, _title(name), MODES[book().mode(name)]) for name in BANKS]
    return render(request, "simulators/banks.html", {"banks": shown})


@require_http_methods(["GET", "POST"])
def bank(request: HttpRequest, bank: str) -> HttpResponse:
    """A bank's own view: its latest orders, and the switch that tells it how to behave."""
    _known(bank)
    if request.method == "POST":
        mode = request.POST.get("mode", "")
        if mode not in MODES:
            return HttpResponseBadRequest(
                f"{mode!r} is no way to behave; there are {', '.join(MODES)}", content_type="text/plain"
            )
        book().set_mode(bank, mode)
        return redirect("bank", bank)
    entries: list[Entry] = book().entries(bank)
    context = {
        "bank": bank,
        "title": _title(bank),
        "modes": MODES.items(),
        "mode": book().mode(bank),
        "entries": entries,
    }
    return render(request, "simulators/bank.html", context)


def _known(bank: str) -> str:
    if bank not in BANKS or bank not in secrets():
        raise Http404(bank)
    return bank


def _title(bank: str) -> str:
    return BANKS[bank]["zh-hans" if get_language() == "zh-hans" else "en"]

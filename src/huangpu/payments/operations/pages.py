"""The door for providers: where they tell what became of an operation."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from huangpu.core import clock
from huangpu.core.errors import HuangpuError
from huangpu.core.web import problems

from . import notifications


@csrf_exempt  # it is signed by the provider, and comes without a session
@require_POST
def notify(request: HttpRequest, provider: str) -> HttpResponse:
    """204 when the notification is kept; then it need not be told again. A refusal is problem details."""
    if request.content_type != "application/json":
        return HttpResponse(status=415)
    try:
        notifications.receive(provider=provider, headers=request.headers, body=request.body, now=clock.now())
    except HuangpuError as refused:
        return problems.answer(problems.problem(request, refused))
    return HttpResponse(status=204)


app_name = "operations"
urlpatterns = [path("payments/notifications/<slug:provider>/", notify, name="notify")]

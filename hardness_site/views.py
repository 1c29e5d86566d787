"""Views of the site itself: signing in by a link."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.request import split_domain_port
from django.shortcuts import render, resolve_url
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.generic import View
from sesame.utils import get_user

LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}


@method_decorator([login_not_required, never_cache], name="dispatch")
class SignInLinkView(View):
    """Sign in by a one-time link.

    On a server GET shows one button and spends nothing, so that a chat's link preview, a mail scanner or a browser's
    prefetch cannot use the link up; only the button's POST does. On this machine's own address no such stranger can
    call, so opening the link is enough.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Sign in at once on a loopback address, else show the button."""
        token = request.GET.get("sesame", "")
        user = get_user(token, update_last_login=False) if token else None
        if user is None:
            return self._refused(request)
        if _opened_here(request):
            login(request, user)
            return HttpResponseRedirect(_safe_next(request))
        return self._page(request, status=200, person=user, token=token)

    def head(self, request: HttpRequest) -> HttpResponse:
        """Say that the page is there, and change nothing."""
        return HttpResponse()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Sign in, and so spend the link."""
        token = request.POST.get("sesame") or request.GET.get("sesame", "")
        user = get_user(token, update_last_login=False) if token else None
        if user is None:
            return self._refused(request)
        login(request, user)
        return HttpResponseRedirect(_safe_next(request))

    def _refused(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:  # the link was spent by themselves: they are where they wanted to be
            return HttpResponseRedirect(_safe_next(request))
        return self._page(request, status=403, person=None, token="")

    def _page(self, request: HttpRequest, *, status: int, person: object, token: str) -> HttpResponse:
        context = {"person": person, "token": token, "next": _safe_next(request)}
        response = render(request, "registration/sign_in_link.html", context, status=status)
        # The address holds the token: it must not travel on in a Referer header.
        response["Referrer-Policy"] = "same-origin"
        return response


def _opened_here(request: HttpRequest) -> bool:
    host = split_domain_port(request.get_host())[0]
    prefetched = "prefetch" in (request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", ""))
    return host in LOOPBACK and not prefetched


def _safe_next(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else resolve_url(settings.LOGIN_REDIRECT_URL)

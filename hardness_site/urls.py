"""Addresses of the whole site."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import URLPattern, URLResolver, include, path

from hardness_site import health
from hardness_site.api import api_urls
from hardness_site.views import SignInLinkView

admin.site.site_header = "Hardness: administration"
admin.site.site_title = "Hardness"
admin.site.index_title = "To look, to filter, and to find the page where something is done"

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("accounts/login/", auth_views.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("accounts/link/", SignInLinkView.as_view(), name="sign_in_link"),
    path("api/v1/", api_urls()),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("jobs/", include("hardness_site.jobs.urls")),
    path("", include("annotations.urls")),
    path("", include("mining.urls")),
]

"""Addresses of the workbench, under `projects/<slug>/`."""

from __future__ import annotations

from django.urls import path

from annotations.views import label

urlpatterns = [
    path("label/", label.workbench, name="label"),
    path("me/", label.my_progress, name="my_progress"),
]

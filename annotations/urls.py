"""Addresses of people's pages: projects, their items and members, imports, and the workbench."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from .views import imports, items, members, projects, tokens

one_project: list[URLPattern | URLResolver] = [
    path("", projects.project_page, name="project"),
    path("settings/", projects.project_settings, name="project_settings"),
    path("members/", members.project_members, name="project_members"),
    path("members/<int:pk>/link/", members.member_link, name="member_link"),
    path("members/<int:pk>/role/", members.member_role, name="member_role"),
    path("members/<int:pk>/remove/", members.member_remove, name="member_remove"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", tokens.token_revoke, name="token_revoke"),
    path("import/", imports.import_images, name="import_images"),
    path("items/", items.items, name="items"),
    path("items/<int:pk>/", items.item, name="item"),
    path("items/<int:pk>/image", items.image_file, name="image_file"),
    path("items/<int:pk>/thumbnail", items.image_thumbnail, name="image_thumbnail"),
    path("", include("annotations.label_urls")),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", projects.home, name="home"),
    path("projects/new/", projects.project_create, name="project_create"),
    path("projects/<slug:slug>/", include(one_project)),
]

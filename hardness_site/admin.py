"""Accounts in Django's admin."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User

admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(UserAdmin):
    """Who may sign in. What they may do in a project is said by their membership there.

    Lists to choose from are the browser's own, which a keyboard and a screen reader can use, and dates are to look at.
    """

    filter_horizontal = ()
    readonly_fields = ["last_login", "date_joined"]


@admin.register(Group)
class PlainGroupAdmin(GroupAdmin):
    """Permissions that several accounts of the staff share."""

    filter_horizontal = ()

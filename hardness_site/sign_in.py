"""Sign-in links: an address that signs one person in, once, without a password."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.urls import reverse
from sesame.utils import get_parameters


def sign_in_link(user: AbstractBaseUser, next_path: str = "/") -> str:
    """Return the path (with query) that signs `user` in once and leads to `next_path`.

    Signing in, by this link or any other way, spends every link made for the user before.
    """
    query = {**get_parameters(user), "next": next_path}
    return f"{reverse('sign_in_link')}?{urlencode(query)}"


def user_named(username: str) -> AbstractBaseUser | None:
    """Return the active user of that name, or None."""
    return get_user_model()._default_manager.filter(username=username, is_active=True).first()

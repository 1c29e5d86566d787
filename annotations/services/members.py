"""Verbs for the people of a project: add, change role, remove; and the annotator a member is."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from annotations.models import Annotator, Membership, Project


def new_seed() -> int:
    """Return a random seed that fits a signed 64-bit column."""
    return secrets.randbits(62)


def add_member(*, project: Project, user: Any, role: str = Membership.Role.ANNOTATOR) -> Membership:
    """Make the user a member, or give a member that role; a project keeps its last manager."""
    _check_role(role)
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        membership = Membership.objects.filter(project=project, user=user).first()
        if membership is None:
            return Membership.objects.create(project=project, user=user, role=role)
        if membership.role != role:
            if role != Membership.Role.MANAGER:
                _keep_a_manager(membership)
            membership.role = role
            membership.save(update_fields=["role"])
        return membership


def invite_member(
    *, project: Project, name_or_email: str, role: str = Membership.Role.ANNOTATOR
) -> tuple[Membership, bool]:
    """Add the user of that name or e-mail address, made without a password if there is none.

    Returns the membership and whether the user was made. Raises ValidationError for a name that cannot be one,
    an address that several users share, or a user who may not sign in.
    """
    _check_role(role)
    given = name_or_email.strip()
    users = get_user_model()._default_manager
    with transaction.atomic():
        user = users.filter(username=given).first()
        if user is None and "@" in given:
            matches = list(users.filter(email__iexact=given)[:2])
            if len(matches) > 1:
                raise ValidationError({"name_or_email": f"Several users have the address {given}: give the user name."})
            user = matches[0] if matches else None
        if user is not None and not user.is_active:
            raise ValidationError({"name_or_email": f"{given} may not sign in: ask staff to make the user active."})
        made = user is None
        if user is None:
            user = _new_user(given)
        return add_member(project=project, user=user, role=role), made


def _new_user(given: str) -> Any:
    model = get_user_model()
    user = model(username=given)
    if "@" in given:
        try:
            validate_email(given)
        except ValidationError:
            raise ValidationError({"name_or_email": f"{given} is no e-mail address."}) from None
        user.email = given
    user.set_unusable_password()
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise ValidationError({"name_or_email": error.messages}) from None
    user.save()
    return user


def set_role(*, membership: Membership, role: str) -> Membership:
    """Give a member another role; ValidationError when the project would lose its last manager."""
    return add_member(project=membership.project, user=membership.user, role=role)


def remove_member(*, membership: Membership) -> None:
    """End a membership. What the person answered stays; ValidationError for the last manager."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=membership.project_id)
        _keep_a_manager(membership)
        membership.delete()


def may_have_link(*, actor: Any, user: Any) -> bool:
    """Whether `actor` may be shown a sign-in link for `user`, which lets whoever has it act as that user.

    Staff may for everybody who is not staff. A manager may for people without a password who are members only of
    projects that this manager manages: a link to them opens nothing that the manager cannot see already.
    """
    if not user.is_active or user.is_staff or user.is_superuser:
        return False
    if actor.is_staff:
        return True
    if user.has_usable_password():
        return False
    managed = Membership.objects.filter(user=actor, role=Membership.Role.MANAGER).values("project_id")
    return not Membership.objects.filter(user=user).exclude(project_id__in=managed).exists()


def annotator_for(project: Project, user: Any) -> Annotator:
    """Return the user's annotator in the project, made at the first call. Its name and seed never change."""
    annotator = Annotator.objects.filter(project=project, user=user).first()
    if annotator is not None:
        return annotator
    wanted = (user.get_full_name() or user.get_username())[:140]
    for number in range(1, 1000):
        name = wanted if number == 1 else f"{wanted} ({number})"
        try:
            with transaction.atomic():
                return Annotator.objects.get_or_create(
                    project=project, user=user, defaults={"name": name, "seed": new_seed()}
                )[0]
        except IntegrityError:  # the name belongs to somebody else, for example from an imported file
            continue
    raise ValidationError(f"A thousand annotators are called {wanted}.")


def _check_role(role: str) -> None:
    if role not in Membership.Role.values:
        raise ValidationError({"role": f"No role {role}: choose {' or '.join(Membership.Role.values)}."})


def _keep_a_manager(membership: Membership) -> None:
    managers = Membership.objects.filter(project=membership.project, role=Membership.Role.MANAGER)
    if membership.role == Membership.Role.MANAGER and not managers.exclude(pk=membership.pk).exists():
        raise ValidationError("A project needs a manager: make somebody else one first.")

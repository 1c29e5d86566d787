"""Members: who may be added, who may leave, and whose sign-in link a manager may see."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from annotations.models import Annotator, Membership, Project
from annotations.services.members import (
    add_member,
    annotator_for,
    invite_member,
    may_have_link,
    remove_member,
    set_role,
)
from annotations.services.projects import create_project

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def manager():
    return User.objects.create_user("mia", password="a password")


@pytest.fixture
def project(manager) -> Project:
    return create_project(name="Shapes", classes=["a", "b"], created_by=manager)


def test_an_unknown_name_becomes_a_user_without_a_password(project: Project) -> None:
    membership, made = invite_member(project=project, name_or_email=" nils@lab.example ")
    assert made
    assert (membership.role, membership.user.username, membership.user.email) == (
        "annotator",
        "nils@lab.example",
        "nils@lab.example",
    )
    assert not membership.user.has_usable_password()
    again, made_again = invite_member(project=project, name_or_email="NILS@lab.example", role="manager")
    assert (again.pk, made_again, again.role) == (membership.pk, False, "manager")


@pytest.mark.parametrize("name", ["", "two words", "a@b", "x" * 151])
def test_a_name_that_cannot_be_one_is_refused(project: Project, name: str) -> None:
    with pytest.raises(ValidationError) as error:
        invite_member(project=project, name_or_email=name)
    assert "name_or_email" in error.value.message_dict
    assert User.objects.count() == 1


def test_an_address_of_two_users_and_an_inactive_user_are_refused(project: Project) -> None:
    for name in ("a", "b"):
        User.objects.create_user(name, email="same@lab.example")
    User.objects.create_user("gone", is_active=False)
    with pytest.raises(ValidationError, match="Several users"):
        invite_member(project=project, name_or_email="same@lab.example")
    with pytest.raises(ValidationError, match="may not sign in"):
        invite_member(project=project, name_or_email="gone")
    assert project.memberships.count() == 1


def test_the_last_manager_stays(project: Project, manager) -> None:
    own = project.memberships.get()
    with pytest.raises(ValidationError, match="needs a manager"):
        remove_member(membership=own)
    with pytest.raises(ValidationError, match="needs a manager"):
        set_role(membership=own, role="annotator")
    add_member(project=project, user=User.objects.create_user("nils"), role="manager")
    remove_member(membership=own)
    assert list(Membership.objects.values_list("user__username", "role")) == [("nils", "manager")]


def test_a_link_never_opens_more_than_the_manager_sees(project: Project, manager) -> None:
    newcomer = invite_member(project=project, name_or_email="nils")[0].user
    assert may_have_link(actor=manager, user=newcomer)
    other = create_project(name="Other", classes=["a"], created_by=User.objects.create_user("olga"))
    add_member(project=other, user=newcomer)
    assert not may_have_link(actor=manager, user=newcomer)
    with_password = User.objects.create_user("pia", password="own password")
    staff = User.objects.create_user("sam", is_staff=True)
    for user in (with_password, staff):
        add_member(project=project, user=user)
        assert not may_have_link(actor=manager, user=user)
    assert may_have_link(actor=staff, user=newcomer)
    assert not may_have_link(actor=staff, user=staff)


def test_a_user_is_one_annotator_and_shares_a_name_with_nobody(project: Project, manager) -> None:
    Annotator.objects.create(project=project, name="mia", kind=Annotator.Kind.IMPORTED, seed=1)
    first = annotator_for(project, manager)
    assert (first.name, first.kind) == ("mia (2)", "person")
    assert annotator_for(project, manager) == first
    assert 0 <= first.seed < 2**62

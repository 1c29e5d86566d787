"""API tokens: shown once, kept as a digest, never more than their maker may do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from annotations.models import ApiToken, Membership
from annotations.services.members import add_member
from annotations.services.projects import archive_project
from annotations.services.tokens import TokenRefused, create_token, revoke_token, use_token
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def made(project, manager):
    return create_token(project=project, user=manager, name=" cluster ", scopes=["predictions"])


def refusal(secret: str, *, scope: str = "predictions", slug: str = "pets") -> tuple[int, str]:
    with pytest.raises(TokenRefused) as refused:
        use_token(secret=secret, scope=scope, slug=slug)
    return refused.value.status, str(refused.value)


def test_the_secret_is_kept_nowhere(made):
    token, secret = made
    assert len(secret) == len("hardness_") + 43
    row = ApiToken.objects.filter(pk=token.pk).values().get()
    assert all(secret not in str(value) for value in row.values())
    assert (row["name"], row["start"]) == ("cluster", secret[:12])


def test_two_tokens_are_never_alike(project, manager):
    secrets = {create_token(project=project, user=manager, name="a", scopes=["read"])[1] for _ in range(20)}
    assert len(secrets) == 20


def test_use_is_noted_at_most_once_a_minute(made):
    token, secret = made
    assert use_token(secret=secret, scope="predictions", slug="pets") == token
    first = ApiToken.objects.get().last_used_at
    assert use_token(secret=secret, scope="predictions", slug="pets").user == token.user
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    use_token(secret=secret, scope="predictions", slug="pets")
    assert ApiToken.objects.get().last_used_at > first - timedelta(minutes=1)


def test_what_opens_nothing_says_why(made, project, manager):
    token, secret = made
    assert refusal("hardness_guess") == (401, "There is no such token.")
    assert refusal(secret, slug="other")[0] == 404
    assert refusal(secret, scope="training") == (403, "The token lacks the scope “training”: make one that has it.")
    ApiToken.objects.update(expires_at=timezone.now())
    assert refusal(secret) == (401, "The token has run out: make a new one.")
    ApiToken.objects.update(expires_at=None)
    assert revoke_token(token=token) is True
    assert revoke_token(token=token) is False
    assert refusal(secret) == (401, "The token was revoked.")


def test_a_token_ends_with_the_rights_of_its_maker(made, project, manager):
    _, secret = made
    add_member(project=project, user=factories.make_user("boss"), role=Membership.Role.MANAGER)
    add_member(project=project, user=manager, role=Membership.Role.ANNOTATOR)
    assert refusal(secret)[0] == 401
    add_member(project=project, user=manager, role=Membership.Role.MANAGER)
    assert use_token(secret=secret, scope="predictions", slug="pets").user == manager
    manager.is_active = False
    manager.save()
    assert refusal(secret)[0] == 401


def test_an_archived_project_has_no_tokens(made, project):
    archive_project(project=project)
    assert refusal(made[1])[0] == 404


@pytest.mark.parametrize(
    "wrong",
    [{"name": "  "}, {"scopes": []}, {"scopes": ["read", "everything"]}, {"expires_in_days": 0}],
    ids=["no name", "no scope", "unknown scope", "no days"],
)
def test_what_no_token_can_be_makes_none(project, manager, wrong):
    with pytest.raises(ValidationError):
        create_token(**{"project": project, "user": manager, "name": "a", "scopes": ["read"], **wrong})
    assert not ApiToken.objects.exists()


def test_only_managers_make_tokens(project, annotator_user):
    with pytest.raises(ValidationError):
        create_token(project=project, user=annotator_user, name="a", scopes=["read"])

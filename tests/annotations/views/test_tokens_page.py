"""The page of API tokens."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from annotations.models import ApiToken
from annotations.services.tokens import create_token, use_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def address(project) -> str:
    return reverse("tokens", args=[project.slug])


def test_a_secret_is_shown_once_and_works(address, manager_client):
    answer = manager_client.post(
        address, {"name": "cluster", "scopes": ["read", "predictions"], "expires_in_days": "30"}
    )
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    (secret,) = set(re.findall(r"hardness_[\w-]{43}", answer.content.decode()))
    token = use_token(secret=secret, scope="read", slug="pets")
    assert (token.name, token.scopes) == ("cluster", ["read", "predictions"])
    assert (token.expires_at - token.created_at).days in (29, 30)
    again = manager_client.get(address).content.decode()
    assert secret not in again
    assert secret[:12] in again


def test_what_is_wrong_is_said_at_its_field(address, manager_client):
    answer = manager_client.post(address, {"name": "", "expires_in_days": "0"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "scopes", "expires_in_days"}
    assert not ApiToken.objects.exists()


def test_a_revoked_token_is_gone_from_the_list(address, project, manager, manager_client):
    token, _ = create_token(project=project, user=manager, name="old notebook", scopes=["read"])
    answer = manager_client.post(reverse("token_revoke", args=[project.slug, token.pk]), follow=True)
    assert "opens nothing any more" in answer.content.decode()
    assert list(answer.context["tokens"]) == []
    assert list(answer.context["revoked"]) == [token]


def test_it_is_for_managers_of_that_project_alone(address, project, manager, annotator_client, outsider_client):
    token, _ = create_token(project=project, user=manager, name="a", scopes=["read"])
    for client in (annotator_client, outsider_client):
        assert client.get(address).status_code == 404
        assert client.post(reverse("token_revoke", args=[project.slug, token.pk])).status_code == 404
    token.refresh_from_db()
    assert token.is_usable


def test_another_projects_token_cannot_be_revoked_here(project, manager, manager_client):
    from tests import factories

    other = factories.make_project("Other", manager=factories.make_user("boss"))
    token, _ = create_token(project=other, user=other.memberships.get().user, name="a", scopes=["read"])
    assert manager_client.post(reverse("token_revoke", args=[project.slug, token.pk])).status_code == 404
    token.refresh_from_db()
    assert token.is_usable

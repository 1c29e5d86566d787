"""Signing in by a link."""

import pytest

from hardness_site.sign_in import sign_in_link

pytestmark = pytest.mark.django_db


def test_link_signs_in_once_and_leads_on(client, manager):
    link = sign_in_link(manager, "/metrics")
    response = client.get(link, headers={"host": "127.0.0.1:8000"})
    assert (response.status_code, response["Location"]) == (302, "/metrics")
    assert client.session["_auth_user_id"] == str(manager.pk)


def test_spent_link_is_refused(client, manager):
    link = sign_in_link(manager)
    client.get(link, headers={"host": "127.0.0.1:8000"})
    client.logout()
    assert client.get(link, headers={"host": "127.0.0.1:8000"}).status_code == 403
    assert client.post(link).status_code == 403
    assert "_auth_user_id" not in client.session


def test_spent_link_leads_on_whoever_is_signed_in(client, manager):
    link = sign_in_link(manager, "/metrics")
    client.get(link, headers={"host": "127.0.0.1:8000"})
    assert client.get(link, headers={"host": "127.0.0.1:8000"})["Location"] == "/metrics"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"host": "testserver"}, id="server"),
        pytest.param({"host": "127.0.0.1:8000", "sec-purpose": "prefetch;prerender"}, id="prefetch"),
    ],
)
def test_looking_at_a_link_does_not_spend_it(client, manager, headers):
    link = sign_in_link(manager)
    assert client.head(link, headers=headers).status_code == 200
    assert client.get(link, headers=headers).status_code == 200
    assert "_auth_user_id" not in client.session
    assert client.post(link).status_code == 302
    assert client.session["_auth_user_id"] == str(manager.pk)


def test_link_does_not_lead_to_another_site(client, manager):
    link = sign_in_link(manager, "https://elsewhere.example/")
    assert client.get(link, headers={"host": "127.0.0.1"})["Location"] == "/"


def test_link_of_an_inactive_user_is_refused(client, manager):
    link = sign_in_link(manager)
    manager.is_active = False
    manager.save()
    assert client.post(link).status_code == 403

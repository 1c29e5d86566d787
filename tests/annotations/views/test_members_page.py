"""Members: adding people, their links, their roles."""

from __future__ import annotations

import re
from html import unescape

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from annotations.models import Membership, Project
from tests import factories


def page(name: str, project: Project, *more: object) -> str:
    return reverse(name, args=[project.slug, *more])


def shown_link(answer) -> str:
    (link,) = set(re.findall(r'data-copy="http://testserver([^"]+)"', answer.content.decode()))
    return unescape(link)


def test_somebody_new_gets_a_link_that_signs_them_in_once(project: Project, manager_client: Client) -> None:
    answer = manager_client.post(page("project_members", project), {"name_or_email": "nils", "role": "annotator"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    link = shown_link(answer)
    newcomer = Client()
    signed_in = newcomer.post(link)
    assert signed_in["Location"] == page("label", project)
    assert newcomer.get(page("my_progress", project)).status_code == 200
    stranger = Client()
    assert stranger.post(link).status_code == 403
    assert stranger.get(page("label", project)).status_code == 302


def test_a_new_manager_is_led_to_the_overview(project: Project, manager_client: Client) -> None:
    answer = manager_client.post(page("project_members", project), {"name_or_email": "nils", "role": "manager"})
    assert Client().post(shown_link(answer))["Location"] == project.get_absolute_url()


def test_nobody_is_taken_over_by_being_added(project: Project, manager_client: Client) -> None:
    boss = factories.make_user("boss", password="own password")
    answer = manager_client.post(page("project_members", project), {"name_or_email": "boss", "role": "annotator"})
    assert answer.status_code == 302
    member = project.memberships.get(user=boss)
    answer = manager_client.post(page("member_link", project, member.pk), follow=True)
    assert b"data-copy" not in answer.content
    assert b"signs in by other means" in answer.content


def test_the_list_offers_links_exactly_where_they_may_be_had(project: Project, manager_client: Client) -> None:
    elsewhere = factories.make_user("elsewhere")
    factories.make_project("Other", manager=elsewhere)
    for user in (elsewhere, factories.make_user("here"), factories.make_user("staff", is_staff=True)):
        Membership.objects.create(project=project, user=user)
    rows = manager_client.get(page("project_members", project)).context["rows"]
    offered = {row.membership.user.username: row.may_have_link for row in rows}
    assert offered == {"mona": True, "ada": True, "elsewhere": False, "here": True, "staff": False}


def test_roles_change_and_members_leave(project: Project, manager_client: Client, annotator_user, manager) -> None:
    member = project.memberships.get(user=annotator_user)
    manager_client.post(page("member_role", project, member.pk), {"role": "manager"})
    member.refresh_from_db()
    assert member.role == "manager"
    manager_client.post(page("member_role", project, member.pk), {"role": "king"})
    member.refresh_from_db()
    assert member.role == "manager"
    own = project.memberships.get(user=manager)
    answer = manager_client.post(page("member_remove", project, own.pk))
    assert answer["Location"] == reverse("home")
    assert [row.user_id for row in project.memberships.all()] == [annotator_user.pk]


def test_the_last_manager_stays_and_is_told_why(project: Project, manager_client: Client, manager) -> None:
    own = project.memberships.get(user=manager)
    answer = manager_client.post(page("member_remove", project, own.pk), follow=True)
    assert b"A project needs a manager" in answer.content
    assert project.memberships.filter(user=manager).exists()


def test_a_name_that_cannot_be_one_is_named_at_the_field(project: Project, manager_client: Client) -> None:
    answer = manager_client.post(page("project_members", project), {"name_or_email": "two words", "role": "annotator"})
    assert answer.status_code == 422
    assert "name_or_email" in answer.context["form"].errors
    assert get_user_model().objects.count() == 2


def test_members_change_only_by_post(project: Project, manager_client: Client, annotator_user) -> None:
    member = project.memberships.get(user=annotator_user)
    for name in ("member_link", "member_role", "member_remove"):
        assert manager_client.get(page(name, project, member.pk)).status_code == 405

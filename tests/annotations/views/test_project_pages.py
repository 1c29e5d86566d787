"""Project pages: who may open what, what they say, and that lists cost the same however long they are."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotations.models import Annotator, Project
from tests import factories

MANAGER_PAGES = ["project_settings", "project_members", "import_images", "items"]


def page(name: str, project: Project, *more: object) -> str:
    return reverse(name, args=[project.slug, *more])


@pytest.mark.parametrize("name", ["project", *MANAGER_PAGES])
def test_pages_of_a_project_are_for_its_managers(
    name: str, project: Project, manager_client: Client, annotator_client: Client, outsider_client: Client
) -> None:
    address = page(name, project)
    assert manager_client.get(address).status_code == 200
    assert outsider_client.get(address).status_code == 404
    answer = annotator_client.get(address)
    assert answer.status_code == (302 if name == "project" else 404)
    assert Client().get(address).status_code == 302
    assert Client().get(address)["Location"].startswith(reverse("login"))


def test_an_annotator_is_sent_to_the_workbench(project: Project, annotator_client: Client) -> None:
    assert annotator_client.get(project.get_absolute_url())["Location"] == page("label", project)


def test_what_belongs_to_another_project_does_not_exist(project: Project, manager_client: Client) -> None:
    other = factories.make_project("Other", manager=factories.make_user())
    (foreign,) = factories.make_items(other, 1)
    member = other.memberships.get()
    for name in ("item", "image_file", "image_thumbnail"):
        assert manager_client.get(page(name, other, foreign.pk)).status_code == 404
        assert manager_client.get(page(name, project, foreign.pk)).status_code == 404
    for name in ("member_link", "member_role", "member_remove"):
        assert manager_client.post(page(name, project, member.pk)).status_code == 404
        assert manager_client.post(page(name, other, member.pk)).status_code == 404
    assert other.memberships.count() == 1


def test_home_lists_the_users_projects_and_no_others(
    project: Project, manager_client: Client, annotator_client: Client, outsider_client: Client
) -> None:
    factories.make_project("Secret", manager=factories.make_user())
    for client in (manager_client, annotator_client):
        text = client.get(reverse("home")).content.decode()
        assert "Pets" in text and "Secret" not in text
    assert "No projects yet" in outsider_client.get(reverse("home")).content.decode()


def test_home_asks_the_same_number_of_queries_for_many_projects(manager_client: Client, manager) -> None:
    counts = []
    for n in (1, 6):
        for _ in range(n):
            made = factories.make_project(manager=manager)
            (item,) = factories.make_items(made, 1)
            factories.make_trial(item, factories.make_annotator(made), label=0, response_ms=500.0)
        with CaptureQueriesContext(connection) as queries:
            manager_client.get(reverse("home"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_project_is_made_from_its_form(outsider_client: Client, outsider) -> None:
    data = {"name": "Road signs", "classes": "stop\n\ngive way\n", "overlap": 4, "unit": "image", "guidelines": "Look."}
    answer = outsider_client.post(reverse("project_create"), data)
    project = Project.objects.get()
    assert answer["Location"] == page("import_images", project)
    assert list(project.classes.values_list("name", flat=True)) == ["stop", "give way"]
    assert project.memberships.get().user == outsider


def test_a_refused_project_names_the_field_and_makes_nothing(outsider_client: Client) -> None:
    data = {"name": "Road signs", "classes": "stop\nstop", "overlap": 0, "unit": "image"}
    answer = outsider_client.post(reverse("project_create"), data)
    assert answer.status_code == 422
    assert b"greater than or equal to 1" in answer.content
    answer = outsider_client.post(reverse("project_create"), {**data, "overlap": 3})
    assert b"Each class once: stop came more than once." in answer.content
    assert not Project.objects.exists()


def test_the_overview_says_what_to_do_next(project: Project, manager_client: Client) -> None:
    text = manager_client.get(project.get_absolute_url()).content.decode()
    assert "Import images, then let people label them." in text
    items = factories.make_items(project, 3)
    assert "The images are in." in manager_client.get(project.get_absolute_url()).content.decode()
    annotator = factories.make_annotator(project, "nils")
    for n, item in enumerate(items):
        factories.make_trial(item, annotator, label=0, response_ms=[400.0, 500.0, 900.0][n])
    Annotator.objects.filter(pk=annotator.pk).update(n_answered=3)
    text = manager_client.get(project.get_absolute_url()).content.decode()
    assert "nils" in text and "500 ms" in text
    assert "Synthetic" not in text


@pytest.mark.parametrize("name", ["home", "project", "items", "item"])
def test_synthetic_trials_are_marked_wherever_they_are_shown(
    name: str, project: Project, manager_client: Client
) -> None:
    (item,) = factories.make_items(project, 1)
    factories.make_trial(item, factories.make_annotator(project, kind="synthetic"), label=0, response_ms=500.0)
    arguments = {"home": [], "item": [project.slug, item.pk]}.get(name, [project.slug])
    assert "Synthetic" in manager_client.get(reverse(name, args=arguments)).content.decode()


def test_settings_are_saved_and_refused(project: Project, manager_client: Client) -> None:
    data = {"name": "Animals", "guidelines": "", "overlap": 5, "order": "adaptive", "hard_share": 0.2,
            "label_level": "ordinal", "repeat_share": 0.05, "gold_share": 0.1, "time_limit_ms": 3000,
            "flash_frames": "", "break_after": 40, "lookahead": 4, "lease_seconds": 900,
            "floor_ms": 150, "idle_ms": 60000}  # fmt: skip
    address = page("project_settings", project)
    assert manager_client.post(address, data).status_code == 302
    project.refresh_from_db()
    assert (project.name, project.overlap, project.label_level) == ("Animals", 5, "ordinal")
    assert (project.order, project.hard_share, project.repeat_share) == ("adaptive", 0.2, 0.05)
    assert (project.time_limit_ms, project.flash_frames, project.break_after) == (3000, None, 40)
    answer = manager_client.post(address, {**data, "gold_share": 0.5})
    assert (answer.status_code, b"at most 50" in answer.content) == (422, True)
    answer = manager_client.post(address, {**data, "label_level": "ratio"})
    assert (answer.status_code, b"&quot;cat&quot; is not called like a number" in answer.content) == (422, True)
    answer = manager_client.post(address, {**data, "name": "Worse", "lookahead": 99})
    assert answer.status_code == 422
    project.refresh_from_db()
    assert project.name == "Animals"
    assert manager_client.post(address, {"add_classes": "1", "names": "bird\nfish"}).status_code == 302
    assert [label.name for label in project.classes.all()] == ["cat", "dog", "bird", "fish"]
    answer = manager_client.post(address, {"add_classes": "1", "names": "bird"})
    assert (answer.status_code, b"bird came more than once" in answer.content) == (422, True)


class TestItems:
    """The grid of items and one item."""

    def paths(self, client: Client, project: Project, **query: object) -> list[str]:
        return [item.path for item in client.get(page("items", project), query).context["page"].items]

    def test_pages_go_forth_and_back_without_holes(self, project: Project, manager_client: Client) -> None:
        factories.make_items(project, 130)
        first = manager_client.get(page("items", project)).context["page"]
        assert ([first.items[0].number, first.last_number], first.previous_from, first.next_from) == ([1, 60], None, 60)
        second = manager_client.get(page("items", project), {"from": first.next_from}).context["page"]
        last = manager_client.get(page("items", project), {"from": second.next_from}).context["page"]
        assert (last.items[0].number, last.last_number, last.next_from) == (121, 130, None)
        back = manager_client.get(page("items", project), {"before": last.previous_from}).context["page"]
        assert [item.pk for item in back.items] == [item.pk for item in second.items]
        assert back.previous_from == 60 and back.next_from == 120

    def test_filters_leave_what_they_say(self, project: Project, manager_client: Client) -> None:
        items = factories.make_items(project, 4, given=[0, 1, 0, 1])
        project.items.filter(pk=items[3].pk).update(given=None, answered=project.overlap)
        factories.make_trial(items[1], factories.make_annotator(project), label=0, response_ms=500.0)
        name = [item.path for item in items]
        assert self.paths(manager_client, project, given="0") == [name[0], name[2]]
        assert self.paths(manager_client, project, given="none") == [name[3]]
        assert self.paths(manager_client, project, answers="none") == [name[0], name[2]]
        assert self.paths(manager_client, project, answers="some") == [name[1]]
        assert self.paths(manager_client, project, answers="done") == [name[3]]
        assert self.paths(manager_client, project, path="0002") == [name[2]]
        assert self.paths(manager_client, project, path="100%") == []

    @pytest.mark.parametrize("query", [{"from": "x"}, {"from": "-1"}, {"before": "9" * 40}, {"given": "\u0663"},
                                       {"path": "\x00"}, {"answers": "odd"}, {"from": "10000"}])  # fmt: skip
    def test_odd_addresses_are_no_errors(self, query: dict[str, str], project: Project, manager_client: Client) -> None:
        factories.make_items(project, 2)
        assert manager_client.get(page("items", project), query).status_code == 200

    def test_one_item_shows_what_people_said(self, project: Project, manager_client: Client) -> None:
        items = factories.make_items(project, 3, given=[0, 0, 0])
        for label, name in ((0, "ada"), (1, "bob"), (0, "eve")):
            factories.make_trial(items[1], factories.make_annotator(project, name), label=label, response_ms=812.0)
        factories.make_trial(
            items[1],
            factories.make_annotator(project, "zoe"),
            state="skipped",
            skip_reason="missed",
            null_reason="missed",
        )
        answer = manager_client.get(page("item", project, items[1].pk))
        text = answer.content.decode()
        assert [(entry.label.name, entry.n) for entry in answer.context["detail"].labels] == [("cat", 2), ("dog", 1)]
        assert "812 ms" in text and "No answer came in time." in text
        assert page("item", project, items[0].pk) in text and page("item", project, items[2].pk) in text

    def test_queries_do_not_grow_with_trials(self, project: Project, manager_client: Client) -> None:
        (item,) = factories.make_items(project, 1)
        counts = []
        for n in (2, 8):
            for _ in range(n):
                factories.make_trial(item, factories.make_annotator(project), label=0, response_ms=500.0)
            with CaptureQueriesContext(connection) as queries:
                manager_client.get(page("item", project, item.pk))
            counts.append(len(queries))
        assert counts[0] == counts[1]


class TestImages:
    """The files themselves."""

    def test_members_get_the_bytes_with_long_caching(
        self, project: Project, annotator_client: Client, outsider_client: Client
    ) -> None:
        (item,) = factories.make_items(project, 1)
        address = page("image_file", project, item.pk)
        answer = annotator_client.get(address)
        assert b"".join(answer.streaming_content).startswith(b"\x89PNG")
        assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("image/png", "nosniff")
        assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer["ETag"] == f'"{item.image.sha256}"'
        assert annotator_client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
        assert annotator_client.get(page("image_thumbnail", project, item.pk)).status_code == 200
        assert outsider_client.get(address).status_code == 404
        assert Client().get(address).status_code == 302

    def test_a_lost_file_is_a_404(self, project: Project, annotator_client: Client) -> None:
        (item,) = factories.make_items(project, 1)
        type(item.image).objects.update(file="images/lost.png")
        assert annotator_client.get(page("image_file", project, item.pk)).status_code == 404

"""The page of a hard set: members, filter, downloads, asking people again."""

from __future__ import annotations

import csv
import json

from django.urls import reverse

from annotations.models import Item
from mining.models import HardSet, SecondLook


def test_members_are_shown_with_their_figures(manager_client, hard_set, items):
    page = manager_client.get(hard_set.get_absolute_url()).content.decode()
    assert page.index("Reason 1") < page.index("Reason 6")
    assert "Probably mislabelled" in page
    assert "640 ms" in page and "1.24 s" in page and "1 min 05 s" in page
    assert "2.35" in page or "2.34" in page
    assert "Max p" in page and "Limit" not in page
    assert items[0].path in page


def test_a_verdict_filters_and_keeps_its_count(manager_client, hard_set):
    answer = manager_client.get(hard_set.get_absolute_url(), {"verdict": "ambiguous"})
    page = answer.content.decode()
    assert "Reason 2" in page and "Reason 3" in page
    assert "Reason 1" not in page and "Reason 4" not in page
    assert [(one.name, count) for one, count in answer.context["verdicts"]] == [
        ("mislabelled", 1), ("ambiguous", 2), ("none", 3),
    ]  # fmt: skip
    unknown = manager_client.get(hard_set.get_absolute_url(), {"verdict": "lunch"})
    assert "Reason 1" in unknown.content.decode()


def test_pages_of_members_cost_the_same_whatever_their_number(
    manager_client, hard_set, monkeypatch, django_assert_max_num_queries
):
    monkeypatch.setattr("mining.views.hard_sets.MEMBERS_PER_PAGE", 2)
    with django_assert_max_num_queries(10):
        page = manager_client.get(hard_set.get_absolute_url(), {"page": 2}).content.decode()
    assert "Reason 3" in page and "Reason 4" in page
    assert "Reason 2" not in page and "Reason 5" not in page
    assert "3–4 of 6" in page


def test_csv_and_jsonl_come_as_files(manager_client, hard_set, items):
    answer = manager_client.get(reverse("hard_set_export", args=["pets", hard_set.pk, "csv"]))
    assert answer.streaming
    assert answer["Content-Disposition"] == 'attachment; filename="pets-round-1-suspicious-v1.csv"'
    rows = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    assert [row["path"] for row in rows] == [item.path for item in items]
    lines = b"".join(
        manager_client.get(reverse("hard_set_export", args=["pets", hard_set.pk, "jsonl"])).streaming_content
    ).splitlines()
    assert json.loads(lines[0])["manifest"]["n_members"] == 6
    assert len(lines) == 7
    assert manager_client.get(reverse("hard_set_export", args=["pets", hard_set.pk, "docx"])).status_code == 404


def test_ask_again_puts_the_items_to_the_front(manager_client, manager, hard_set, project):
    answer = manager_client.post(reverse("ask_again", args=["pets", hard_set.pk]), {"extra_judgments": 2}, follow=True)
    assert "6 items go to the front of the queue, for 2 more judgments each." in answer.content.decode()
    look = SecondLook.objects.get()
    assert (look.extra_judgments, look.same_people, look.n_items, look.created_by) == (2, False, 6, manager)
    assert set(Item.objects.values_list("needed", flat=True)) == {project.overlap + 2}
    assert "2 more for 6 items" in answer.content.decode()


def test_ask_again_refuses_a_number_that_cannot_be(manager_client, hard_set, project):
    answer = manager_client.post(reverse("ask_again", args=["pets", hard_set.pk]), {"extra_judgments": 0})
    assert answer.status_code == 422
    assert "Ensure this value is greater than or equal to 1." in answer.content.decode()
    assert not SecondLook.objects.exists()
    assert set(Item.objects.values_list("needed", flat=True)) == {project.overlap}


def test_an_empty_set_says_why_and_offers_nothing_to_download(manager_client, done_round):
    empty = HardSet.objects.create(
        round=done_round, strategy="blind_spots", sha256="b" * 64, n_members=0,
        summary={"title": "Blind spots", "notes": ["Nobody was asked."]},
    )  # fmt: skip
    page = manager_client.get(empty.get_absolute_url()).content.decode()
    assert "This set is empty" in page and "Nobody was asked." in page
    assert "Download" not in page and "Ask people again" not in page

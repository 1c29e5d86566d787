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
    with django_assert_max_num_queries(12):  # whatever the number of members
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


def test_ticked_members_are_dropped_into_a_new_version(manager_client, manager, hard_set, items):
    address = reverse("hard_set_drop", args=["pets", hard_set.pk])
    answer = manager_client.post(address, {"item": [items[0].pk, items[3].pk], "reason": "Blurred"}, follow=True)
    page = answer.content.decode()
    made = HardSet.objects.get(version=2)
    assert answer.redirect_chain[-1][0] == made.get_absolute_url()
    assert "2 items are dropped. This is version 2; the old one stays." in page
    assert "“Blurred”, mona" in page and "from version 1" in page
    assert "Reason 1" not in page and "Reason 2" in page
    assert made.created_by == manager
    old = manager_client.get(hard_set.get_absolute_url()).content.decode()
    assert "Reason 1" in old and f'href="{made.get_absolute_url()}"' in old


def test_a_refused_drop_keeps_the_ticks_and_says_why(manager_client, hard_set, items):
    address = reverse("hard_set_drop", args=["pets", hard_set.pk])
    answer = manager_client.post(address, {"item": [items[1].pk], "reason": ""})
    assert answer.status_code == 422
    assert "This field is required." in answer.content.decode()
    assert [row["is_chosen"] for row in answer.context["rows"]] == [False, True, False, False, False, False]
    nothing = manager_client.post(address, {"reason": "Blurred"})
    assert nothing.status_code == 422 and "Choose the items to drop first." in nothing.content.decode()
    assert HardSet.objects.count() == 1


def test_what_is_new_since_the_round_before_is_marked(manager_client, hard_set, items, make_round):
    from mining.models import HardSetMember

    later = make_round()
    newer = HardSet.objects.create(
        round=later, strategy="suspicious", sha256="c" * 64, n_members=1, summary={"title": "Suspicious"}
    )
    HardSetMember.objects.create(hard_set=newer, item=items[2], rank=1, score=1, reason="again")
    answer = manager_client.get(newer.get_absolute_url())
    assert {key: answer.context["since"][key] for key in ("shared", "new", "gone")} == {
        "shared": 1,
        "new": 0,
        "gone": 5,
    }
    assert not answer.context["rows"][0]["is_new"]
    hard_set.members.filter(item=items[2]).delete()
    assert manager_client.get(newer.get_absolute_url()).context["rows"][0]["is_new"]

"""Comparison, retraining, report and charts show the figures of the round's files."""

from __future__ import annotations

from django.urls import reverse

from mining.artifacts import Folder
from mining.models import Round


def page_of(client, name):
    return client.get(reverse(name, args=["pets", 1])).content.decode()


def test_comparison_says_the_main_figure_with_its_interval(manager_client, done_round):
    page = page_of(manager_client, "comparison")
    assert "They agree in part." in page
    assert "95 % interval 0.28 to 0.53" in page
    assert "0.63 to 0.79" in page and "3 annotators, 18 trials" in page
    assert "0.85" in page
    assert "33\u00a0% by chance" in page


def test_comparison_lists_every_measure_and_dashes_what_is_not_known(manager_client, done_round):
    answer = manager_client.get(reverse("comparison", args=["pets", 1]))
    page = answer.content.decode()
    assert [family for family, _ in answer.context["families"]] == ["People", "Surprise"]
    assert 'title="too few items">–<' in page
    assert "HOG + linear SVM" in page
    # 0.41 on a drawing of 120 from -1 to 1 with 4 left free on both sides
    assert 'cx="83.0"' in page


def test_quadrants_show_their_examples_as_links(manager_client, done_round, items, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        page = page_of(manager_client, "comparison")
    for title in ("Hard for both", "Hard for people", "Hard for the model", "Easy"):
        assert title in page
    assert page.count('<img class="thumb thumb--l"') == 4
    assert reverse("item", args=["pets", items[0].pk]) in page
    assert reverse("image_thumbnail", args=["pets", items[3].pk]) in page
    assert "No item." in page


def test_comparison_without_a_main_pair_says_what_is_missing(manager_client, done_round):
    folder = Folder(done_round.folder)
    comparison = folder.read_json("comparison.json")
    comparison |= {"main": None, "pairs": [], "missing": [{"what": "No times.", "remedy": "Let people label."}]}
    comparison["quadrants"]["cells"] = []
    folder.write_json("comparison.json", comparison)
    page = page_of(manager_client, "comparison")
    assert "No times." in page and "Let people label." in page


def test_pages_of_a_round_that_is_not_done_say_so(manager_client, make_round):
    make_round("running", snapshot="running")
    for name in ("comparison", "retraining", "report"):
        assert "Not there yet" in page_of(manager_client, name)
    Round.objects.update(status="failed")
    assert "This round did not get that far" in page_of(manager_client, "report")


def test_retraining_shows_three_ways_differences_and_verdict(manager_client, hard_set):
    page = page_of(manager_client, "retraining")
    assert "No difference shown" in page
    assert "+0.025 (95 % interval −0.004 to +0.050)" in page
    assert "−0.015" in page
    for words in (
        "As it is",
        "Hard set weighs more",
        "Random items weigh more",
        "90.0\u00a0%",
        "92.5\u00a0%",
        "91.0\u00a0%",
    ):
        assert words in page
    assert "The noise gate kept 1 item from weighing more." in page
    assert "The test is small." in page
    assert hard_set.get_absolute_url() in page


def test_retraining_of_classes_of_unequal_size_is_judged_by_the_mean_recall(manager_client, done_round):
    folder = Folder(done_round.folder)
    facts = folder.read_json("retraining.json")
    experiment = facts["experiments"][0]
    for arm in experiment["arms"]:
        arm |= {"mean_recall": arm["accuracy"] - 0.2, "mean_recall_interval": [0.61, 0.83]}
    experiment |= {"strategy": "smote", "title": "SMOTE", "kind": "balance", "judged_by": "mean_recall"}
    trust = "Two people or more agree with 7 of the 10 held-out labels."
    folder.write_json("retraining.json", facts | {"heldout": {"n_test": 10, "n_confirmed": 7, "words": trust}})
    page = page_of(manager_client, "retraining")
    for words in (
        trust, "Mean recall changed by +0.025", "as much of the same at random", "Balanced", "As much, at random",
        "72.5\u00a0%", "61.0\u00a0% to 83.0\u00a0%",
    ):  # fmt: skip
        assert words in page
    assert "Accuracy changed" not in page


def test_retraining_without_an_experiment_says_what_to_do(manager_client, done_round):
    Folder(done_round.folder).write_json("retraining.json", {"learner": None, "experiments": []})
    assert "No hard set could be tried" in page_of(manager_client, "retraining")


def test_report_draws_its_tables_by_the_kind_of_each_column(manager_client, done_round, items):
    page = page_of(manager_client, "report")
    assert "In words." in page
    assert items[0].path in page
    assert "1,234" in page
    assert "None" not in page  # a count that is not known is a dash
    assert "−0.20" in page and "−0.50 to 0.10" in page
    assert "62\u00a0%" in page
    assert f'data-chart="{reverse("round_chart", args=["pets", 1, "time_and_loss"])}"' in page


def test_charts_are_served_by_name_only(manager_client, done_round, items):
    answer = manager_client.get(reverse("round_chart", args=["pets", 1, "time_and_loss"]))
    assert answer.json() == {"mark": "point", "data": {"values": [{"item": items[0].pk, "x": 1}]}}
    assert answer["Content-Type"] == "application/json"
    assert manager_client.get(reverse("round_chart", args=["pets", 1, "comparison"])).status_code == 404


def test_every_page_of_a_round_warns_of_in_sample_learners(manager_client, done_round):
    pages = ("round", "comparison", "retraining", "report")
    assert all("In-sample" not in page_of(manager_client, name) for name in pages)
    Folder(done_round.folder).write_json(
        "predictions.json",
        {"learners": [{"name": "hog_svm", "out_of_fold": True}, {"name": "file:resnet", "out_of_fold": False}]},
    )
    for name in pages:
        assert "In-sample: resnet" in page_of(manager_client, name), name

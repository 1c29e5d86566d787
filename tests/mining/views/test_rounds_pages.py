"""Starting, watching and stopping a round from its pages."""

from __future__ import annotations

from django.urls import reverse
from django.utils import timezone

from hardness_site.jobs.models import Job
from mining.models import Round, RoundStage
from mining.views.round_form import NUMBER_FIELDS, RoundForm
from tests import factories


def form_data(project, **changes):
    """What a browser sends when nothing is changed."""
    form = RoundForm(project=project)
    return {name: field.initial for name, field in form.fields.items() if field.initial is not None} | changes


def test_a_project_without_items_is_told_to_import_some(manager_client, project):
    page = manager_client.get(reverse("rounds", args=["pets"])).content.decode()
    assert "No items yet" in page
    assert reverse("import_images", args=["pets"]) in page
    assert "Start a round" not in page


def test_the_defaults_start_a_round_of_nine_stages(manager_client, manager, project, items):
    page = manager_client.get(reverse("rounds", args=["pets"]))
    assert "HOG + linear SVM" in page.content.decode()
    answer = manager_client.post(reverse("round_start", args=["pets"]), form_data(project))
    round_ = Round.objects.get()
    assert answer["Location"] == reverse("round", args=["pets", 1])
    assert round_.created_by == manager
    assert [entry["name"] for entry in round_.params["learners"]] == ["hog_svm"]
    assert [entry["name"] for entry in round_.params["strategies"]] == [
        "hard_negatives", "hard_positives", "suspicious", "time_hard", "label_errors",
    ]  # fmt: skip
    assert round_.params["test_share"] == 0.2
    assert round_.stages.count() == 9


def test_options_reach_the_round(manager_client, project, items):
    changes = {"learners": ["logistic"], "strategies": ["time_hard"], "seed": 11, "label_source": "given"}
    manager_client.post(reverse("round_start", args=["pets"]), form_data(project, **changes))
    params = Round.objects.get().params
    assert [entry["name"] for entry in params["learners"]] == ["logistic"]
    assert [entry["name"] for entry in params["strategies"]] == ["time_hard"]
    assert (params["seed"], params["label_source"]) == (11, "given")


def test_a_number_out_of_range_is_refused_at_its_field_and_nothing_starts(manager_client, project, items):
    answer = manager_client.post(reverse("round_start", args=["pets"]), form_data(project, n_folds=1))
    assert answer.status_code == 422
    assert answer.context["form"].errors == {"n_folds": ["Ensure this value is greater than or equal to 2."]}
    assert '<details class="fold fold--plain" open>' in answer.content.decode()
    assert not Round.objects.exists()


def test_a_second_round_is_refused_while_one_is_at_work(manager_client, project, items, make_round):
    make_round("running", snapshot="running")
    page = manager_client.get(reverse("rounds", args=["pets"])).content.decode()
    assert "Round 1 is at work" in page
    answer = manager_client.post(reverse("round_start", args=["pets"]), form_data(project))
    assert answer.status_code == 422
    assert "Round 1 of pets is not over yet" in answer.context["form"].non_field_errors()[0]
    assert Round.objects.count() == 1


def test_the_list_shows_the_figures_of_each_round_in_few_queries(
    manager_client, done_round, make_round, django_assert_max_num_queries
):
    for _ in range(20):
        make_round("failed", snapshot="succeeded", time_hardness="succeeded", features="failed")
    with django_assert_max_num_queries(12):
        page = manager_client.get(reverse("rounds", args=["pets"])).content.decode()
    assert "0.28 to 0.53" in page
    assert page.count("Describe the images") == 20


def test_a_running_stage_shows_its_progress_and_the_page_polls(manager_client, project, make_round):
    round_ = make_round("running", snapshot="succeeded", time_hardness="running")
    job = Job.objects.create(
        kind="round_stage", title="t", scope=project.scope, status="running", stage="Fitting times",
        progress_done=30, progress_total=120, started_at=timezone.now(),
    )  # fmt: skip
    RoundStage.objects.filter(round=round_, name="time_hardness").update(job=job, started_at=timezone.now())
    address = reverse("round_progress", args=["pets", 1])
    answer = manager_client.get(address)
    text = answer.content.decode()
    assert f'hx-get="{address}"' in text
    assert "Fitting times" in text and "30 of 120" in text
    assert '<progress value="25" max="100"' in text
    assert "1 of 9 stages" in text
    assert "HX-Refresh" not in answer
    Round.objects.update(status="failed")
    over = manager_client.get(address)
    assert over["HX-Refresh"] == "true"
    assert "hx-get" not in over.content.decode()


def test_a_failed_stage_says_why_and_runs_again(manager_client, make_round):
    round_ = make_round("failed", snapshot="succeeded", time_hardness="failed")
    round_.stages.filter(name="time_hardness").update(result={"error": "There are no <times>. Let people label."})
    page = manager_client.get(reverse("round", args=["pets", 1])).content.decode()
    assert "There are no &lt;times&gt;. Let people label." in page
    assert page.count("Run again") == 1
    manager_client.post(reverse("stage_retry", args=["pets", 1, "time_hardness"]))
    round_.refresh_from_db()
    assert round_.status == "queued"
    assert round_.stages.get(name="time_hardness").job is not None


def test_a_stage_that_did_not_fail_does_not_run_again(manager_client, done_round):
    answer = manager_client.post(reverse("stage_retry", args=["pets", 1, "features"]), follow=True)
    assert "Only a stage that failed or was cancelled runs again" in answer.content.decode()
    done_round.refresh_from_db()
    assert done_round.status == "succeeded"
    assert manager_client.post(reverse("stage_retry", args=["pets", 1, "lunch"])).status_code == 404


def test_cancel_ends_a_waiting_round(manager_client, project, items):
    manager_client.post(reverse("round_start", args=["pets"]), form_data(project))
    manager_client.post(reverse("round_cancel", args=["pets", 1]))
    assert Round.objects.get().status == "cancelled"
    page = manager_client.post(reverse("round_cancel", args=["pets", 1]), follow=True).content.decode()
    assert "The round was over already." in page


def test_a_done_round_shows_its_figures_what_is_missing_and_its_hard_sets(manager_client, hard_set):
    page = manager_client.get(reverse("round", args=["pets", 1])).content.decode()
    assert "0.41" in page and "They agree in part." in page
    assert "One image is gone." in page and "Import it." in page
    assert hard_set.get_absolute_url() in page
    assert "hx-get" not in page


def test_synthetic_rounds_are_marked_on_every_page(manager_client, hard_set):
    Round.objects.update(has_synthetic=True)
    names = ("round", "comparison", "retraining", "report")
    pages = [reverse(name, args=["pets", 1]) for name in names] + [hard_set.get_absolute_url()]
    pages.append(reverse("rounds", args=["pets"]))
    for page in pages:
        assert ">Synthetic</span>" in manager_client.get(page).content.decode(), page


def test_earlier_hard_sets_can_be_taken_into_the_next_round(manager_client, project, hard_set):
    page = manager_client.get(reverse("rounds", args=["pets"])).content.decode()
    assert "Round 1: Suspicious, 6 items" in page
    manager_client.post(reverse("round_start", args=["pets"]), form_data(project, include_hard_sets=[str(hard_set.pk)]))
    assert Round.objects.get(number=2).params["include_hard_sets"][0]["id"] == hard_set.pk


def test_every_number_of_the_form_has_limits_and_a_default(project):
    form = RoundForm(project=factories.make_project("Another"))
    for name in NUMBER_FIELDS:
        field = form.fields[name]
        assert field.min_value <= field.initial <= field.max_value, name

"""The mechanics of rounds. The stages' own work is replaced, so that only order, failure and cancelling are tested."""

from types import SimpleNamespace

import pytest
from django.utils import timezone

from hardness_site.jobs.models import Job
from hardness_site.jobs.running import JobFailed
from hardness_site.jobs.services import cancel_job, claim_job, retry_job, run_job
from mining.models import HardSet, Round, RoundStage
from mining.services import rounds
from mining.services.rounds import RoundRefused, start_round
from mining.stages import STAGES
from tests import factories

NAMES = list(STAGES)


@pytest.fixture
def work(monkeypatch):
    """Replace the stages: `work[name] = function(stage)`; those not named do nothing. Returns what ran, in order."""
    done = SimpleNamespace(ran=[], does={})

    def stand_in(module):
        name = module.rpartition(".")[2]

        def run(stage):
            done.ran.append(name)
            return done.does.get(name, lambda stage: stage.result(fine=True))(stage)

        return SimpleNamespace(run=run)

    monkeypatch.setattr("mining.jobs.import_module", stand_in)
    return done


@pytest.fixture
def filled(project):
    factories.make_items(project, 3, given=[0, 1, 0])
    return project


def statuses(round_):
    return [stage.status for stage in round_.stages.order_by("index")]


def run_here(round_):
    return [stage.name for stage in rounds.run_round_here(round_)]


def test_a_round_starts_with_all_its_stages_and_a_job_for_the_first(filled, manager):
    round_ = start_round(project=filled, created_by=manager)

    assert (round_.number, round_.status, round_.folder) == (1, "queued", f"rounds/{filled.pk}/1")
    assert [stage.name for stage in round_.stages.order_by("index")] == NAMES
    assert round_.stages.exclude(job=None).get().name == "snapshot"
    assert Job.objects.get().scope == filled.scope
    assert [entry["name"] for entry in round_.params["learners"]] == ["hog_svm"]
    assert [entry["name"] for entry in round_.params["strategies"]] == [
        "hard_negatives", "hard_positives", "suspicious", "time_hard", "label_errors",
    ]  # fmt: skip


def test_stages_run_in_order_to_the_end(filled, work):
    round_ = start_round(project=filled, in_process=True)

    assert run_here(round_) == NAMES
    assert work.ran == NAMES
    assert round_.status == "succeeded"
    assert round_.finished_at is not None
    assert statuses(round_) == ["succeeded"] * 9
    assert round_.stages.get(name="features").result == {"fine": True, "missing": [], "files": {}}


def test_a_second_round_waits_for_the_first(filled, work):
    start_round(project=filled)

    with pytest.raises(RoundRefused, match=r"Round 1 of pets is not over yet: wait for it or cancel it"):
        start_round(project=filled)

    assert Round.objects.count() == 1
    assert RoundStage.objects.count() == 9
    assert Job.objects.count() == 1


def test_rounds_of_different_projects_do_not_wait_for_each_other(filled):
    other = factories.make_project("Other")
    factories.make_items(other, 1)

    assert start_round(project=filled).number == 1
    assert start_round(project=other).number == 1


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"learners": ["perceptron"]}, r"No learner is called 'perceptron'; there are hog_svm"),
        ({"learners": [{"name": "hog_svm", "params": {"c": -1}}]}, r"Learner hog_svm: c must be at least"),
        ({"learners": ["file:mine"]}, r"No predictions were imported as 'file:mine'"),
        ({"strategies": ["luck"]}, r"No strategy is called 'luck'; there are hard_negatives"),
        ({"strategies": [{"name": "suspicious", "params": {"threshold": 7}}]}, r"Strategy suspicious: threshold"),
        ({"params": {"sed": 1}}, r"A round has no setting 'sed'"),
        ({"params": {"n_folds": 1}}, r"n_folds must be a whole number from 2 to 20"),
        ({"params": {"n_folds": 2.5}}, r"n_folds must be a whole number from 2 to 20"),
        ({"params": {"test_share": "much"}}, r"test_share must be a number, not 'much'"),
        ({"params": {"label_source": "magic"}}, r"label_source is people or given, not 'magic'"),
        ({"params": {"online_strategies": "ohem,luck"}}, r"No online strategy is called 'luck'; there are ohem, focal"),
        ({"params": {"online_hidden": -1}}, r"online_hidden must be a whole number from 0 to 1024"),
        (
            {"params": {"balance_strategies": ["luck"]}},
            r"No way of balancing classes is called 'luck'; there are class_w",
        ),
        ({"params": {"include_hard_sets": [404]}}, r"There is no hard set 404 in pets"),
        ({"params": {"include_hard_sets": ["x"]}}, r"include_hard_sets is a list of hard set ids"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(filled, asked, says):
    with pytest.raises(RoundRefused, match=says):
        start_round(project=filled, **asked)

    assert not Round.objects.exists()
    assert not Job.objects.exists()


def test_a_project_without_items_is_refused(project):
    with pytest.raises(RoundRefused, match="pets has no items yet: import images first"):
        start_round(project=project)


def test_hard_sets_of_other_projects_cannot_be_included(filled):
    other = factories.make_project("Other")
    foreign = HardSet.objects.create(
        round=Round.objects.create(project=other, number=1, folder="x", status="succeeded"),
        strategy="time_hard", sha256="0", n_members=1,
    )  # fmt: skip

    with pytest.raises(RoundRefused, match=f"There is no hard set {foreign.pk} in pets"):
        start_round(project=filled, params={"include_hard_sets": [foreign.pk]})


def test_a_failed_stage_says_why_and_later_ones_wait(filled, work):
    def fail(stage):
        raise JobFailed("The disk is full. Make room.")

    work.does["features"] = fail
    round_ = start_round(project=filled, in_process=True)

    run_here(round_)

    assert round_.status == "failed"
    assert statuses(round_) == ["succeeded"] * 2 + ["failed"] + ["queued"] * 6
    assert round_.stages.get(name="features").result == {"error": "The disk is full. Make room."}
    assert round_.stages.get(name="predictions").job is None


def test_a_failed_stage_runs_again_and_the_rest_after_it(filled, work):
    def fail(stage):
        raise JobFailed("no")

    work.does["features"] = fail
    round_ = start_round(project=filled, in_process=True)
    run_here(round_)
    del work.does["features"]
    work.ran.clear()

    rounds.retry_stage(round_.stages.get(name="features"), in_process=True)
    run_here(round_)

    assert work.ran == NAMES[2:]
    assert round_.status == "succeeded"


def test_an_unforeseen_error_is_a_failure_too(filled, work):
    work.does["measures"] = lambda stage: 1 / 0
    round_ = start_round(project=filled, in_process=True)

    run_here(round_)

    assert round_.stages.get(name="measures").result == {"error": "ZeroDivisionError: division by zero"}
    assert round_.status == "failed"


def test_only_a_stage_that_failed_or_was_cancelled_runs_again(filled, work):
    round_ = start_round(project=filled, in_process=True)
    run_here(round_)

    with pytest.raises(RoundRefused, match="this one is succeeded"):
        rounds.retry_stage(round_.stages.get(name="report"))


def test_no_stage_runs_again_while_another_round_runs(filled, work):
    def fail(stage):
        raise JobFailed("no")

    work.does["snapshot"] = fail
    first = start_round(project=filled, in_process=True)
    run_here(first)
    start_round(project=filled)

    with pytest.raises(RoundRefused, match="Round 2 of pets is not over yet"):
        rounds.retry_stage(first.stages.get(name="snapshot"))

    first.refresh_from_db()
    assert first.status == "failed"


def test_a_waiting_round_is_cancelled_at_once(filled, work):
    round_ = start_round(project=filled)

    rounds.cancel_round(round_)

    assert round_.status == "cancelled"
    assert statuses(round_)[0] == "cancelled"
    assert Job.objects.get().status == "cancelled"
    assert start_round(project=filled).number == 2


def test_a_running_round_stops_at_its_next_step(filled, work):
    def cancelled_half_way(stage):
        rounds.cancel_round(stage.round)
        stage.run.progress(1, 2, stage="half")
        raise AssertionError("progress should have stopped it")

    work.does["features"] = cancelled_half_way
    round_ = start_round(project=filled, in_process=True)

    run_here(round_)

    assert round_.status == "cancelled"
    assert statuses(round_) == ["succeeded"] * 2 + ["cancelled"] + ["queued"] * 6


def test_a_round_whose_worker_is_gone_can_be_cancelled(filled, work, settings):
    round_ = start_round(project=filled)
    job = Job.objects.get()
    claim_job(job.pk)
    silent = timezone.now() - timezone.timedelta(seconds=settings.JOB_LOST_AFTER_SECONDS + 1)
    Job.objects.update(heartbeat_at=silent)

    rounds.cancel_round(round_)

    assert round_.status == "cancelled"
    assert Job.objects.get().status == "cancelled"


def test_a_lost_stage_is_taken_up_again(filled, work, settings):
    round_ = start_round(project=filled, in_process=True)
    claim_job(Job.objects.get().pk)
    silent = timezone.now() - timezone.timedelta(seconds=settings.JOB_LOST_AFTER_SECONDS + 1)
    Job.objects.update(heartbeat_at=silent)

    assert rounds.resume_round(project=filled, in_process=True) == round_
    run_here(round_)

    assert round_.status == "succeeded"
    assert work.ran == NAMES


def test_a_round_that_runs_elsewhere_is_not_taken_up(filled, work):
    start_round(project=filled)
    claim_job(Job.objects.get().pk)

    with pytest.raises(RoundRefused, match="Round 1 of pets is running: take down labels and times"):
        rounds.resume_round(project=filled)


def test_advancing_twice_changes_nothing(filled, work):
    round_ = start_round(project=filled)
    run_job(Job.objects.get().pk)

    for _ in range(3):
        rounds.advance_round(round_.pk)

    assert Job.objects.count() == 2
    assert statuses(round_)[:2] == ["succeeded", "queued"]
    assert rounds.advance_all_rounds() == 1


def test_a_worker_that_died_between_two_stages_is_made_up_for(filled, work, monkeypatch):
    round_ = start_round(project=filled)
    with monkeypatch.context() as patched:
        patched.setattr("hardness_site.jobs.signals.job_finished.send", lambda **_: [])
        run_job(Job.objects.get().pk)
    assert Job.objects.count() == 1

    rounds.advance_all_rounds()

    assert statuses(round_)[0] == "succeeded"
    assert round_.stages.get(name="time_hardness").job.status == "queued"


def test_a_stage_out_of_turn_is_refused(filled, work):
    round_ = start_round(project=filled)

    with pytest.raises(RoundRefused, match="An earlier stage of this round is not done"):
        rounds.begin_stage(round_.stages.get(name="report").pk)


def test_the_job_page_can_run_a_failed_stage_again(filled, work):
    def fail(stage):
        raise JobFailed("no")

    work.does["snapshot"] = fail
    round_ = start_round(project=filled, in_process=True)
    run_here(round_)
    del work.does["snapshot"]

    job = Job.objects.get()
    assert retry_job(job)
    run_job(job.pk)
    run_here(round_)

    assert round_.status == "succeeded"


def test_cancelling_the_job_cancels_the_round(filled, work):
    round_ = start_round(project=filled)

    cancel_job(Job.objects.get())

    round_.refresh_from_db()
    assert round_.status == "cancelled"


def test_workers_go_on_with_a_round_whose_own_process_is_gone(filled, work, monkeypatch):
    queued = []
    monkeypatch.setattr("mining.services.rounds.queue_job", lambda job: queued.append(job.params["stage_id"]))
    round_ = start_round(project=filled, in_process=True)
    run_job(Job.objects.get().pk)
    assert queued == []

    monkeypatch.setattr("mining.services.rounds.is_gone", lambda worker: True)
    run_job(round_.stages.get(name="time_hardness").job_id)

    assert queued == [round_.stages.get(name="features").pk]

"""Work cut into pieces: done by whoever is free, stopped with its stage, done again where a worker is gone."""

import pytest

from hardness_site.jobs.models import Job
from hardness_site.jobs.running import JobCancelled, JobFailed
from hardness_site.jobs.services import cancel_job, claim_job, create_jobs, run_job
from mining.models import RoundStage
from mining.services import rounds
from mining.services.pieces import PIECE_JOB, Piece, do_pieces, long_ones_outside
from mining.stages import features
from mining.stages.context import StageRun
from tests.mining.small_project import QUICK, make_striped_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(monkeypatch):
    """Return a StageRun of a running features stage whose pieces only say what they were given."""
    project, _ = make_striped_project(n_items=6, trials=False)
    round_ = rounds.start_round(project=project, params=QUICK, in_process=True)
    row = round_.stages.get(name="features")
    job = Job.objects.create(kind="round_stage", title="features", scope=project.scope, params={"stage_id": row.pk})
    RoundStage.objects.filter(pk=row.pk).update(job=job, status="running")
    from hardness_site.jobs.running import JobRun

    monkeypatch.setattr(features, "do_piece", lambda piece, number: {"number": number, "by": piece.run.job.pk})
    return StageRun(JobRun(claim_job(job.pk)), round_)


def pieces(count):
    return [Piece(f"piece-{number}", f"Piece {number}", {"number": number}) for number in range(count)]


def rows():
    return Job.objects.filter(kind=PIECE_JOB)


def test_results_come_in_the_order_of_the_pieces_and_nothing_is_left(stage):
    found = do_pieces(stage, pieces(5), doing="Testing")

    assert [one["number"] for one in found] == [0, 1, 2, 3, 4]
    assert not rows().exists()
    job = Job.objects.get(pk=stage.run.job.pk)
    assert (job.progress_done, job.progress_total, job.stage) == (5, 5, "Testing")


def test_pieces_are_sent_only_where_workers_are_asked(stage, monkeypatch, django_capture_on_commit_callbacks):
    sent = []
    monkeypatch.setattr("hardness_site.jobs.services.send_job", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        do_pieces(stage, pieces(4), doing="Testing")
    assert sent == []
    stage.round.params["in_process"] = ""
    with django_capture_on_commit_callbacks(execute=True):
        do_pieces(stage, pieces(4), doing="Testing")
    assert len(sent) == 3, "the last one is this process's own"


def test_what_another_worker_has_done_is_not_done_again(stage, monkeypatch):
    by_others = []

    def helped(piece, number):
        if number == 4:  # while this process does the last, somebody else does the first
            by_others.append(run_job(rows().order_by("pk").first().pk).pk)
        return {"number": number, "by": piece.run.job.pk}

    monkeypatch.setattr(features, "do_piece", helped)
    found = do_pieces(stage, pieces(5), doing="Testing")
    assert found[0] == {"number": 0, "by": by_others[0]}
    assert [one["number"] for one in found] == [0, 1, 2, 3, 4]


def test_a_piece_whose_worker_is_gone_is_done_again(stage, monkeypatch):
    monkeypatch.setattr("mining.services.pieces.LOST_EVERY_SECONDS", 0.0)
    scope = f"stage:{stage.run.job.params['stage_id']}"
    work = {"stage_id": stage.run.job.params["stage_id"], "key": "piece-1", "work": {"number": 1}}
    (lost,) = create_jobs(kind=PIECE_JOB, scope=scope, titled_params=[("Piece 1", work)])
    claim_job(lost.pk)
    Job.objects.filter(pk=lost.pk).update(heartbeat_at="2020-01-01T00:00Z", worker="elsewhere:1:1:1")

    found = do_pieces(stage, pieces(3), doing="Testing")

    assert found[1] == {"number": 1, "by": lost.pk}


def test_a_failed_piece_fails_the_stage_with_its_reason_and_stops_the_others(stage, monkeypatch):
    def fails(piece, number):
        if number == 2:
            raise JobFailed("The disk is full.")
        return {"number": number}

    monkeypatch.setattr(features, "do_piece", fails)
    with pytest.raises(JobFailed, match=r"Piece 2: The disk is full\."):
        do_pieces(stage, pieces(5), doing="Testing")
    assert not rows().filter(status__in=["queued", "running"]).exists()

    monkeypatch.setattr(features, "do_piece", lambda piece, number: {"number": number})
    assert len(do_pieces(stage, pieces(5), doing="Testing")) == 5, "a second run of the stage begins anew"


def test_a_cancelled_stage_stops_its_pieces(stage, monkeypatch):
    def cancels(piece, number):
        cancel_job(Job.objects.get(pk=stage.run.job.pk))
        piece.check()
        raise AssertionError("it went on")

    monkeypatch.setattr(features, "do_piece", cancels)
    monkeypatch.setattr("mining.stages.context.CHECK_EVERY_SECONDS", 0.0)
    with pytest.raises(JobCancelled):
        do_pieces(stage, pieces(5), doing="Testing")
    assert set(rows().values_list("status", flat=True)) == {"cancelled"}


def test_pieces_of_an_earlier_plan_are_forgotten(stage):
    scope = f"stage:{stage.run.job.params['stage_id']}"
    old = {"stage_id": stage.run.job.params["stage_id"], "key": "old", "work": {"number": 9}}
    create_jobs(kind=PIECE_JOB, scope=scope, titled_params=[("Old", old)])
    assert [one["number"] for one in do_pieces(stage, pieces(2), doing="Testing")] == [0, 1]
    assert not rows().exists()


def test_nothing_left_to_do_clears_the_pieces_of_a_run_that_was_killed_at_its_end(stage):
    scope = f"stage:{stage.run.job.params['stage_id']}"
    create_jobs(kind=PIECE_JOB, scope=scope, titled_params=[("Piece 0", {"key": "piece-0"})])
    Job.objects.filter(kind=PIECE_JOB).update(status="succeeded")

    assert do_pieces(stage, [], doing="Testing") == []
    assert not rows().exists()


def test_the_longest_pieces_are_at_both_ends_of_the_line():
    """Workers begin at the front, the stage's own process at the back: nobody is left with a long one at the end."""
    costs = {"logistic": 1.0, "svm": 2.5, "forest": 60.0}
    work = [Piece(f"{name}-{fold}", name, {}, cost) for name, cost in costs.items() for fold in range(2)]

    line = [piece.key for piece in long_ones_outside(work)]

    assert line == ["forest-0", "svm-0", "logistic-0", "logistic-1", "svm-1", "forest-1"]
    assert long_ones_outside(pieces(5)) == pieces(5), "where all take as long, the order stays"

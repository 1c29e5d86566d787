"""Durations are derived again from the events, and what changed is said."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from annotations.models import EventBatch, Trial
from annotations.tasks import return_leases_task
from annotations.timing import VERSION
from tests import factories

pytestmark = pytest.mark.django_db

EVENTS = [{"t": 1000, "kind": "onset"}, {"t": 1640, "kind": "decision"}]
HIDDEN = [{"t": 1000, "kind": "onset"}, {"t": 1300, "kind": "hidden"}, {"t": 1640, "kind": "decision"}]


def answered(project, number, events, **fields):
    item = project.items.get(ordinal=number)
    annotator = factories.make_annotator(project)
    trial = factories.make_trial(
        item, annotator, label=0, response_ms=999.0, null_reason="", timing_version=VERSION, **fields
    )
    now = timezone.now()
    Trial.objects.filter(pk=trial.pk).update(issued_at=now - timedelta(seconds=60), received_at=now)
    EventBatch.objects.create(trial=trial, events=events)
    EventBatch.objects.create(trial=trial, events=[{"t": 9000, "kind": "decision"}], is_correction=True)
    return trial


@pytest.fixture
def trials(project):
    factories.make_items(project, 4)
    return [
        answered(project, 0, EVENTS),
        answered(project, 1, HIDDEN),
        answered(project, 2, EVENTS, source="imported"),
        answered(project, 3, EVENTS, times_issued=2),
    ]


def run(*arguments, **options):
    out = StringIO()
    call_command("recompute_timing", *arguments, stdout=out, **options)
    return out.getvalue()


def test_nothing_is_done_where_the_present_rules_were_used(project, trials):
    assert run("pets") == f"0 trials changed (rules version {VERSION}).\n"


def test_all_trials_of_browsers_are_derived_again_and_changes_are_named(project, trials):
    said = run("pets", "--all")
    assert said.splitlines() == [
        f"trial {trials[0].pk}: response time 999.0 ms -> 640.0 ms",
        f"trial {trials[1].pk}: response time 999.0 ms -> none (hidden)",
        f"trial {trials[3].pk}: response time 999.0 ms -> none (resumed)",
        f"3 trials changed (rules version {VERSION}).",
    ]
    rows = list(Trial.objects.order_by("pk").values_list("response_ms", "null_reason", "censored_at_ms"))
    assert rows == [(640, "", None), (None, "hidden", 300), (999, "", None), (None, "resumed", None)]
    assert run("pets", "--all").endswith(f"0 trials changed (rules version {VERSION}).\n")


def test_trials_of_older_rules_are_found(project, trials, monkeypatch):
    Trial.objects.filter(pk=trials[1].pk).update(timing_version=7)
    assert run().splitlines()[0].startswith(f"trial {trials[1].pk}: ")


def test_a_dry_run_changes_nothing(project, trials):
    assert "3 trials would change" in run("--all", "--dry-run")
    assert set(Trial.objects.values_list("response_ms", flat=True)) == {999}


def test_an_unknown_project_is_an_error():
    with pytest.raises(CommandError, match="no project “cats”"):
        run("cats")


def test_the_task_gives_back_what_ran_out(project):
    factories.make_items(project, 1)
    trial = factories.make_trial(project.items.get(), factories.make_annotator(project))
    Trial.objects.filter(pk=trial.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert return_leases_task() == 1
    assert project.items.get().taken == 0

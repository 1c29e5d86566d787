"""Every page of a manager in a real browser, in every look; and what charts, rounds and themes do there."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from annotations.models import Annotator, Item, Membership, Project
from hardness_site.jobs.models import Job, JobMessage
from hardness_site.jobs.services import run_job
from mining.comparison.quadrants import QUADRANT_TITLES, QUADRANTS
from mining.models import HardSet, Round, RoundStage, Webhook, WebhookDelivery
from mining.reports.charts import scatter
from mining.services.people_now import refresh_people
from mining.services.rounds import run_round_here, start_round
from mining.services.webhooks import announce_round, create_webhook, send_test
from mining.stages import STAGES
from tests import factories
from tests.browser import wait_until
from tests.looks import draw_charts, objections_to
from tests.mining.done_round import make_done_round
from tests.mining.drawn_project import make_drawn_project
from tests.mining.small_project import QUICK, make_striped_project

pytestmark = pytest.mark.django_db(transaction=True)

POINTS = ".chart__view svg .mark-symbol.role-mark path"
CHART_PAGES = {"comparison": 1, "models": 1, "retraining": 1, "report": 7}


@pytest.fixture
def stripes(manager, annotator_user, monkeypatch):
    """Return a project that a whole round has run on, all stages for real."""
    monkeypatch.setattr("mining.stages.comparison.RESAMPLED_TRIALS", 1)  # how precise it is matters elsewhere
    project, _ = make_striped_project(kind=Annotator.Kind.SYNTHETIC)
    Membership.objects.create(project=project, user=manager, role=Membership.Role.MANAGER)
    Membership.objects.create(project=project, user=annotator_user)
    round_ = start_round(project=project, params=QUICK, in_process=True, created_by=manager)
    for _ in run_round_here(round_):
        pass
    assert round_.status == "succeeded", [stage.result for stage in round_.stages.all()]
    return project


def add_messages(project) -> None:
    """Give the project two webhooks and a message in every state."""
    events = ["hard_set.created", "round.finished"]
    create_webhook(project=project, url="https://trainer.example.org/hardness", events=events)
    second, _ = create_webhook(project=project, url="https://gpu-7.cluster.example.org:8443/hook", events=events[:1])
    Webhook.objects.filter(pk=second.pk).update(is_active=False, off_reason="It answered 410 Gone on 3 March 2026.")
    announce_round(round_=Round.objects.get(project=project))
    for _ in range(3):
        send_test(webhook=second)
    tries = [{"at": timezone.now().isoformat(), "status": 500, "error": "", "duration_ms": 41}]
    states = [("succeeded", 200, ""), ("failed", 500, "It answered 500; any status from 200 to 299 means received."),
              ("cancelled", None, "The webhook is switched off."), ("queued", None, "Connection refused.")]  # fmt: skip
    for delivery, (status, answer, error) in zip(WebhookDelivery.objects.order_by("pk"), states, strict=False):
        WebhookDelivery.objects.filter(pk=delivery.pk).update(
            status=status, response_status=answer, error=error, attempts=1, history=tries,
            next_attempt_at=timezone.now() + timedelta(hours=1),
        )  # fmt: skip


def addresses_of(project) -> dict[str, str]:
    at = f"/projects/{project.slug}/"
    done = Round.objects.get(project=project)
    hard_set = HardSet.objects.filter(round=done).order_by("-n_members").first()
    job = Job.objects.create(
        kind="import_images", title="Import of scans.zip", scope=project.scope, status="failed",
        error="The archive is cut off after 12 files. Upload it again.", started_at=timezone.now(),
    )  # fmt: skip
    JobMessage.objects.create(job=job, level="refused", subject="scans/017.png", text="It is no image.")
    empty = factories.make_project("Nothing yet", slug="nothing-yet", manager=done.created_by)
    stopped = Round.objects.create(project=empty, number=1, status="failed", folder="rounds/0/0")
    RoundStage.objects.create(
        round=stopped, index=0, name="snapshot", status="failed", result={"error": "No labels. Let people label."}
    )
    add_messages(project)
    return {
        "home": "/",
        "project_create": "/projects/new/",
        "project": at,
        "items": f"{at}items/",
        "item": f"{at}items/{project.items.first().pk}/",
        "import": f"{at}import/",
        "members": f"{at}members/",
        "tokens": f"{at}tokens/",
        "predictions": f"{at}predictions/",
        "measures": "/measures/",
        "item_measures": f"{at}items/{project.items.first().pk}/measures/",
        "settings": f"{at}settings/",
        "outside_trainers": f"{at}outside-trainers/",
        "rounds": f"{at}rounds/",
        "schedule": f"{at}rounds/schedule/",
        "features": f"{at}features/",
        "detector": f"{at}detector/",
        "round": f"{at}rounds/1/",
        "comparison": f"{at}rounds/1/comparison/",
        "models": f"{at}rounds/1/models/",
        "classes": f"{at}rounds/1/classes/",
        "reasons": f"{at}rounds/1/reasons/",
        "retraining": f"{at}rounds/1/retraining/",
        "report": f"{at}rounds/1/report/",
        "hard_set": hard_set.get_absolute_url(),
        "label": f"{at}label/",
        "my_progress": f"{at}me/",
        "job": f"/jobs/{job.pk}/",
        "empty_project": "/projects/nothing-yet/",
        "empty_items": "/projects/nothing-yet/items/",
        "empty_rounds": "/projects/nothing-yet/rounds/",
        "empty_outside_trainers": "/projects/nothing-yet/outside-trainers/",
        "failed_round": "/projects/nothing-yet/rounds/1/",
        "empty_report": "/projects/nothing-yet/rounds/1/report/",
        "not_found": "/projects/no-such/",
    }


@pytest.mark.long(seconds=100)
def test_every_page_stands(page, live_server, sign_in, stripes, manager):
    sign_in(manager)
    wrong = {}
    for name, address in addresses_of(stripes).items():
        answer = page.goto(live_server.url + address)
        found = [] if answer.status == (404 if name == "not_found" else 200) else [f"status {answer.status}"]
        found += objections_to(page, name, charts=CHART_PAGES.get(name, 0))
        if found:
            wrong[name] = found
    assert wrong == {}


def test_every_page_of_drawn_objects_stands(page, live_server, sign_in, manager, monkeypatch):
    monkeypatch.setattr("mining.services.people_now.queue_job", lambda job: None)
    project, _ = make_drawn_project(n_images=4, n_annotators=4)
    Membership.objects.create(project=project, user=manager, role=Membership.Role.MANAGER)
    run_job(refresh_people(project=project).pk)
    Item.objects.filter(project=project, path="scene-00.png").update(needed=9)
    Project.objects.filter(pk=project.pk).update(reopened=1)
    imported = factories.make_project("Parts", unit="object", manager=manager)
    objects = project.items.filter(box_width__isnull=False)
    sign_in(manager)
    at = "/projects/drawn/"
    addresses = {
        "home": "/", "project": at, "items": f"{at}items/?what=objects", "object": f"{at}items/{objects.first().pk}/",
        "whole": f"{at}items/{project.items.first().pk}/", "hardness": f"{at}hardness/", "settings": f"{at}settings/",
        "import": f"/projects/{imported.slug}/import/", "label": f"{at}label/",
    }  # fmt: skip
    wrong = {}
    for name, address in addresses.items():
        answer = page.goto(live_server.url + address)
        if name == "label":
            page.wait_for_selector('#workbench[data-state="open"] .a9s-annotationlayer')
            page.keyboard.press("Space")
            page.wait_for_selector(".wb__tag")
        found = [] if answer.status == 200 else [f"status {answer.status}"]
        found += objections_to(page, name, subfolder="objects")
        if found:
            wrong[name] = found
    assert wrong == {}


def test_the_scatter_shows_items_and_opens_them(page, live_server, sign_in, charted, manager):
    sign_in(manager)
    page.goto(f"{live_server.url}/projects/pets/rounds/1/comparison/")
    draw_charts(page, 1)
    points = page.locator(POINTS)
    drawn = points.count()
    page.get_by_text("The figures as a table").click()
    rows = page.locator("[data-chart-table] tbody tr")
    rows.first.wait_for()
    assert rows.count() == drawn == 24
    links = page.locator("[data-chart-table] tbody a")
    wanted = {link.inner_text(): link.get_attribute("href") for link in links.all()}

    points.nth(3).hover()
    tooltip = page.locator("#chart-tooltip")
    tooltip.wait_for()
    path = tooltip.locator("dd").first.inner_text()
    thumbnail = tooltip.locator("img")
    assert path in wanted
    assert thumbnail.get_attribute("src") == f"{wanted[path]}thumbnail"
    wait_until(page, f"document.querySelector('img[src=\"{wanted[path]}thumbnail\"]').naturalWidth > 0")
    points.nth(3).click()
    page.wait_for_url(f"**{wanted[path]}")
    assert path in page.get_by_role("heading", level=1).inner_text()


def test_the_theme_is_kept_and_charts_follow_it(page, live_server, sign_in, charted, manager):
    sign_in(manager)
    page.emulate_media(color_scheme="light")
    page.goto(f"{live_server.url}/projects/pets/rounds/1/comparison/")
    draw_charts(page, 1)
    first_point = page.locator(POINTS).first
    light = first_point.get_attribute("fill")
    button = page.locator("[data-theme-button]")
    assert button.get_attribute("aria-label") == "Theme: as the system. Change to light."
    button.click()
    button.click()
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    wait_until(page, f"document.querySelector({json.dumps(POINTS)})?.getAttribute('fill') !== '{light}'")
    dark = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.reload()
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == dark == "rgb(16, 20, 21)"
    page.locator("[data-theme-button]").click()
    assert page.evaluate("() => [document.documentElement.dataset.theme ?? '', localStorage.length]") == ["", 0]


@pytest.fixture
def charted(project, manager):
    """Return a round with the scatter of 24 items, six in each quadrant."""
    items = factories.make_items(project, 24)
    rows = [
        {"item": item.pk, "path": item.path, "label": "cat", "x": float(i % 12), "y": float(i // 12),
         "quadrant": QUADRANT_TITLES[QUADRANTS[i // 6]]}
        for i, item in enumerate(items)
    ]  # fmt: skip
    chart = scatter(
        "time_and_loss", "Time and loss", rows, x_title="Time", y_title="Loss", cuts=(5.5, 0.5), alt_text=""
    )
    return make_done_round(project, manager, items[:6], chart.spec)


@pytest.fixture
def running_round(project, manager):
    """Return a round whose second stage is at work, in rows alone: no worker is there."""
    factories.make_items(project, 2)
    round_ = Round.objects.create(project=project, number=1, status="running", folder="rounds/0/1", created_by=manager)
    job = Job.objects.create(
        kind="round_stage", title="Round 1", scope=project.scope, status="running", stage="Fitting times",
        progress_done=30, progress_total=120, started_at=timezone.now(), heartbeat_at=timezone.now(),
    )  # fmt: skip
    for index, name in enumerate(STAGES):
        RoundStage.objects.create(
            round=round_, index=index, name=name, status=("succeeded", "running")[index] if index < 2 else "queued",
            started_at=timezone.now() if index < 2 else None, job=job if index == 1 else None,
        )  # fmt: skip
    return round_


def test_a_round_is_watched_to_its_end_without_a_reload(page, live_server, sign_in, running_round, manager):
    sign_in(manager)
    page.goto(f"{live_server.url}/projects/pets/rounds/1/")
    stage = page.locator(".stage--running")
    assert stage.locator("progress").get_attribute("value") == "25"
    Job.objects.update(progress_done=90, stage="Nearly there")
    page.get_by_text("Nearly there").wait_for()
    assert stage.locator("progress").get_attribute("value") == "75"
    assert "s" in stage.locator("time").inner_text()
    RoundStage.objects.filter(name="time_hardness").update(
        status="failed", result={"error": "There are no times."}, finished_at=timezone.now()
    )
    Round.objects.update(status="failed", finished_at=timezone.now())
    page.get_by_text("There are no times.").wait_for()
    page.get_by_role("button", name="Run again").wait_for()
    assert page.get_by_role("button", name="Cancel round").count() == 0


def test_cancelling_asks_first(page, live_server, sign_in, running_round, manager):
    sign_in(manager)
    page.goto(f"{live_server.url}/projects/pets/rounds/1/")
    questions: list[str] = []

    def dismiss(dialog):
        questions.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", dismiss)
    page.get_by_role("button", name="Cancel round").click()
    assert questions == ["Cancel round 1? What it has computed stays."]
    assert not Job.objects.get().cancel_requested
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Cancel round").click()
    page.get_by_text("It stops at its next step.").wait_for()
    assert Job.objects.get().cancel_requested

"""The page of features and groups in a real browser, and the settings of learners at round start."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from hardness_site.jobs.models import Job
from hardness_site.jobs.services import run_job
from mining.models import FeatureSource, Round
from tests import factories
from tests.looks import objections_to
from tests.mining.networks import tiny_network

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.long(seconds=25)
def test_a_network_is_sent_and_chosen(page, live_server, sign_in, project, manager, tmp_path):
    factories.make_items(project, 3)
    FeatureSource.objects.create(
        project=project, kind="file", name="dinov2-large", sha256="0" * 64, dimension=1024, n_items=2, n_bytes=1,
        created_by=manager,
    )  # fmt: skip
    (tmp_path / "tiny.onnx").write_bytes(tiny_network(side="side").SerializeToString())
    sign_in(manager)
    page.goto(f"{live_server.url}/projects/pets/features/")
    form = page.locator("details", has_text="A network").first
    form.get_by_label("Name").fill("tiny")
    form.get_by_label("The network, one ONNX file").set_input_files(tmp_path / "tiny.onnx")
    form.get_by_label("Width of the images").fill("16")
    form.get_by_label("Height of the images").fill("16")
    form.get_by_role("button", name="Check and store").click()
    page.wait_for_url("**/jobs/*/")
    run_job(Job.objects.get().pk)
    page.reload()
    expect(page.get_by_role("link", name="Features and groups")).to_be_visible()

    page.goto(f"{live_server.url}/projects/pets/features/")
    expect(page.get_by_role("cell", name="network, 16 × 16 pixels")).to_be_visible()
    for words in ("Numbers from a file", "Groups that stay together"):
        page.locator("summary", has_text=words).click()
    assert objections_to(page, "features_open") == []

    page.goto(f"{live_server.url}/projects/pets/rounds/")
    page.get_by_text("Other learners, strategies and numbers").click()
    page.get_by_label("Features", exact=True).select_option(label="Network tiny")
    page.get_by_text("Settings of the learners").click()
    page.get_by_role("combobox", name="Class weights").select_option("balanced")
    assert objections_to(page, "start_round") == []
    page.get_by_role("button", name="Start with these").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Round 1")
    params = Round.objects.get().params
    assert (params["feature_kind"], params["learners"][0]["params"]["class_weight"]) == ("network:tiny", "balanced")
    page.locator("summary", has_text="Settings").click()
    expect(page.get_by_text("network tiny")).to_be_visible()

"""The page of a mined detector: curves, figures, and every look."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from mining.artifacts import project_folder
from tests import factories
from tests.looks import objections_to

pytestmark = pytest.mark.django_db(transaction=True)


def detector(name, negatives, rate, missed):
    return {
        "name": name, "n_negatives": negatives, "false_positive_rate": rate, "miss_rate": missed,
        "false_positive_interval": [rate * 0.9, rate * 1.1], "miss_interval": [missed / 2, missed * 2],
        "missed_at_1_in_1000": missed, "curve": [[1e-4, 2 * missed], [1e-3, missed], [1e-1, missed / 4]],
    }  # fmt: skip


@pytest.fixture
def mined(manager):
    project = factories.make_project("Faces", slug="faces", classes=("face", "other"), manager=manager)
    factories.make_items(project, 2)
    result = {
        "class": "face", "photographs": True, "window": [25, 25], "n_mined_images": 8, "n_tested_images": 6,
        "n_train": 50, "n_test": 50, "n_test_windows": 20_000,
        "rounds": [{"number": 1, "n_windows": 61_000, "n_false_positives": 1200, "n_new": 1100, "n_negatives": 1600}],
        "detectors": [detector("before", 500, 0.02, 0.34), detector("round 1", 1600, 0.002, 0.16),
                      detector("control", 1600, 0.01, 0.3)],
    }  # fmt: skip
    project_folder("detection", project.pk).write_json("0.json", result)
    return project


def test_the_curves_and_the_random_control_are_shown(page, live_server, sign_in, mined, manager):
    sign_in(manager)
    page.goto(f"{live_server.url}/projects/faces/rounds/")
    page.get_by_role("link", name="Mine a detector").click()
    expect(page.get_by_role("heading", name="Hard negatives of a detector")).to_be_visible()
    expect(page.get_by_text("went from 0.02000 to 0.00200, 10.0 times fewer")).to_be_visible()
    expect(page.get_by_role("row", name="Random control, as many negatives")).to_contain_text("0.01000")
    page.locator("figure[data-chart]").scroll_into_view_if_needed()
    expect(page.locator("figure[data-chart][data-state=drawn] .chart__view svg")).to_be_visible()
    expect(page.get_by_label("Object", exact=True)).to_be_visible()
    assert objections_to(page, "detector") == []

"""Rounds whose items are objects: drawn by simulated annotators, and imported."""

from __future__ import annotations

import numpy as np
import pytest

from annotations.models import DrawnBox, Item, Project, Trial
from annotations.services.drawn_objects import update_objects
from annotations.services.regions import import_regions
from mining.selectors import rounds as reads
from mining.stages.snapshot import item_table
from tests import factories
from tests.annotations.services.test_images import Report
from tests.mining.drawn_project import make_drawn_project
from tests.mining.small_project import make_striped_project
from tests.mining.stages.test_whole_round import _quick_bootstrap, run_round  # noqa: F401

pytestmark = pytest.mark.django_db


def test_a_round_over_drawn_objects_finds_the_hardness_that_was_put_in():
    project, truth = make_drawn_project()

    round_ = run_round(project)

    assert round_.status == "succeeded", [stage.result for stage in reads.stages_of(round_)]
    assert round_.has_synthetic
    rows, total = reads.measures_page(round_, order_by="ordinal", descending=False, limit=100)
    assert total == 14 * 3, "three objects a scene, and no whole image among them"
    items = {item.pk: item for item in Item.objects.filter(box_width__isnull=False)}
    at = [truth.of(items[row["item"]]) for row in rows]
    assert sorted(at) == list(range(42)), "each true object is one item"
    time = np.array([row["time_hardness"] for row in rows])
    assert np.corrcoef(time, truth.hardness[at])[0, 1] > 0.85
    # One in seven names a very hard object wrongly: of 42 the consensus may fail at one or two.
    assert np.mean(np.array([row["label"] for row in rows]) == truth.label[at]) >= 0.95
    assert {"hog_svm.loss", "kdn", "disagreement"} <= set(rows[0])
    # Who saw the image and not the object differs from those who drew it.
    missed = {item.pk: item.skipped / (item.answered + item.skipped) for item in items.values()}
    for row in rows:
        assert row["disagreement"] >= missed[row["item"]] - 1e-9
    assert max(missed.values()) > 0


def test_a_round_over_imported_objects():
    project, _ = make_striped_project(n_items=30, trials=False)
    Project.objects.filter(pk=project.pk).update(unit=Project.Unit.OBJECT)
    project.refresh_from_db()
    paths = list(Item.objects.order_by("ordinal").values_list("path", flat=True))
    names = [path.split("/")[0] for path in paths]
    rows = [f"{path},{x},0,14,28,{name}" for path, name in zip(paths, names, strict=True) for x in (0, 16)]
    summary = import_regions(
        run=Report(), project=project, data=("path,x,y,width,height,label\n" + "\n".join(rows) + "\n").encode()
    )
    assert (summary.n_new, summary.n_refused) == (60, 0)
    rng = np.random.default_rng(3)
    items = list(Item.objects.order_by("ordinal"))
    hardness = rng.uniform(0, 1, len(items))
    for number in range(4):
        annotator = factories.make_annotator(project, f"person-{number}", kind="imported")
        for item, hard in zip(items, hardness, strict=True):
            factories.make_trial(
                item, annotator, label=item.given.code, source=Trial.Source.IMPORTED,
                response_ms=float(np.exp(7 + hard + rng.normal(0, 0.1))),
            )  # fmt: skip

    round_ = run_round(project)

    assert round_.status == "succeeded", [stage.result for stage in reads.stages_of(round_)]
    found, total = reads.measures_page(round_, order_by="ordinal", descending=False, limit=100)
    assert total == 60
    assert np.corrcoef([row["time_hardness"] for row in found], hardness)[0, 1] > 0.85


def test_what_is_drawn_later_updates_the_objects_and_twice_changes_nothing():
    project, _ = make_drawn_project(n_images=3, n_annotators=3)
    first = update_objects(project=project)
    assert (first.n_images, first.n_new) == (3, 9)
    before = list(Trial.objects.filter(drawing__isnull=False).order_by("pk").values())
    names = list(Item.objects.order_by("pk").values("pk", "path", "ordinal"))
    again = update_objects(project=project)
    assert (again.n_images, again.n_new, again.n_rewritten) == (0, 0, 0)
    every = update_objects(project=project, every=True)
    assert (every.n_images, every.n_new, every.n_rewritten) == (3, 0, 0)
    assert list(Trial.objects.filter(drawing__isnull=False).order_by("pk").values()) == before
    # Somebody more draws one object in the first scene, a little off: it keeps its name and its box moves.
    scene = Item.objects.get(path="scene-00.png")
    one = Item.objects.get(path="scene-00.png#1")
    annotator = factories.make_annotator(project)
    late = factories.make_trial(scene, annotator, label=None, state=Trial.State.ANSWERED)
    DrawnBox.objects.create(
        trial=late, number=1, x=one.box_x + 0.01, y=one.box_y, width=one.box_width, height=one.box_height,
        label=project.classes.get(code=0), response_ms=1500.0,
    )  # fmt: skip
    Item.objects.filter(pk=scene.pk).update(unmatched=True)
    summary = update_objects(project=project)
    assert (summary.n_images, summary.n_new, summary.n_rewritten) == (1, 0, 0)
    assert list(Item.objects.order_by("pk").values("pk", "path", "ordinal")) == names
    of = {trial.item.path: trial for trial in Trial.objects.filter(drawing=late)}
    assert {path: (trial.state, trial.response_ms, trial.null_reason) for path, trial in of.items()} == {
        "scene-00.png#1": ("answered", 1500.0, ""),
        "scene-00.png#2": ("skipped", None, "not_drawn"),
        "scene-00.png#3": ("skipped", None, "not_drawn"),
    }
    assert DrawnBox.objects.filter(object__isnull=True).count() == 0
    assert item_table(project)["path"].to_list() == [row["path"] for row in names if "#" in row["path"]]

"""The demo: real images, synthetic trials that say so, once however often it is made."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from annotations.models import Annotator, Item, Membership, Project, Trial
from annotations.services import demo_data
from annotations.services.demo_data import DEMO, make_demo_people
from hardness_site.jobs.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the digits: the faces take a second."""
    monkeypatch.setattr("mining.management.commands.demo.DEMO", {"demo-faces": DEMO["demo-faces"]})


def make_demo() -> list[str]:
    out = StringIO()
    call_command("demo", "--no-round", stdout=out)
    return out.getvalue().splitlines()


def test_faces_are_imported_labelled_and_partly_judged(small_demo: None) -> None:
    assert make_demo() == ["Faces: 200 new images, 700 synthetic trials.", "demo-faces"]
    project = Project.objects.get(slug="demo-faces")
    assert dict(project.memberships.values_list("user__username", "role")) == {
        "demo-manager": Membership.Role.MANAGER,
        "demo-annotator": Membership.Role.ANNOTATOR,
    }
    assert sorted(project.items.values_list("given__name", flat=True)) == ["face"] * 100 + ["not a face"] * 100
    assert set(project.annotators.values_list("kind", flat=True)) == {Annotator.Kind.SYNTHETIC}
    assert set(Trial.objects.values_list("source", flat=True)) == {Trial.Source.SYNTHETIC}
    assert Item.objects.filter(answered=5).count() == 140
    assert Item.objects.filter(taken=0).count() == 60


def test_a_second_run_does_nothing_and_one_cut_short_is_completed(small_demo: None) -> None:
    make_demo()
    ids = list(Trial.objects.values_list("pk", flat=True))
    assert make_demo() == ["Faces is there already.", "demo-faces"]
    Job.objects.update(status=Job.Status.FAILED)
    Trial.objects.filter(pk__in=ids[500:]).delete()
    assert make_demo()[0] == "Faces: 0 new images, 200 synthetic trials."
    assert Trial.objects.count() == 700


def test_nobody_can_sign_in_with_a_password() -> None:
    assert [user.has_usable_password() for user in make_demo_people()] == [False, False]
    assert [user.pk for user in make_demo_people()] == [user.pk for user in make_demo_people()]


def test_digits_are_drawn_large_ink_on_paper_under_their_class() -> None:
    pictures = DEMO["demo-digits"].load()
    assert (pictures.pixels.shape, pictures.labels[0], pictures.names[0]) == ((1797, 8, 8), "0", "digit-0000.png")
    assert float(np.median(pictures.pixels)) > 0.5
    assert (pictures.pixels.min(), pictures.pixels.max()) == (0, 1)


def test_hard_digits_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The times hold the difficulty that was put in: what the first round is to find."""
    written = {}
    monkeypatch.setattr(demo_data, "write_synthetic_trials", lambda **given: written.update(given) or 0)
    monkeypatch.setattr(demo_data, "import_images", lambda **_: demo_data_summary())
    monkeypatch.setattr(demo_data, "_draw", lambda *_, **__: None)
    monkeypatch.setattr(demo_data, "ZipReader", lambda *_: None)
    demo = replace(DEMO["demo-digits"], n_judged=300)

    class Quiet:
        def progress(self, *_: object, **__: object) -> None: ...

        def notes(self, *_: object) -> None: ...

    demo_data.fill_demo_project(run=Quiet(), demo=demo, project=Project())
    pictures = demo.load()
    codes = np.array([demo.classes.index(label) for label in pictures.labels])
    difficulty, _ = demo_data.difficulty_from_features(pictures.pixels.reshape(len(codes), -1), codes, seed=2026)
    trials = written["trials"]
    assert len(trials.item) == 1500
    assert np.corrcoef(difficulty[trials.item], np.log(trials.response_ms))[0, 1] > 0.5


def demo_data_summary():
    from annotations.services.images import ImportSummary

    return ImportSummary()

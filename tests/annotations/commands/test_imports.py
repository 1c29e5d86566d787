"""import_images and import_trials as commands: counts, the slug last, clear errors; and real data of real people."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from annotations.models import Annotation, Project, Trial
from hardness_site.jobs.models import Job
from tests import factories
from tests.annotations.intake.pictures import encoded, noise

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "speeded_recognition"

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[list[str], str]:
    out, errors = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=errors)
    return out.getvalue().splitlines(), errors.getvalue()


@pytest.fixture
def pets() -> Project:
    return factories.make_project("Pets")


def test_images_are_imported_and_refusals_go_to_standard_error(pets: Project, tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.png").write_bytes(encoded(noise()))
    (tmp_path / "bird.png").write_bytes(encoded(noise(seed=2)))
    out, errors = run("import_images", "pets", str(tmp_path), "--labels-from-folders")
    assert out == ["2 read: 1 new, 0 known, 1 refused.", "pets"]
    assert errors == "Refused: bird.png: It lies in no folder, so it has no class. The classes are: cat, dog.\n"
    job = Job.objects.get()
    assert (job.status, job.result["n_new"], job.scope) == ("succeeded", 1, pets.scope)


def test_a_folder_without_files_is_an_error(pets: Project, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no file in it\."):
        run("import_images", "pets", str(tmp_path))
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(CommandError, match="every file was refused"):
        run("import_images", "pets", str(tmp_path))


def test_errors_name_the_thing_and_the_remedy(pets: Project, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no project 'cats'\. There are: pets\."):
        run("import_images", "cats", str(tmp_path))
    with pytest.raises(CommandError, match=r"There is no .*nowhere"):
        run("import_images", "pets", str(tmp_path / "nowhere"))
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(CommandError, match="Not a zip archive"):
        run("import_images", "pets", str(tmp_path / "a.zip"))
    (tmp_path / "trials.csv").write_text("item,label\n")
    with pytest.raises(CommandError, match=r"The first line lacks annotator, response_ms; it holds item, label\."):
        run("import_trials", "pets", str(tmp_path / "trials.csv"))
    assert set(Job.objects.values_list("status", flat=True)) == {"failed"}


def test_an_interrupted_import_is_cancelled_and_says_how_to_go_on(
    pets: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(encoded(noise()))

    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("annotations.jobs.import_images", interrupt)
    with pytest.raises(CommandError, match="the same command goes on from there"):
        run("import_images", "pets", str(tmp_path))
    assert Job.objects.get().status == "cancelled"


@pytest.mark.parametrize(("name", "n_images", "n_trials"), [("silhouettes", 160, 1_600), ("stylized", 1_280, 12_800)])
def test_real_trials_of_real_people_come_in_whole(name: str, n_images: int, n_trials: int) -> None:
    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"NOT TESTED on real data: {folder} is not on this machine.")
    classes = sorted(path.name for path in (folder / "images").iterdir())
    out, _ = run("create_project", name, "--classes", ",".join(classes))
    assert out[-1] == name
    out, errors = run("import_images", name, str(folder / "images"), "--labels-from-folders")
    assert (out, errors) == ([f"{n_images:,} read: {n_images:,} new, 0 known, 0 refused.", name], "")
    out, errors = run("import_trials", name, str(folder / "trials.csv"))
    assert errors == ""
    rows = [line.split(",") for line in (folder / "trials.csv").read_text().splitlines()[1:]]
    n_missed = sum(not row[3] for row in rows)
    assert out[0] == f"{n_trials:,} read: {n_trials:,} new ({n_missed:,} missed), 0 known, 0 refused; 10 annotators."
    project = Project.objects.get(slug=name)
    assert Trial.objects.filter(null_reason="missed").count() == n_missed
    assert Annotation.objects.count() == n_trials - n_missed
    item, annotator, position, label, response_ms, reference = next(row for row in rows if row[3])
    trial = Trial.objects.get(item__path=item, annotator__name=annotator)
    assert (trial.position, trial.response_ms) == (int(position), float(response_ms))
    assert (trial.annotations.get().label.name, trial.item.given.name) == (label, reference)
    assert sum(project.items.values_list("answered", flat=True)) == n_trials - n_missed
    assert json.dumps(Job.objects.first().result)
    assert run("import_trials", name, str(folder / "trials.csv"))[0][0].startswith(f"{n_trials:,} read: 0 new")

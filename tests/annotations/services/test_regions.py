"""Importing regions: where the boxes land, what is refused, and that twice is once."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from annotations.intake.regions_csv import BadRegions
from annotations.models import Item, Project
from annotations.services.imported_items import ItemWriter
from annotations.services.leases import lease_items
from annotations.services.regions import RegionSummary, import_regions
from tests import factories
from tests.annotations.services.test_images import Report

HEADER = "path,x,y,width,height,label\n"
A, B = "image-0000.png", "image-0001.png"


@pytest.fixture
def scenes(db) -> Project:
    project = factories.make_project("Scenes", unit="object")
    factories.make_items(project, 2)
    return project


def run(project: Project, text: str, **options) -> tuple[RegionSummary, list[tuple[str, str, str]]]:
    report = Report()
    return import_regions(run=report, project=project, data=text.encode(), **options), report.lines


def test_boxes_become_items_once_and_are_handed_out(scenes: Project) -> None:
    text = f"{HEADER}{A},0,0,16,8,cat\n{A},8,16,24,16,\n"
    assert run(scenes, text) == (RegionSummary(n_read=2, n_new=2), [])
    assert run(scenes, text) == (RegionSummary(n_read=2, n_known=2), [])
    rows = Item.objects.order_by("ordinal").values_list("ordinal", "path", "box_x", "box_y", "box_width", "box_height")
    assert list(rows) == [
        (0, f"{A}#1", 0, 0, 0.5, 0.25),
        (1, B, None, None, None, None),
        (2, f"{A}#2", 0.25, 0.5, 0.75, 0.5),
    ]
    scenes.refresh_from_db()
    assert scenes.n_items == 3
    leases = lease_items(annotator_id=factories.make_annotator(scenes).pk, count=3)
    assert {lease.box for lease in leases} == {(0, 0, 0.5, 0.25), None, (0.25, 0.5, 0.75, 0.5)}


def test_importing_the_images_again_brings_no_whole_image_back(scenes: Project) -> None:
    run(scenes, f"{HEADER}{A},0,0,16,8,\n")
    sha256 = Item.objects.get(path=f"{A}#1").image.sha256

    class File:
        path = A

    File.sha256 = sha256
    writer = ItemWriter(scenes, [File])
    assert (writer.take(A, sha256, None), writer.save(), writer.lines) == ("n_known", 0, [])


def test_rows_that_cannot_be_are_named_and_change_nothing(scenes: Project) -> None:
    rows = [f"{A},0,0,33,8,", f"{A},0,0,0,8,", f"{A},a,0,1,8,", "no.png,0,0,1,1,", f"{A},0,0,1,1,cow"]
    summary, lines = run(scenes, HEADER + "\n".join(rows))
    assert (summary.n_refused, summary.n_new) == (5, 0)
    assert [line[2] for line in lines] == [
        "The box leaves the image, which is 32 x 32.",
        "The box has no area: width and height must be above 0.",
        "x 'a' is no number.",
        "No image of the project is called no.png: import the images first.",
        '"cow" is no class of the project: cat, dog.',
    ]
    assert not Item.objects.filter(box_width__isnull=False).exists()


def test_an_image_that_was_handed_out_whole_stays_whole(scenes: Project) -> None:
    lease_items(annotator_id=factories.make_annotator(scenes).pk, count=2)
    summary, lines = run(scenes, f"{HEADER}{A},0,0,1,1,\n")
    assert (summary.n_refused, lines[0][2][:40]) == (1, f"{A} was handed out as a whole")


def test_a_project_of_whole_images_takes_no_regions(project: Project) -> None:
    with pytest.raises(BadRegions, match="judges whole images"):
        run(project, HEADER)


def test_the_command_reads_shares(scenes: Project, tmp_path, capsys) -> None:
    file = tmp_path / "regions.csv"
    file.write_text(f"path,x,y,width,height\n{A},0.1,0.2,0.9,0.8\n")
    call_command("import_regions", scenes.slug, str(file), "--shares")
    assert capsys.readouterr().out.splitlines() == ["1 read: 1 new, 0 known, 0 refused.", "scenes"]
    assert Item.objects.get(path=f"{A}#1").box_width == 0.9

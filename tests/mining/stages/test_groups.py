"""Groups never straddle folds, whatever ties them."""

import hashlib
from io import BytesIO

import numpy as np
import polars as pl
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Picture

from annotations.models import Image, Item
from mining.artifacts import Folder
from mining.prediction_checks import PredictionsRefused
from mining.selectors import rounds as reads
from mining.services import rounds
from mining.services.groups import read_groups, store_groups
from mining.stages.groups import tied_together
from tests.mining.small_project import QUICK, make_striped_project


def test_ties_are_chained_and_numbered_by_first_appearance():
    image = np.array([5, 5, 6, 7, 8, 9])
    patient = np.array([-1, 3, 3, -1, 4, -1])
    assert tied_together([image, patient]).tolist() == [0, 0, 0, 1, 2, 3]
    assert tied_together([image]).tolist() == [0, 0, 1, 2, 3, 4]


def test_items_of_a_named_group_are_held_out_together(db):
    project, _ = make_striped_project(n_items=36, trials=False)
    items = list(project.items.order_by("ordinal"))
    patient = [f"p{place // 3}" for place in range(36)]  # one of each class
    store_groups(project=project, name="patient", paths=pl.Series([i.path for i in items]), values=pl.Series(patient))

    round_ = rounds.start_round(project=project, params={**QUICK, "groups": "patient"}, in_process=True)
    for _ in rounds.run_round_here(round_):
        pass

    folder = Folder(round_.folder)
    held = {}
    for name in Folder(f"{round_.folder}/folds").names():
        for item in folder.read_arrays(f"folds/{name}")["items"].tolist():
            held[item] = name
    assert len(held) == 36
    assert len(set(held.values())) == 3
    for start in range(0, 36, 3):
        assert len({held[start], held[start + 1], held[start + 2]}) == 1


def add_copies(project):
    """Give every image of the project a copy that differs in a pixel: other bytes, the same hash of what is seen."""
    images, items = [], []
    n_items = project.items.count()
    for item in project.items.select_related("image"):
        with default_storage.open(item.image.file) as file:
            pixels = np.array(Picture.open(file))
        pixels[0, 0] ^= 1
        buffer = BytesIO()
        Picture.fromarray(pixels).save(buffer, format="PNG")
        sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
        name = default_storage.save(f"images/{sha256}.png", ContentFile(buffer.getvalue()))
        images.append(Image(sha256=sha256, file=name, thumbnail=name, width=32, height=32, n_bytes=1))
        items.append((item, images[-1]))
    Image.objects.bulk_create(images)
    Item.objects.bulk_create(
        Item(project=project, image=image, ordinal=n_items + item.ordinal, path=f"copy/{item.path}", needed=1,
             given_id=item.given_id)
        for item, image in items
    )  # fmt: skip


@pytest.mark.parametrize(("together", "n_parted"), [(True, 0), (False, 10)])
def test_near_duplicates_never_straddle_the_held_out_test(db, together, n_parted):
    project, _ = make_striped_project(n_items=36, trials=False)
    add_copies(project)
    params = {**QUICK, "near_duplicates_together": together}
    round_ = rounds.start_round(project=project, params=params, in_process=True)
    for stage in rounds.run_round_here(round_):
        if stage.name == "comparison":
            break

    folder = Folder(round_.folder)
    split = folder.read_table("measures.parquet").sort("ordinal")["split"].to_numpy()
    assert (split[:36] != split[36:]).sum() == n_parted
    assert (split[:36] == "test").any()
    assert folder.read_table("groups.parquet")["split"].to_list() == split.tolist()


def test_groups_with_problems_are_refused_by_row(db, tmp_path):
    project, _ = make_striped_project(n_items=3, trials=False)
    (tmp_path / "g.csv").write_text("item,a,b\nnobody,1,2\n")
    with pytest.raises(PredictionsRefused, match="several columns"):
        read_groups(tmp_path / "g.csv")
    items, values, first_row = read_groups(tmp_path / "g.csv", column="b")
    with pytest.raises(PredictionsRefused, match="row 2: 'nobody' is no item of stripes"):
        store_groups(project=project, name="x", paths=items, values=values, first_row=first_row)


def test_unknown_groups_are_refused_before_anything_starts(db):
    project, _ = make_striped_project(n_items=3, trials=False)
    with pytest.raises(rounds.RoundRefused, match="No groups are called 'gone'"):
        rounds.start_round(project=project, params={"groups": "gone"})
    assert not list(reads.rounds_of(project))

"""Importing images: what is new, known, refused; twice, at once, and cut short."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from annotations.intake import store
from annotations.intake.folder import FolderReader
from annotations.intake.zip_archive import ZipReader
from annotations.models import Image, Item, ItemAlias, Project
from annotations.services import images as service
from annotations.services.images import ImportSummary, import_images
from annotations.services.projects import create_project
from tests.annotations.intake.pictures import encoded, noise


class Report:
    """What an import said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.done: list[tuple[int, int | None]] = []

    def progress(self, done: int, total: int | None = None, *, stage: str | None = None) -> None:
        self.done.append((done, total))

    def notes(self, lines: list[tuple[str, str, str]]) -> None:
        self.lines += lines


def picture(seed: int) -> bytes:
    return encoded(noise(24, 24, seed=seed))


def folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def run(project: Project, root: Path, *, labels: bool = False) -> tuple[ImportSummary, Report]:
    report = Report()
    summary = import_images(run=report, project=project, reader=FolderReader(root), labels_from_folders=labels)
    project.refresh_from_db()
    return summary, report


@pytest.fixture
def pets(db) -> Project:
    return create_project(name="Pets", classes=["cat", "dog"], overlap=2)


def test_files_become_stored_images_and_items_in_order(pets: Project, tmp_path: Path) -> None:
    root = folder(tmp_path / "in", {"b.png": picture(1), "a/c.png": picture(2), "a/.DS_Store": b"x"})
    summary, report = run(pets, root)
    assert summary == ImportSummary(n_read=2, n_new=2, n_known=0, n_refused=0, n_ignored=1)
    assert list(pets.items.values_list("ordinal", "path", "needed", "given")) == [
        (0, "a/c.png", 2, None),
        (1, "b.png", 2, None),
    ]
    assert (pets.n_items, pets.reopened) == (2, 1)
    image = pets.items.get(path="b.png").image
    assert (image.width, image.height, image.media_type) == (24, 24, "image/png")
    assert image.file == f"images/{image.sha256[:2]}/{image.sha256}.png"
    with default_storage.open(image.file) as file:
        assert file.read() == picture(1)
    assert default_storage.exists(image.thumbnail)
    assert report.done[-1] == (2, 2)
    assert report.lines == []


def test_run_twice_nothing_is_doubled_and_nothing_said(pets: Project, tmp_path: Path) -> None:
    root = folder(tmp_path / "in", {"a.png": picture(1), "b.png": picture(2)})
    run(pets, root)
    folder(root, {"c.png": picture(3)})
    summary, report = run(pets, root)
    assert (summary.n_read, summary.n_new, summary.n_known) == (3, 1, 2)
    assert list(pets.items.values_list("ordinal", "path")) == [(0, "a.png"), (1, "b.png"), (2, "c.png")]
    assert report.lines == []


def test_the_same_bytes_are_one_item_under_both_names_and_said_so(pets: Project, tmp_path: Path) -> None:
    root = folder(tmp_path / "in", {"a.png": picture(1), "b.png": picture(1)})
    summary, report = run(pets, root)
    assert (summary.n_new, summary.n_known) == (1, 1)
    assert report.lines == [("info", "b.png", "Same bytes as a.png: one item under both names.")]
    assert ItemAlias.objects.get().item.path == "a.png"
    _, again = run(pets, root)
    assert again.lines == []
    assert (Item.objects.count(), ItemAlias.objects.count(), Image.objects.count()) == (1, 1, 1)


def test_two_projects_share_the_stored_image(pets: Project, tmp_path: Path) -> None:
    other = create_project(name="Other", classes=["x"])
    root = folder(tmp_path / "in", {"a.png": picture(1)})
    run(pets, root)
    summary, _ = run(other, root)
    assert summary.n_new == 1
    assert (Image.objects.count(), other.items.get().ordinal) == (1, 0)


def test_a_bad_file_never_stops_the_rest(pets: Project, tmp_path: Path) -> None:
    root = folder(
        tmp_path / "in",
        {"a.png": picture(1), "b.png": picture(2)[:-40], "c.txt": b"hello", "d.png": b"", "e.png": picture(3)},
    )
    summary, report = run(pets, root)
    assert (summary.n_read, summary.n_new, summary.n_refused) == (5, 2, 3)
    assert [line[:2] for line in report.lines] == [("refused", "b.png"), ("refused", "c.txt"), ("refused", "d.png")]
    assert report.lines[1][2] == "Not a JPEG, PNG, WebP, GIF, BMP or TIFF image."
    assert [item.path for item in pets.items.all()] == ["a.png", "e.png"]


def test_a_broken_file_under_two_names_is_refused_twice(pets: Project, tmp_path: Path) -> None:
    summary, report = run(pets, folder(tmp_path / "in", {"a.png": b"junk", "b.png": b"junk"}))
    assert (summary.n_refused, [line[1] for line in report.lines]) == (2, ["a.png", "b.png"])


def test_folders_give_labels_and_other_folders_are_refused(pets: Project, tmp_path: Path) -> None:
    root = folder(
        tmp_path / "in",
        {"cat/a.png": picture(1), "dog/b.png": picture(2), "Dog/c.png": picture(3), "d.png": picture(4)},
    )
    summary, report = run(pets, root, labels=True)
    assert (summary.n_new, summary.n_refused) == (2, 2)
    assert list(pets.items.values_list("path", "given__name")) == [("cat/a.png", "cat"), ("dog/b.png", "dog")]
    assert report.lines[0] == ("refused", "Dog/c.png", '"Dog" is no class of the project. The classes are: cat, dog.')


def test_the_first_given_label_stays_and_a_missing_one_is_filled_in(pets: Project, tmp_path: Path) -> None:
    root = folder(tmp_path / "in", {"cat/a.png": picture(1), "dog/b.png": picture(2)})
    run(pets, root)
    assert set(pets.items.values_list("given", flat=True)) == {None}
    run(pets, root, labels=True)
    assert list(pets.items.values_list("given__name", flat=True)) == ["cat", "dog"]
    moved = folder(tmp_path / "moved", {"dog/a.png": picture(1)})
    _, report = run(pets, moved, labels=True)
    assert ("warning", "dog/a.png", "Comes as dog, but cat/a.png came as cat: cat stays.") in report.lines
    assert list(pets.items.values_list("given__name", flat=True)) == ["cat", "dog"]


def test_a_name_that_another_image_has_is_refused(pets: Project, tmp_path: Path) -> None:
    run(pets, folder(tmp_path / "one", {"a.png": picture(1)}))
    summary, report = run(pets, folder(tmp_path / "two", {"a.png": picture(2)}))
    assert (summary.n_refused, pets.n_items) == (1, 1)
    assert report.lines == [("refused", "a.png", "Another image of the project has this name: rename the file.")]


def test_batches_and_a_zip_give_the_same_as_one_folder(
    pets: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH_FILES", 3)
    names = {f"{n:02d}.png": picture(n % 8) for n in range(11)}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in names.items():
            archive.writestr(name, data)
    summary = import_images(run=Report(), project=pets, reader=ZipReader(packed))
    assert (summary.n_read, summary.n_new, summary.n_known) == (11, 8, 3)
    assert list(pets.items.values_list("ordinal", flat=True)) == list(range(8))
    assert run(pets, folder(tmp_path / "in", names))[0].n_known == 11


def test_an_import_that_was_cut_short_is_completed_by_the_next(
    pets: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH_FILES", 2)
    root = folder(tmp_path / "in", {f"{n}.png": picture(n) for n in range(6)})

    class Killed(BaseException):
        pass

    class Dying(Report):
        def progress(self, done: int, total: int | None = None, *, stage: str | None = None) -> None:
            if done >= 4:
                raise Killed

    with pytest.raises(Killed):
        import_images(run=Dying(), project=pets, reader=FolderReader(root))
    assert Item.objects.count() == 4
    summary, _ = run(pets, root)
    assert (summary.n_new, summary.n_known) == (2, 4)
    assert list(pets.items.values_list("ordinal", "path")) == [(n, f"{n}.png") for n in range(6)]
    assert pets.n_items == 6


def test_a_batch_that_fails_leaves_nothing_half_written(
    pets: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = folder(tmp_path / "in", {"a.png": picture(1)})

    def refuse(writer: object) -> int:
        raise OSError("disk full")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="disk full"):
        patch.setattr("annotations.services.imported_items.ItemWriter.save", refuse)
        run(pets, root)
    assert (Image.objects.count(), Item.objects.count()) == (0, 0)
    assert run(pets, root)[0].n_new == 1


def test_a_file_that_was_written_half_is_written_anew(pets: Project, tmp_path: Path) -> None:
    data = picture(1)
    name = "images/ab/half.png"
    path = Path(default_storage.path(name))
    path.parent.mkdir(parents=True)
    path.write_bytes(data[:10])
    with store.StoredBatch() as batch:
        batch.put(name, data)
        assert path.read_bytes() == data[:10]
        batch.settle()
    assert path.read_bytes() == data
    assert [found.name for found in path.parent.iterdir()] == ["half.png"]


def test_the_number_of_queries_does_not_grow_with_the_batch(
    pets: Project, tmp_path: Path, django_assert_max_num_queries
) -> None:
    root = folder(tmp_path / "in", {f"{n}.png": picture(n % 30) for n in range(40)})
    with django_assert_max_num_queries(22):
        run(pets, root)
    assert pets.n_items == 30


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_each_item_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = create_project(name="Pets", classes=["cat"])
    monkeypatch.setattr(service, "BATCH_FILES", 4)
    root = folder(tmp_path / "in", {f"{n:02d}.png": picture(n) for n in range(20)})
    problems: list[BaseException] = []

    def work() -> None:
        try:
            import_images(run=Report(), project=project, reader=FolderReader(root))
        except BaseException as error:
            problems.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    project.refresh_from_db()
    assert project.n_items == 20
    assert sorted(project.items.values_list("ordinal", flat=True)) == list(range(20))

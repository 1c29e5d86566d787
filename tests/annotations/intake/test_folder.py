"""Folders: order, names, and what is not followed or read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from annotations.intake.class_folders import class_of_path
from annotations.intake.folder import FolderReader
from annotations.intake.source import Refused, SourceFile, clean_path


def listed(root: Path) -> list[tuple[str, str]]:
    return [
        (entry.path, "") if isinstance(entry, SourceFile) else (entry.path, entry.reason)
        for entry in FolderReader(root)
    ]


def test_files_come_by_name_with_paths_inside_the_folder(tmp_path: Path) -> None:
    for name in ("b/2.png", "b/10.png", "a.png", "c/d/e.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    reader = FolderReader(tmp_path)
    files = [entry for entry in reader if isinstance(entry, SourceFile)]
    assert [file.path for file in files] == ["a.png", "b/10.png", "b/2.png", "c/d/e.png"]
    assert reader.count() == 4
    assert files[1].read() == b"b/10.png"


def test_system_files_are_passed_over_and_counted(tmp_path: Path) -> None:
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", ".hidden.png", "a.png"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._a.png").write_bytes(b"x")
    reader = FolderReader(tmp_path)
    assert [entry.path for entry in reader] == ["a.png"]
    assert (reader.count(), reader.n_ignored) == (1, 5)


def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    (root / "empty.png").touch()
    (root / "gone.png").symlink_to(root / "nowhere")
    (root / "link").symlink_to(outside)
    os.mkfifo(root / "pipe.png")
    (root / "two\nlines.png").write_bytes(b"x")
    (root / os.fsdecode(b"latin-\xe9.png")).write_bytes(b"x")
    assert listed(root) == [
        ("empty.png", "The file is empty."),
        ("gone.png", "It cannot be read: No such file or directory."),
        ("latin-?.png", "Its name is not valid UTF-8: rename it."),
        ("link", "A link to a folder: import that folder itself."),
        ("pipe.png", "Not a regular file."),
        ("two\ufffdlines.png", "Its name holds control characters: rename it."),
    ]
    assert FolderReader(root).count() == 6


def test_a_file_that_vanishes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (entry,) = FolderReader(tmp_path)
    (tmp_path / "a.png").unlink()
    assert isinstance(entry, SourceFile)
    with pytest.raises(Refused, match="No such file"):
        entry.read()


def test_a_path_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError, match="is no folder"):
        FolderReader(tmp_path / "nowhere")


def test_names_are_composed() -> None:
    assert clean_path("cafe\u0301//a.png") == "caf\u00e9/a.png"


@pytest.mark.parametrize(
    "path", ["../a.png", "a/../../b.png", "/etc/passwd", "C:/a.png", "a\\..\\b.png", "x" * 501, "a\0b"]
)
def test_paths_that_lead_away_are_refused(path: str) -> None:
    with pytest.raises(Refused):
        clean_path(path)


@pytest.mark.parametrize(
    ("path", "label"),
    [("cat/a.png", "cat"), ("photos/cat/a.png", "cat"), ("cat/2024/a.png", "cat"), ("cat/dog/a.png", "dog")],
)
def test_the_nearest_folder_called_like_a_class_counts(path: str, label: str) -> None:
    assert class_of_path(path, {"cat", "dog"}) == label


def test_other_folders_are_refused_with_the_classes_there_are() -> None:
    with pytest.raises(Refused, match=r'^"Cat" is no class of the project. The classes are: cat, dog.$'):
        class_of_path("Cat/a.png", {"dog", "cat"})
    with pytest.raises(Refused, match=r"^It lies in no folder"):
        class_of_path("cat.png", {"cat"})

"""Features that came from a file: what is stored of them, and where."""

from __future__ import annotations

from typing import Any

from mining.artifacts import ArtifactMissing, Folder, project_folder

FEATURE_FILE = "file"


def folder_of_file(project_id: int, sha256: str) -> Folder:
    """Return the folder in which the vectors of a file lie, in parts as described ones do."""
    return Folder(f"features/{project_id}/file-{sha256[:16]}")


def index_folder(project_id: int) -> Folder:
    return project_folder("feature_files", project_id)


def stored_feature_file(project_id: int, name: str) -> dict[str, Any] | None:
    """Return what is known of the features of that name: `sha256`, `n_items`, `dimension`, …; None where none are."""
    try:
        return dict(index_folder(project_id).read_json(f"{name}.json"))
    except ArtifactMissing:
        return None


def stored_feature_files(project_id: int) -> list[dict[str, Any]]:
    """Return all features that came from files, by name."""
    folder = index_folder(project_id)
    return [dict(folder.read_json(name)) for name in folder.names() if name.endswith(".json")]

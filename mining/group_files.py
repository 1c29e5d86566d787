"""Groups that the user named: a column of a file that says which items belong together (a patient, a video)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mining.artifacts import ArtifactMissing, Folder, project_folder

if TYPE_CHECKING:
    import polars as pl


def groups_folder(project_id: int) -> Folder:
    return project_folder("groups", project_id)


def stored_groups(project_id: int, name: str) -> pl.DataFrame | None:
    """Return the columns `item` (id) and `group` (code) of these groups; None where there are none of that name."""
    try:
        return groups_folder(project_id).read_table(f"{name}.parquet")
    except ArtifactMissing:
        return None


def names_of_groups(project_id: int) -> list[str]:
    return [name.removesuffix(".parquet") for name in groups_folder(project_id).names() if name.endswith(".parquet")]

"""Files that rounds compute: Parquet tables, JSON, arrays, in the `artifacts` storage.

Every file is replaced in one step: a reader sees the old bytes or the new ones, never half of them, also when
the writer is killed. The same content gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

if TYPE_CHECKING:
    import numpy as np
    import polars as pl


class ArtifactMissing(Exception):
    """A file that should have been computed is not there; the message says which and what to do."""


@dataclass(frozen=True)
class Folder:
    """One folder of the artifact storage. Names inside it may contain slashes."""

    name: str

    @property
    def storage(self) -> Storage:
        return storages["artifacts"]

    def full(self, name: str) -> str:
        return f"{self.name}/{name}"

    def exists(self, name: str) -> bool:
        return self.storage.exists(self.full(name))

    def names(self) -> list[str]:
        """Names of the files directly inside, sorted; unfinished ones of a killed writer left out."""
        try:
            _, files = self.storage.listdir(self.name)
        except FileNotFoundError:
            return []
        return sorted(name for name in files if not name.startswith("."))

    def delete(self, name: str) -> None:
        self.storage.delete(self.full(name))

    def local_path(self, name: str) -> Path | None:
        """Where the file lies on this machine, or None when the storage is elsewhere."""
        try:
            return Path(self.storage.path(self.full(name)))
        except NotImplementedError:  # an object store
            return None

    def write_bytes(self, name: str, content: bytes) -> str:
        """Write or replace the file in one step; return its sha256."""
        path = self.local_path(name)
        if path is None:
            self._write_elsewhere(name, content)
        else:
            _replace_file(path, content)
        return hashlib.sha256(content).hexdigest()

    def _write_elsewhere(self, name: str, content: bytes) -> None:
        """Object stores replace an object in one step; a storage that refuses to overwrite is emptied first."""
        full = self.full(name)
        if not getattr(self.storage, "file_overwrite", False) and self.storage.exists(full):
            self.storage.delete(full)
        saved = self.storage.save(full, ContentFile(content))
        if saved != full:
            self.storage.delete(saved)
            raise ArtifactMissing(f"{full} is being written by somebody else; run the stage again.")

    def read_bytes(self, name: str) -> bytes:
        try:
            with self.storage.open(self.full(name), "rb") as file:
                return bytes(file.read())
        except FileNotFoundError:
            raise ArtifactMissing(
                f"{self.full(name)} is not in the artifact storage: run the stage that writes it again."
            ) from None

    def write_json(self, name: str, content: Any) -> str:
        """Write JSON with sorted keys; NaN and infinity, which JSON does not have, become null."""
        text = json.dumps(plain(content), ensure_ascii=False, allow_nan=False, sort_keys=True, indent=1)
        return self.write_bytes(name, text.encode())

    def read_json(self, name: str) -> Any:
        return json.loads(self.read_bytes(name))

    def write_table(self, name: str, table: pl.DataFrame) -> str:
        """Write a table as Parquet."""
        buffer = io.BytesIO()
        table.write_parquet(buffer, compression="zstd", statistics=True)
        return self.write_bytes(name, buffer.getvalue())

    def read_table(self, name: str, columns: list[str] | None = None) -> pl.DataFrame:
        """Read a Parquet table, or only some of its columns."""
        import polars as pl

        path = self.local_path(name)
        if path is not None:
            if not path.exists():
                raise ArtifactMissing(f"{self.full(name)} is not there: run the stage that writes it again.")
            # Not mapped into memory: a stage that runs again replaces the file under a reader.
            return pl.read_parquet(path, columns=columns, memory_map=False)
        return pl.read_parquet(io.BytesIO(self.read_bytes(name)), columns=columns)

    def scan_table(self, name: str) -> pl.LazyFrame:
        """Open a Parquet table lazily: only the rows and columns that are asked for are read."""
        import polars as pl

        path = self.local_path(name)
        if path is not None:
            if not path.exists():
                raise ArtifactMissing(f"{self.full(name)} is not there: run the stage that writes it again.")
            return pl.scan_parquet(path)
        return pl.scan_parquet(io.BytesIO(self.read_bytes(name)))

    def write_arrays(self, name: str, arrays: Mapping[str, np.ndarray]) -> str:
        """Write named arrays as one NPZ file."""
        import numpy as np

        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return self.write_bytes(name, buffer.getvalue())

    def read_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Read every array of an NPZ file."""
        import numpy as np

        with np.load(io.BytesIO(self.read_bytes(name)), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}

    def sha256(self, name: str) -> str:
        return hashlib.sha256(self.read_bytes(name)).hexdigest()


def plain(value: Any) -> Any:
    """Return the value as JSON can hold it: numpy numbers as numbers, NaN and infinity as None."""
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if value - value == 0.0 else None
    return value


def _replace_file(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def project_folder(kind: str, project_id: int) -> Folder:
    """Return the folder of what all rounds of a project share: `features` or `predictions`."""
    return Folder(f"{kind}/{project_id}")

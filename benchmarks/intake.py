"""Images a second through the whole intake, beside a bare loop of Pillow's verify and thumbnail.

Run: python benchmarks/intake.py [--images 3000] [--width 640]
Makes JPEG files in a temporary folder, imports them into a fresh SQLite database there, and prints images a second,
processor time an image, and the highest memory of the process, for a third of the images and for all (flat memory:
the two agree).
"""

from __future__ import annotations

import argparse
import io
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image


def make_files(folder: Path, n: int, width: int) -> None:
    """Write `n` different photographs-like JPEG files."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (width // 8, width // 6, 3), dtype=np.uint8))
    base = np.asarray(smooth.resize((width, width * 3 // 4), Image.Resampling.BICUBIC)).copy()
    for index in range(n):
        base[:8, :8] = rng.integers(0, 256, (8, 8, 3))
        sub = folder / f"{index // 1000:03d}"
        sub.mkdir(exist_ok=True)
        Image.fromarray(base).save(sub / f"{index:06d}.jpg", quality=85)


def bare_loop(folder: Path) -> tuple[float, float]:
    """Return images a second and processor ms an image of Pillow alone: verify, decode, thumbnail, save in memory."""
    started, worked = time.perf_counter(), time.process_time()
    n = 0
    for path in sorted(folder.rglob("*.jpg")):
        data = path.read_bytes()
        Image.open(io.BytesIO(data)).verify()
        image = Image.open(io.BytesIO(data))
        image.thumbnail((256, 256))
        image.save(io.BytesIO(), "JPEG", quality=85)
        n += 1
    return n / (time.perf_counter() - started), (time.process_time() - worked) / n * 1000


class Quiet:
    """A run that nobody watches."""

    def progress(self, done: int, total: int | None = None, *, stage: str | None = None) -> None: ...

    def notes(self, lines: list[tuple[str, str, str]]) -> None: ...


def peak_mib() -> float:
    """Return the highest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=3000)
    parser.add_argument("--width", type=int, default=640)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hardness-intake-") as scratch:
        os.environ |= {
            "HARDNESS_DATA_DIR": f"{scratch}/data",
            "DJANGO_SETTINGS_MODULE": "hardness_site.settings.embedded",
        }
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        import django

        django.setup()
        from django.core.management import call_command

        from annotations.intake.folder import FolderReader
        from annotations.services.images import import_images
        from annotations.services.projects import create_project

        call_command("migrate", verbosity=0)
        small, large = Path(scratch) / "small", Path(scratch) / "large"
        for folder, n in ((small, options.images // 3), (large, options.images)):
            folder.mkdir()
            make_files(folder, n, options.width)
        bare, bare_ms = bare_loop(large)
        print(f"{'bare loop':18} {bare:6.0f} images/s {bare_ms:6.2f} ms of processor an image")
        for name, folder in (("a third", small), ("all", large), ("all, run again", large)):
            project = create_project(name=name if "again" not in name else "again", classes=["a"])
            if "again" in name:
                project = type(project).objects.get(name="all")
            started, worked = time.perf_counter(), time.process_time()
            summary = import_images(run=Quiet(), project=project, reader=FolderReader(folder))
            speed = summary.n_read / (time.perf_counter() - started)
            used_ms = (time.process_time() - worked) / summary.n_read * 1000
            print(
                f"{name:18} {speed:6.0f} images/s {used_ms:6.2f} ms of processor an image; "
                f"{speed / bare:.2f} of the bare loop; {summary.n_new} new, peak {peak_mib():.0f} MiB"
            )


if __name__ == "__main__":
    main()

"""What an outside trainer waits for, and what that costs the web process, for a round of a million items.

Writes the files of a round and the rows of a hard set of 10,000, then has each thing sent by the API's own views, each
in a process of its own, to its last byte: seconds to the first line and to the last, items a second, and what the
process needs above its memory at rest. Beside the stream stands the rival: the whole table in memory, one json.dumps a
row.

    python benchmarks/trainer_manifest.py
    python benchmarks/trainer_manifest.py --items 20000 --members 1000
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

ROOT = Path(__file__).resolve().parents[1]
N_CLASSES = 10
NAMES = {
    "stream": "manifest, one stream", "rival": "rival: json.dumps a row", "pages": "manifest, pages of 5,000",
    "csv": "weights, CSV", "parquet": "weights, Parquet", "npz": "weights, NPZ",
}  # fmt: skip


def start(folder: Path) -> None:
    os.environ["HARDNESS_DATA_DIR"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "hardness_site.settings.embedded"
    sys.path.insert(0, str(ROOT))
    import django
    from django.conf import settings
    from django.core.management import call_command

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.ALLOWED_HOSTS = ["testserver"]
    django.setup()
    call_command("migrate", verbosity=0)


def make(n_items: int, n_members: int) -> None:
    """Write the round's files, and rows for the members only: nothing reads those of other items."""
    from django.contrib.auth.models import User

    from annotations.models import Image, Item, Membership, Project
    from mining.artifacts import Folder
    from mining.models import HardSet, HardSetMember, Round

    rng = np.random.default_rng(0)
    project = Project.objects.create(slug="large", name="Large", n_items=n_items)
    user = User.objects.create_user("manager")
    Membership.objects.create(project=project, user=user, role="manager")
    round_ = Round.objects.create(project=project, number=1, status="succeeded", folder="rounds/1/1")
    folder = Folder(round_.folder)
    folder.write_json("snapshot.json", {"classes": [{"name": f"class {i}"} for i in range(N_CLASSES)]})
    sha256 = [hashlib.sha256(str(i).encode()).hexdigest() for i in range(n_items)]
    path = [f"images/{i // 1000:04d}/{i:07d}.jpg" for i in range(n_items)]
    code = rng.integers(0, N_CLASSES, n_items).astype(np.int16)
    measures = {
        "item": np.arange(1, n_items + 1), "ordinal": np.arange(n_items, dtype=np.int32), "path": path, "label": code,
        "label_from": ["people"] * n_items, "label_confidence": rng.uniform(0.5, 1, n_items),
        "split": np.where(rng.random(n_items) < 0.2, "test", "train"),
        # A round's table is wider than what the manifest reads.
        **{f"hog_svm.measure_{i}": rng.normal(size=n_items) for i in range(20)},
    }  # fmt: skip
    folder.write_table("measures.parquet", pl.DataFrame(measures))
    boxes = {
        name: pl.Series([None] * n_items, dtype=pl.Float64) for name in ("box_x", "box_y", "box_width", "box_height")
    }
    folder.write_table("items.parquet", pl.DataFrame({"item": measures["item"], "sha256": sha256, **boxes}))
    chosen = np.sort(rng.choice(n_items, n_members, replace=False))
    images = Image.objects.bulk_create(
        (Image(pk=int(i) + 1, sha256=sha256[i], file="x", thumbnail="x", media_type="image/png", width=8, height=8,
               n_bytes=1) for i in chosen), batch_size=5000,
    )  # fmt: skip
    items = Item.objects.bulk_create(
        (Item(pk=image.pk, project=project, image=image, ordinal=image.pk - 1, path=path[image.pk - 1], needed=3)
         for image in images), batch_size=5000,
    )  # fmt: skip
    hard_set = HardSet.objects.create(round=round_, strategy="suspicious", sha256="0" * 64, n_members=n_members)
    HardSetMember.objects.bulk_create(
        (HardSetMember(hard_set=hard_set, item=item, rank=rank, score=1 / rank, verdict="blind_spot",
                       reason="the model says class 3 with p .41") for rank, item in enumerate(items, 1)),
        batch_size=5000,
    )  # fmt: skip


def ask(what: str) -> dict[str, float]:
    """Have one thing sent; return seconds to the first and the last piece, bytes, and memory above rest in MB."""
    from django.contrib.auth.models import User
    from django.test import Client

    from mining.models import HardSet

    client = Client()
    client.force_login(User.objects.get(), backend="django.contrib.auth.backends.ModelBackend")
    hard_set = HardSet.objects.get()
    at = f"/api/v1/projects/large/hard-sets/{hard_set.pk}/"
    assert client.get("/api/v1/projects/large/hard-sets/").status_code == 200  # everything is imported, no file read
    at_rest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began, first, n_bytes = time.perf_counter(), 0.0, 0
    for piece in rival(hard_set) if what == "rival" else pieces(client, at, what):
        first = first or time.perf_counter() - began
        n_bytes += len(piece)
    total = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"first_s": first, "total_s": total, "megabytes": n_bytes / 1e6, "memory_mb": (peak - at_rest) / 1024}


def pieces(client, at: str, what: str):
    if what == "pages":
        address = f"{at}manifest?limit=5000"
        while address:
            response = client.get(address)
            assert response.status_code in (200, 429), response.content
            if response.status_code == 429:  # the limit of the API counts here too
                time.sleep(int(response["Retry-After"]))
                continue
            yield response.content
            address = json.loads(response.content)["next"]
        return
    response = client.get(f"{at}manifest?format=ndjson" if what == "stream" else f"{at}weights?format={what}")
    assert response.status_code == 200
    yield from response.streaming_content


def rival(hard_set):
    """Send the same lines the plain way: everything read at once, a dictionary and a json.dumps a row."""
    from mining.selectors.manifest import Manifest

    found = Manifest(hard_set)
    for row in found.page(0, found.n_rows).to_dicts():
        yield json.dumps(row, ensure_ascii=False).encode() + b"\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--members", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--ask", choices=NAMES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        start(given.folder)
        print(json.dumps(ask(given.ask)))
        return
    with tempfile.TemporaryDirectory(prefix="manifest-") as folder:
        start(Path(folder))
        make(given.items, given.members)
        print(f"{given.items:,} items, {given.members:,} of them in the hard set")
        print(f"{'':<28}{'first':>9}{'last':>9}{'items/s':>11}{'size':>9}{'memory':>10}")
        found = {what: measured(what, folder) for what in NAMES}
    for what, figures in found.items():
        print(
            f"{NAMES[what]:<28}{figures['first_s']:>7.2f} s{figures['total_s']:>7.2f} s"
            f"{given.items / figures['total_s']:>11,.0f}{figures['megabytes']:>6.0f} MB{figures['memory_mb']:>7.0f} MB"
        )
    stream, plain = found["stream"], found["rival"]
    print(
        f"The stream is {plain['total_s'] / stream['total_s']:.1f} x as fast as its rival, with "
        f"{stream['memory_mb'] / max(plain['memory_mb'], 1):.2f} x the memory."
    )


def measured(what: str, folder: str) -> dict[str, float]:
    words = [sys.executable, __file__, "--ask", what, "--folder", folder]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()

"""What this machine gives to the feature stage when nothing is queued, claimed or reported.

For the newest round of the site in HARDNESS_DATA_DIR: so many processes, started and loaded before the clock, take the
same parts of the same images from one shared counter and describe them, writing the same files; then each computes HOG
of images that are in memory already, the kernel and nothing else. What two processes gain over one in this is the
physical limit of what two workers can gain: two threads of one core do not make two cores. `round_pipeline` runs it
beside the stage.

    HARDNESS_DATA_DIR=var DJANGO_SETTINGS_MODULE=hardness_site.settings.embedded python -m benchmarks.feature_limit 2
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from typing import Any

KERNEL_PIXELS, KERNEL_TURNS = 1 << 19, 60


def describe_parts(shared: Any, barrier: Any, answers: Any) -> None:
    import django

    django.setup()
    import numpy as np

    from mining.artifacts import Folder
    from mining.describers import describer_of
    from mining.feature_parts import describe_part, part_sizes
    from mining.learners.hog import hog_features
    from mining.models import Round
    from mining.stages.features import PLAN_COLUMNS, WORDS, regions_of

    round_ = Round.objects.latest("pk")
    folder = Folder(round_.folder)
    settings = folder.read_json("features.json")["settings"]
    regions = regions_of(folder.read_table("items.parquet")).sort(WORDS).select(PLAN_COLUMNS)
    sizes = part_sizes(len(regions))
    starts, n_parts = np.cumsum([0, *sizes]).tolist(), len(sizes)
    pixels = np.random.default_rng(0).integers(
        0, 256, (KERNEL_PIXELS // settings["size"] ** 2, *[settings["size"]] * 2)
    )
    images = pixels.astype(np.uint8)
    hog_features(images)
    with describer_of(settings) as describer:
        describe_part(Folder("limit-warm"), regions[:8], describer)
        barrier.wait()
        began = time.perf_counter()
        while (part := _next(shared)) < n_parts:
            describe_part(Folder("limit"), regions.slice(starts[part], sizes[part]), describer)
        described = time.perf_counter()
    barrier.wait()
    kernel_began = time.perf_counter()
    while _next(shared) < n_parts + barrier.parties + KERNEL_TURNS:
        hog_features(images)
    answers.put((began, described, kernel_began, time.perf_counter()))


def _next(shared: Any) -> int:
    with shared.get_lock():
        shared.value += 1
        return int(shared.value) - 1


def main() -> None:
    n = int(sys.argv[1])
    context = multiprocessing.get_context("spawn")
    shared, barrier, answers = context.Value("q", 0), context.Barrier(n), context.Queue()
    processes = [context.Process(target=describe_parts, args=(shared, barrier, answers)) for _ in range(n)]
    for process in processes:
        process.start()
    times = [answers.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    began, described, kernel_began, ended = zip(*times, strict=True)
    # The clock of all processes is one: from the first that began to the last that ended.
    print(json.dumps({"parts": max(described) - min(began), "kernel": max(ended) - min(kernel_began)}))


if __name__ == "__main__":
    main()

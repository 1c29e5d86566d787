"""All probability measures at a million items, beside cleanlab; HOG of a batch, beside a loop over scikit-image's.

Run: OMP_NUM_THREADS=1 python -m benchmarks.model_measures
"""

import time
import tracemalloc

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from scipy.ndimage import gaussian_filter
from skimage.feature import hog

from mining.hardness.registry import compute_measures
from mining.learners.hog import hog_features


def seconds(work, repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def measures() -> None:
    generator = np.random.default_rng(0)
    for n_items, n_classes in ((1_000_000, 10), (50_000, 1000)):
        probabilities = generator.dirichlet(np.full(n_classes, 0.3), size=n_items)
        given = generator.integers(0, n_classes, n_items)
        ours = seconds(lambda p=probabilities, y=given: compute_measures(p, y))
        tracemalloc.start()
        compute_measures(probabilities, given)
        extra = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()

        def theirs(p=probabilities, y=given):
            get_label_quality_scores(y, p)
            find_label_issues(y, p, n_jobs=1)

        print(
            f"{n_items} x {n_classes}: nine measures {ours:.3f} s, cleanlab's two calls {seconds(theirs, 2):.3f} s; "
            f"extra memory {extra / 1e6:.0f} MB, probabilities {probabilities.nbytes / 1e6:.0f} MB"
        )


def batch_hog() -> None:
    generator = np.random.default_rng(0)
    for shape, cell in (((600, 64, 64), 8), ((1500, 32, 32), 8), ((600, 32, 32), 4)):
        smooth = gaussian_filter(generator.random(shape), (0, 2, 2))
        smooth = (smooth - smooth.min()) / np.ptp(smooth)
        for images in ((smooth * 255).astype(np.uint8), smooth):
            started = time.perf_counter()
            loop = [hog(image, pixels_per_cell=(cell, cell), cells_per_block=(2, 2)) for image in images]
            one_by_one = time.perf_counter() - started
            batch = hog_features(images, pixels_per_cell=(cell, cell))
            at_once = seconds(lambda i=images, c=cell: hog_features(i, pixels_per_cell=(c, c)))
            print(
                f"HOG of {shape[0]} {images.dtype} images of {shape[2]} x {shape[1]}, cells of {cell}: at once "
                f"{at_once:.3f} s, "
                f"loop {one_by_one:.3f} s ({one_by_one / at_once:.1f} x), differ by at most "
                f"{np.abs(batch - loop).max():.1e}"
            )


if __name__ == "__main__":
    measures()
    batch_hog()

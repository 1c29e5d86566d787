"""Hard negative mining on real photographs: faces against windows of scikit-image's own pictures.

The faces of `lfw_subset` (25 x 25) are split in half; photographs without people are split into those that are
mined and those that are only tested on. Prints false positive rates per window at threshold 0 and misses, before
and after each round, beside a control with as many random windows and a detector that saw everything; writes the
DET curves where `--plot FILE` is given (.png, .svg or .html).

Run: python -m benchmarks.mining_faces [--plot det.png]
"""

import argparse
import time

import numpy as np
from skimage import data
from skimage.color import rgb2gray
from skimage.feature import hog

from mining.learners.hog import hog_features
from mining.strategies.detection.det_curve import det_curve
from mining.strategies.detection.negative_mining import MiningSettings, mine_negatives, random_windows, train_detector
from mining.strategies.detection.scan import Window, make_level, score_level

MINED = ("camera", "coffee", "cat", "brick", "gravel", "page", "clock", "hubble_deep_field")
TESTED = ("rocket", "moon", "grass", "coins", "text", "immunohistochemistry")
WINDOW = Window(25, 25)
N_TEST = 20_000


def photographs(names: tuple[str, ...]) -> list[np.ndarray]:
    found = []
    for name in names:
        picture = getattr(data, name)()
        found.append(rgb2gray(picture) if picture.ndim == 3 else picture / 255.0)
    return found


def scan_speed() -> None:
    image = data.camera() / 255.0
    weights = np.random.default_rng(0).normal(size=WINDOW.n_features)
    started = time.perf_counter()
    level = make_level(image, WINDOW)
    scores = score_level(level, WINDOW, weights, 0.0)
    at_once = time.perf_counter() - started
    places = np.random.default_rng(1).integers(0, level.rows, (400, 2))
    started = time.perf_counter()
    alone = [
        hog(image[r * 5 : r * 5 + 25, c * 5 : c * 5 + 25], pixels_per_cell=(5, 5), cells_per_block=(2, 2)) @ weights
        for r, c in places
    ]
    each = (time.perf_counter() - started) / len(places) * scores.size
    worst = np.abs(scores[places[:, 0], places[:, 1]] - alone).max()
    print(
        f"scan of 512 x 512, {scores.size} windows: at once {at_once:.3f} s, one by one {each:.2f} s "
        f"({each / at_once:.1f} x), scores differ by at most {worst:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plot", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    scan_speed()
    faces = hog_features(data.lfw_subset()[:100], pixels_per_cell=(5, 5))
    order = np.random.default_rng(0).permutation(100)
    train, test = faces[order[:50]], faces[order[50:]]
    mined, tested = photographs(MINED), photographs(TESTED)
    test_windows, _ = random_windows(tested, WINDOW, N_TEST, seed=1)
    started = time.perf_counter()
    result = mine_negatives(train, mined, WINDOW, settings=MiningSettings(rounds=options.rounds))
    print(
        f"mined {result.rounds[0].n_windows} windows a round, {len(result.rounds)} rounds: "
        f"{time.perf_counter() - started:.1f} s"
    )
    everything, _ = random_windows(mined, WINDOW, 40_000, seed=3)
    detectors = {"random negatives": result.first}
    for turn in result.rounds[1:]:
        detectors[f"after round {turn.number - 1}"] = turn.detector
    detectors[f"after round {len(result.rounds)}"] = result.detector
    control, _ = random_windows(mined, WINDOW, len(result.negatives), seed=2)
    detectors["random control, same size"] = train_detector(train, control, WINDOW)
    detectors["40,000 windows"] = train_detector(train, everything, WINDOW)
    for turn in result.rounds:
        print(
            f"round {turn.number}: {turn.n_false_positives} false positives, {turn.n_new} new, "
            f"{turn.n_negatives} negatives"
        )
    curves = {}
    for name, detector in detectors.items():
        false, found = detector.scores(test_windows), detector.scores(test)
        seen = detector.scores(everything)
        curves[name] = det_curve(found, false)
        print(
            f"{name:28s} false positives: other photographs {np.mean(false >= 0):.5f}, "
            f"mined ones {np.mean(seen >= 0):.5f}; "
            f"missed {np.mean(found < 0):.3f}; missed at 1e-3: {curves[name].miss_rate_at(1e-3):.3f}"
        )
    if options.plot:
        plot(curves, options.plot)


def plot(curves: dict, path: str) -> None:
    import altair as alt
    import polars as pl

    rows = [
        {"detector": name, "false positives per window": float(false), "miss rate": float(missed)}
        for name, curve in curves.items()
        for false, missed in zip(curve.false_positive_rate, curve.miss_rate, strict=True)
        if false > 0
    ]
    axes = {"x": alt.X("false positives per window:Q", scale=alt.Scale(type="log")), "y": "miss rate:Q"}
    alt.Chart(pl.DataFrame(rows)).mark_line(interpolate="step-after").encode(**axes, color="detector:N").save(path)


if __name__ == "__main__":
    main()

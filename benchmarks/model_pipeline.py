"""10,000 images of 32 x 32 in ten classes, from pixels to finished measures, beside a bare scikit-learn script.

The bare side uses LinearSVC as it comes. The images are scikit-learn's digits, scaled up, shifted and with noise. Both
sides do the same mathematics: HOG, a linear SVM whose out-of-fold distances are calibrated once, and logistic
regression, five folds each; then the measures (beside it: cleanlab's scores).

Run: OMP_NUM_THREADS=1 python -m benchmarks.model_pipeline
"""

import time

import numpy as np
from cleanlab.rank import get_label_quality_scores
from skimage.feature import hog
from skimage.transform import resize
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from mining.hardness.neighbours import instance_hardness
from mining.hardness.registry import compute_measures
from mining.learners.calibration import SigmoidCalibration
from mining.learners.catalogue import get_learner
from mining.learners.features import FeatureSettings, describe_images
from mining.learners.out_of_fold import out_of_fold_probabilities

N_IMAGES, N_FOLDS = 10_000, 5


def pictures() -> tuple[np.ndarray, np.ndarray]:
    digits = load_digits()
    generator = np.random.default_rng(0)
    chosen = generator.integers(0, len(digits.target), N_IMAGES)
    large = np.stack([resize(image / 16.0, (32, 32), order=1) for image in digits.images])[chosen]
    shifted = [np.roll(image, generator.integers(-3, 4, 2), (0, 1)) for image in large]
    noisy = np.clip(np.stack(shifted) + generator.normal(0, 0.15, large.shape), 0, 1)
    return (noisy * 255).astype(np.uint8), digits.target[chosen]


def ours(images: np.ndarray, given: np.ndarray) -> dict[str, float]:
    times, clock = {}, time.perf_counter()
    features = describe_images(images, FeatureSettings(size=32))
    times["features"], clock = time.perf_counter() - clock, time.perf_counter()
    committee = []
    for name in ("hog_svm", "logistic"):
        judged = out_of_fold_probabilities(get_learner(name), features, given, n_classes=10, folds=N_FOLDS)
        committee.append(judged.probabilities)
        times[name], clock = time.perf_counter() - clock, time.perf_counter()
        print(f"  {name}: accuracy {(judged.probabilities.argmax(axis=1) == given).mean():.4f}")
    for probabilities in committee:
        compute_measures(probabilities, given)
    instance_hardness(committee, given)
    times["measures"] = time.perf_counter() - clock
    return times


def bare(images: np.ndarray, given: np.ndarray) -> dict[str, float]:
    times, clock = {}, time.perf_counter()
    features = np.stack([hog(image, pixels_per_cell=(8, 8), cells_per_block=(2, 2)) for image in images]).astype(
        np.float32
    )
    times["features"], clock = time.perf_counter() - clock, time.perf_counter()
    folds = list(StratifiedKFold(N_FOLDS, shuffle=True, random_state=0).split(features, given))
    distances = np.empty((len(given), 10))
    for train, test in folds:
        distances[test] = (
            LinearSVC(C=0.1, max_iter=2000, random_state=0)
            .fit(features[train], given[train])
            .decision_function(features[test])
        )
    probabilities = np.empty((len(given), 10))
    for train, test in folds:
        probabilities[test] = SigmoidCalibration.fitted(distances[train], given[train]).probabilities(distances[test])
    times["hog_svm"], clock = time.perf_counter() - clock, time.perf_counter()
    others = np.empty((len(given), 10))
    for train, test in folds:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300)).fit(
            features[train], given[train]
        )
        others[test] = model.predict_proba(features[test])
    times["logistic"], clock = time.perf_counter() - clock, time.perf_counter()
    for found in (probabilities, others):
        get_label_quality_scores(given, found / found.sum(axis=1, keepdims=True))
    times["measures"] = time.perf_counter() - clock
    return times


def main() -> None:
    images, given = pictures()
    sides = {"this package": ours(images, given), "bare script": bare(images, given)}
    for name, times in sides.items():
        print(
            f"{name:13s}",
            ", ".join(f"{stage} {took:.2f} s" for stage, took in times.items()),
            f"= {sum(times.values()):.2f} s",
        )
    print(f"ratio {sum(sides['this package'].values()) / sum(sides['bare script'].values()):.2f}")


if __name__ == "__main__":
    main()

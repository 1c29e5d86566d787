"""Digits: accuracy out of fold, calibration, and planted label errors found, beside bare scikit-learn in the same run.

The learners are this product's as they come; bare is scikit-learn's own estimator through `cross_val_predict`. The
expected accuracies were measured once with scikit-learn alone (tolerance .005). Calibration: expected calibration
error, 15 bins of the probability of the likeliest class. Planted errors: 5 % of the labels are changed, ten times;
printed is how well a measure tells them from the others (AUROC, limit .995 for the surprise measures).

Run: OMP_NUM_THREADS=1 python -m benchmarks.model_digits
"""

from __future__ import annotations

import statistics
import time

import numpy as np
from cleanlab.rank import get_label_quality_scores
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from mining.hardness.neighbours import kdn
from mining.hardness.registry import compute_measures
from mining.learners.catalogue import get_learner
from mining.learners.hog import hog_features
from mining.learners.out_of_fold import out_of_fold_probabilities

N_CLASSES, N_SEEDS, PLANTED = 10, 10, 0.05
EXPECTED = {"logistic": 0.967, "knn": 0.986, "random_forest": 0.977, "hog_svm": 0.953}
BARE = {
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)),
    "knn": KNeighborsClassifier(5),
    "random_forest": RandomForestClassifier(300, random_state=0),
    "hog_svm": LinearSVC(),
}
SURPRISE, AMBIGUITY = ("loss", "normalized_margin", "el2n"), ("least_confidence", "margin", "entropy")


def calibration_error(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Mean distance between confidence and accuracy over 15 bins of the likeliest class's probability."""
    confidence = probabilities.max(axis=1)
    place = np.minimum((confidence * 15).astype(int), 14)
    gaps = [abs(confidence[place == b].mean() - right[place == b].mean()) * (place == b).mean() for b in set(place)]
    return float(sum(gaps))


def compare_learners(digits, features: dict[str, np.ndarray]) -> None:
    """Print accuracy, calibration and time of each learner beside the bare estimator."""
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for name, expected in EXPECTED.items():
        began = time.perf_counter()
        judged = out_of_fold_probabilities(get_learner(name), features[name], digits.target, n_classes=N_CLASSES)
        ours = time.perf_counter() - began
        right = judged.probabilities.argmax(axis=1) == digits.target
        began = time.perf_counter()
        bare = (cross_val_predict(BARE[name], features[name], digits.target, cv=folds) == digits.target).mean()
        theirs = time.perf_counter() - began
        print(
            f"{name:<14} accuracy {right.mean():.4f} (expected {expected} +- .005; bare {bare:.4f}), "
            f"calibration error {calibration_error(judged.probabilities, right):.4f}, "
            f"{ours:.2f} s with calibration, bare without {theirs:.2f} s: {ours / theirs:.2f} x"
        )


def find_planted(digits) -> None:
    """Print how well each measure finds planted label errors, least and median of ten."""
    found: dict[str, list[float]] = {}
    for seed in range(N_SEEDS):
        generator = np.random.default_rng(seed)
        wrong = np.zeros(len(digits.target), dtype=bool)
        wrong[generator.choice(len(wrong), int(len(wrong) * PLANTED), replace=False)] = True
        given = np.where(wrong, (digits.target + generator.integers(1, 10, len(wrong))) % 10, digits.target)
        judged = out_of_fold_probabilities(get_learner("logistic"), digits.data, given, n_classes=N_CLASSES)
        scores = dict(compute_measures(judged.probabilities, given))
        scores["kdn"] = kdn(digits.data, given)
        scores["cleanlab"] = -get_label_quality_scores(given, judged.probabilities)
        for name in (*SURPRISE, "kdn", "cleanlab", *AMBIGUITY):
            found.setdefault(name, []).append(roc_auc_score(wrong, scores[name]))
    for name, values in found.items():
        note = "limit .995" if name in (*SURPRISE, "kdn") else "a rival" if name == "cleanlab" else "not its task: .5"
        print(f"{name:<18} AUROC {statistics.median(values):.4f}, least {min(values):.4f} of {N_SEEDS} ({note})")


def main() -> None:
    """Print all."""
    digits = load_digits()
    hog = hog_features(digits.images, pixels_per_cell=(2, 2), cells_per_block=(1, 1))
    compare_learners(digits, {name: hog if name == "hog_svm" else digits.data for name in EXPECTED})
    find_planted(digits)


if __name__ == "__main__":
    main()

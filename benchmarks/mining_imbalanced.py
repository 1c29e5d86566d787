"""Online strategies and the imbalance family on an imbalanced set made from digits (five classes keep one item in
fifty), ten seeds, side by side. Online strategies train a softmax head and are held against uniform training; the
imbalance family trains logistic regression and is held against it as it is, and against as much of the same at random.

Run: OMP_NUM_THREADS=1 python -m benchmarks.mining_imbalanced
"""

import numpy as np
from sklearn.datasets import load_digits

from mining.learners.catalogue import get_learner
from mining.learners.softmax_head import HeadSettings
from mining.strategies.balance import BALANCE_STRATEGIES, balance_experiment
from mining.strategies.online.training import ONLINE_STRATEGIES, train_online
from mining.strategies.quality import recall_by_class
from mining.strategies.retraining import paired_difference

N_SEEDS, RATIO = 10, 50


def out_of_fold_loss(features: np.ndarray, truth: np.ndarray, seed: int) -> np.ndarray:
    """Return the loss of every item by a head trained on the other half of each class: what the curriculum goes by."""
    loss = np.zeros(len(truth))
    place = np.arange(len(truth)) % 2
    for half in (0, 1):
        head = train_online("uniform", features[place != half], truth[place != half], n_classes=10, seed=seed)
        belief = head.probabilities(features[place == half])
        loss[place == half] = -np.log(np.maximum(belief[np.arange(len(belief)), truth[place == half]], 1e-12))
    return loss


def unequal(truth: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Return the rows to train on: all that are left of five classes, one in fifty of the others."""
    generator = np.random.default_rng(seed)
    kept = []
    for code in range(10):
        rows = generator.permutation(np.flatnonzero(~test & (truth == code)))
        kept.append(rows if code < 5 else rows[: max(2, len(rows) // RATIO)])
    return np.concatenate(kept)


def over_seeds(values: list[float]) -> str:
    """Return the mean with its 95 % bootstrap interval over seeds."""
    means = np.random.default_rng(0).choice(values, (1000, len(values))).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return f"{np.mean(values):.3f} ({low:.3f} to {high:.3f})"


def balanced(features: np.ndarray, truth: np.ndarray, test: np.ndarray) -> None:
    print(f"logistic regression and the imbalance family, 1:{RATIO}, {N_SEEDS} seeds")
    for name in BALANCE_STRATEGIES:
        found = []
        for seed in range(N_SEEDS):
            train = np.isin(np.arange(len(truth)), unequal(truth, test, seed))
            found.append(
                balance_experiment(
                    name, features, truth, train=train, heldout=test, learner=get_learner("logistic"), n_classes=10,
                    seeds=(seed,),
                )
            )  # fmt: skip
        for arm, title in (("baseline", "as it is"), ("hard_set", name), ("random_control", "as much at random")):
            if arm == "baseline" and name != next(iter(BALANCE_STRATEGIES)):
                continue
            arms = [one.arms[arm] for one in found]
            print(
                f"  {title:20s} accuracy {over_seeds([one.accuracy for one in arms])}, "
                f"mean recall {over_seeds([one.mean_recall for one in arms])}, "
                f"worst class {over_seeds([one.worst_recall for one in arms])}"
            )
        gain, control = ([getattr(one, f"hard_minus_{arm}").value for one in found] for arm in ("baseline", "control"))
        print(f"    mean recall gained: {over_seeds(gain)}, against as much at random {over_seeds(control)}")


def main() -> None:
    digits = load_digits()
    features, truth = digits.data, digits.target
    test = np.random.default_rng(99).random(len(truth)) < 0.3
    balanced(features, truth, test)
    for hidden in (0, 64):
        right: dict[str, list[np.ndarray]] = {name: [] for name in ONLINE_STRATEGIES}
        worst: dict[str, list[float]] = {name: [] for name in ONLINE_STRATEGIES}
        for seed in range(N_SEEDS):
            train = unequal(truth, test, seed)
            difficulty = out_of_fold_loss(features[train], truth[train], seed)
            for name in ONLINE_STRATEGIES:
                settings = HeadSettings(hidden=hidden, epochs=40)
                head = train_online(
                    name,
                    features[train],
                    truth[train],
                    n_classes=10,
                    settings=settings,
                    seed=seed,
                    difficulty=difficulty,
                )
                hit = head.probabilities(features[test]).argmax(axis=1) == truth[test]
                right[name].append(hit.astype(float))
                worst[name].append(float(np.nanmin(recall_by_class(hit, truth[test], 10))))
        print(f"{'softmax-linear' if hidden == 0 else f'one hidden layer of {hidden}'}, 1:{RATIO}, {N_SEEDS} seeds")
        for name in ONLINE_STRATEGIES:
            gain = paired_difference(np.stack(right[name]), np.stack(right["uniform"]), n_resamples=1000)
            print(
                f"  {name:20s} accuracy {np.mean(right[name]):.3f} (against uniform {gain.value:+.3f}, "
                f"{gain.low:+.3f} to {gain.high:+.3f}), "
                f"worst class {over_seeds(worst[name])}"
            )


if __name__ == "__main__":
    main()

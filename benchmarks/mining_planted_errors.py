"""Digits with planted label errors: what mining does to accuracy, with and without the noise gate.

0, 5, 10 and 20 % of the training labels are wrong. Five ways to train, judged on a clean held-out test, ten seeds:
- baseline: as it is;
- plain rule: items with p_y <= .5 weigh five times;
- random control: as many random items weigh five times;
- gate: of those items only what the noise gate lets through weighs five times (nobody was asked, so it stops every
surprise);
- gate, people asked: the stopped items are sent to three simulated people, each right 95 % of the time, and their
majority is taken.

Run: OMP_NUM_THREADS=1 python -m benchmarks.mining_planted_errors
"""

import numpy as np
from sklearn.datasets import load_digits

from mining.learners.catalogue import get_learner
from mining.learners.out_of_fold import out_of_fold_probabilities
from mining.strategies.catalogue import get_strategy
from mining.strategies.noise_gate import TRAINABLE, VERDICTS, gate_verdicts
from mining.strategies.retraining import paired_difference

WEIGHT, N_SEEDS, TEST_SHARE = 5.0, 10, 0.3
LEARNER = get_learner("logistic")


def one_run(features: np.ndarray, truth: np.ndarray, share: float, seed: int) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(seed)
    test = np.random.default_rng(99).random(len(truth)) < TEST_SHARE
    train = np.flatnonzero(~test)
    wrong = generator.choice(len(train), int(share * len(train)), replace=False)
    given = truth[train].copy()
    given[wrong] = (given[wrong] + generator.integers(1, 10, len(wrong))) % 10
    judged = out_of_fold_probabilities(LEARNER, features[train], given, n_classes=10, seed=seed)
    table = {"given": given, "probabilities": judged.probabilities}
    hard = get_strategy("hard_positives").select(table, eligible=np.ones(len(train), dtype=bool)).index
    verdict = gate_verdicts(table)[hard]
    passed = hard[np.isin(verdict, TRAINABLE)]
    asked = hard[~np.isin(verdict, TRAINABLE)]

    # Three people, each right 95 % of the time; the majority is the new label, and a three-way tie keeps the old one.
    answers = np.where(
        generator.random((len(asked), 3)) < 0.95,
        truth[train][asked][:, None],
        generator.integers(0, 10, (len(asked), 3)),
    )
    votes = np.stack([np.bincount(row, minlength=10) for row in answers]) if len(asked) else np.zeros((0, 10))
    repaired = given.copy()
    settled = votes.max(axis=1) >= 2
    repaired[asked[settled]] = votes.argmax(axis=1)[settled]
    table = {
        "given": repaired,
        "probabilities": judged.probabilities,
        "n_judgments": np.zeros(len(train)),
        "people_label": np.full(len(train), -1),
        "people_confidence": np.zeros(len(train)),
    }
    table["n_judgments"][asked] = 3
    table["people_label"][asked] = np.where(settled, votes.argmax(axis=1), -1)
    table["people_confidence"][asked] = votes.max(axis=1) / 3
    vouched = asked[[VERDICTS[code] == "blind_spot" for code in gate_verdicts(table)[asked]]]

    arms = {
        "baseline": (given, []),
        "plain rule": (given, hard),
        "random control": (given, generator.choice(len(train), len(hard), replace=False)),
        "gate": (given, passed),
        "gate, people asked": (repaired, np.union1d(passed, vouched)),
        "people asked, no weights": (repaired, []),
    }
    right = {}
    for name, (labels, extra) in arms.items():
        weight = np.ones(len(train))
        weight[np.asarray(extra, dtype=int)] = WEIGHT
        model = LEARNER.fit(features[train], labels, n_classes=10, sample_weight=weight, seed=seed)
        right[name] = (model.probabilities(features[test]).argmax(axis=1) == truth[test]).astype(float)
    right["mislabelled share"] = np.array([(given[hard] != truth[train][hard]).mean() if len(hard) else 0.0])
    return right


def main() -> None:
    digits = load_digits()
    for share in (0.0, 0.05, 0.10, 0.20):
        runs = [one_run(digits.data, digits.target, share, seed) for seed in range(N_SEEDS)]
        print(
            f"{share:.0%} wrong labels; of p_y <= .5, "
            f"{np.mean([run['mislabelled share'] for run in runs]):.0%} are wrong"
        )
        baseline = np.stack([run["baseline"] for run in runs])
        for name in runs[0]:
            if name == "mislabelled share":
                continue
            right = np.stack([run[name] for run in runs])
            gain = paired_difference(right, baseline, n_resamples=1000)
            print(
                f"  {name:25s} {right.mean():.3f}  against baseline "
                f"{gain.value:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})"
            )


if __name__ == "__main__":
    main()

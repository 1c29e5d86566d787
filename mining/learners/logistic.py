"""Multinomial logistic regression."""

import numpy as np

from mining.learners.learner import Features, FloatArray, Learner, Scorer, TrainingSet
from mining.learners.parameters import Parameter


def train(data: TrainingSet) -> Scorer:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    scaled = scaler.fit_transform(data.features)
    model = LogisticRegression(C=data.values["c"], max_iter=data.values["max_iter"], random_state=data.seed)
    model.fit(scaled, data.codes, sample_weight=data.weight)

    def score(features: Features) -> FloatArray:
        belief = np.asarray(model.predict_proba(scaler.transform(features)), dtype=np.float64)
        # From 32-bit features the rows sum to one only to six digits.
        return np.asarray(belief / belief.sum(axis=1, keepdims=True))

    return score


LEARNER = Learner(
    name="logistic",
    title="Logistic regression",
    description="Multinomial, on scaled features; its probabilities need no calibration.",
    reference="Cox 1958",
    parameters=(
        Parameter("c", 0.1, "Inverse strength of the L2 penalty.", low=1e-6, high=1e6),
        Parameter("max_iter", 300, "Most steps of the solver.", low=10, high=100_000),
    ),
    train=train,
)

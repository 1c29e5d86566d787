"""Random forest."""

import numpy as np

from mining.learners.learner import Features, FloatArray, Learner, Scorer, TrainingSet
from mining.learners.parameters import Parameter


def train(data: TrainingSet) -> Scorer:
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(
        n_estimators=data.values["n_trees"],
        min_samples_leaf=data.values["min_leaf"],
        random_state=data.seed,
        n_jobs=1,
    )
    model.fit(data.features, data.codes, sample_weight=data.weight)

    def score(features: Features) -> FloatArray:
        return np.asarray(model.predict_proba(features), dtype=np.float64)

    return score


LEARNER = Learner(
    name="random_forest",
    title="Random forest",
    description="Many trees on random parts of the data; blunt on HOG features, strong where few numbers matter.",
    reference="Breiman 2001",
    parameters=(
        Parameter("n_trees", 300, "How many trees.", low=10, high=5000),
        Parameter("min_leaf", 1, "Fewest items in a leaf; more means smoother probabilities.", low=1, high=1000),
    ),
    train=train,
    cost=60.0,
)

"""k nearest neighbours."""

import numpy as np

from mining.learners.learner import Features, FloatArray, Learner, Scorer, TrainingSet
from mining.learners.parameters import Parameter

ROWS_AT_ONCE = 2048


def train(data: TrainingSet) -> Scorer:
    from sklearn.neighbors import NearestNeighbors

    n_neighbours = min(int(data.values["n_neighbours"]), len(data.codes))
    search = NearestNeighbors(n_neighbors=n_neighbours, algorithm="brute").fit(data.features)
    weight = np.ones(len(data.codes)) if data.weight is None else data.weight
    prior = float(data.values["prior"])

    def score(features: Features) -> FloatArray:
        votes = np.empty((len(features), data.n_classes))
        for start in range(0, len(features), ROWS_AT_ONCE):
            near = search.kneighbors(features[start : start + ROWS_AT_ONCE], return_distance=False)
            slot = data.codes[near] + np.arange(len(near))[:, None] * data.n_classes
            counted = np.bincount(slot.ravel(), weights=weight[near].ravel(), minlength=len(near) * data.n_classes)
            votes[start : start + ROWS_AT_ONCE] = counted.reshape(len(near), data.n_classes)
        votes += prior / data.n_classes
        total = votes.sum(axis=1, keepdims=True)
        return np.asarray(np.where(total > 0.0, votes / np.where(total > 0.0, total, 1.0), 1.0 / data.n_classes))

    return score


LEARNER = Learner(
    name="knn",
    title="k nearest neighbours",
    description="Votes of the k most similar items. A little of every class is mixed in, so that no loss is infinite.",
    reference="Cover & Hart 1967",
    parameters=(
        Parameter("n_neighbours", 5, "How many neighbours vote.", low=1, high=1000),
        Parameter("prior", 1.0, "Votes spread evenly over all classes before anyone votes.", low=0.0, high=100.0),
    ),
    train=train,
    cost=0.5,
)

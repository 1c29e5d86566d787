"""Gradient boosting of small trees on binned features."""

import numpy as np

from mining.learners.learner import Features, FloatArray, Learner, Scorer, TrainingSet
from mining.learners.parameters import Parameter


def train(data: TrainingSet) -> Scorer:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=data.values["learning_rate"],
        max_iter=data.values["n_rounds"],
        max_leaf_nodes=data.values["max_leaves"],
        min_samples_leaf=data.values["min_leaf"],
        l2_regularization=data.values["l2"],
        max_features=data.values["share_of_features"],
        early_stopping=False,
        random_state=data.seed,
    )
    model.fit(data.features, data.codes, sample_weight=data.weight)

    def score(features: Features) -> FloatArray:
        return np.asarray(model.predict_proba(features), dtype=np.float64)

    return score


LEARNER = Learner(
    name="boosting",
    title="Gradient boosting",
    description="Small trees, each mending what those before it got wrong; strong on few, telling features.",
    reference="Friedman 2001; Ke et al. 2017",
    parameters=(
        Parameter("n_rounds", 100, "How many trees a class.", low=5, high=2000),
        Parameter("learning_rate", 0.1, "How much each tree may mend.", low=0.001, high=1.0),
        Parameter("max_leaves", 15, "Most leaves of a tree.", low=2, high=255),
        Parameter("min_leaf", 5, "Fewest items in a leaf.", low=1, high=1000),
        Parameter("l2", 1.0, "Pull of a leaf's value towards zero.", low=0.0, high=1000.0),
        Parameter("share_of_features", 0.3, "Share of the features that a split may choose from.", low=0.01, high=1.0),
    ),
    train=train,
    cost=60.0,
)

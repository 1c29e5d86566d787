"""The catalogue of learners. Importing it loads no scikit-learn: a learner does when it trains."""

from typing import Any

from mining.learners import boosting, hog_svm, knn, logistic, mlp, random_forest
from mining.learners.errors import LearnerError
from mining.learners.learner import Learner

LEARNERS: dict[str, Learner] = {
    learner.name: learner
    for learner in (
        hog_svm.LEARNER,
        logistic.LEARNER,
        knn.LEARNER,
        random_forest.LEARNER,
        boosting.LEARNER,
        mlp.LEARNER,
    )
}


def get_learner(name: str, **values: Any) -> Learner:
    """Return a learner of the catalogue with these settings checked; raises `LearnerError` or
    `ParameterError`.
    """
    if name not in LEARNERS:
        raise LearnerError(f"no learner is called {name!r}; there are {', '.join(LEARNERS)}")
    return LEARNERS[name].configured(**values)

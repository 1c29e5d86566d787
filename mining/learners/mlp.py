"""A network with one hidden layer, trained by epochs; the learner whose training can be followed."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from mining.hardness.dynamics import Dynamics, training_dynamics
from mining.learners.learner import Features, FloatArray, Learner, Scorer, TrainingSet, checked_training_set
from mining.learners.one_thread import one_thread
from mining.learners.parameters import Parameter
from mining.learners.softmax_head import HeadSettings, SoftmaxHead, train_epochs


def _settings(values: Any) -> HeadSettings:
    return HeadSettings(
        hidden=int(values["hidden"]),
        epochs=int(values["epochs"]),
        batch_size=int(values["batch_size"]),
        learning_rate=float(values["learning_rate"]),
        l2=float(values["l2"]),
    )


def train(data: TrainingSet) -> Scorer:
    head: SoftmaxHead | None = None
    for latest in train_epochs(
        data.features,
        data.codes,
        n_classes=data.n_classes,
        settings=_settings(data.values),
        seed=data.seed,
        weight=data.weight,
    ):
        head = latest
    assert head is not None
    return head.probabilities


LEARNER = Learner(
    name="mlp",
    title="Small network",
    description="One hidden layer, trained by epochs: what was learnt late, or lost again, can be told from it.",
    reference="Rumelhart, Hinton & Williams 1986; Kingma & Ba 2015",
    parameters=(
        Parameter("hidden", 64, "Width of the hidden layer; 0 makes it linear.", low=0, high=4096),
        Parameter("epochs", 30, "Passes over the training set.", low=2, high=1000),
        Parameter("batch_size", 64, "Items a step.", low=1, high=65_536),
        Parameter("learning_rate", 0.002, "Size of a step.", low=1e-6, high=1.0),
        Parameter("l2", 1e-4, "Pull of the weights towards zero.", low=0.0, high=10.0),
    ),
    train=train,
    cost=5.0,
)


def follow_training(
    features: Features,
    given: npt.ArrayLike,
    *,
    n_classes: int,
    seed: int = 0,
    on_progress: Callable[[int, int], None] | None = None,
    **values: Any,
) -> Dynamics:
    """Train the network on all labelled items and follow what it believes of each of them after every epoch.

    `features` (n, d); `given` (n,), -1 = no label (NaN in the result). `values` are parameters of the learner. Dynamics
    are about the training itself, so here, and only here, items are judged by a model that is being trained on them.
    """
    codes = np.asarray(given, dtype=np.int64)
    known = codes >= 0
    matrix, labels = checked_training_set(np.asarray(features)[known], codes[known], n_classes)
    settings = _settings(LEARNER.configured(**values).values)

    def epochs() -> Iterator[FloatArray]:
        heads = train_epochs(matrix, labels, n_classes=n_classes, settings=settings, seed=seed)
        for done, head in enumerate(heads, start=1):
            yield head.probabilities(matrix)
            if on_progress is not None:
                on_progress(done, settings.epochs)

    with one_thread():
        found = training_dynamics(epochs(), labels)
    columns = {}
    for name, column in found.as_columns().items():
        columns[name] = np.full(len(codes), np.nan)
        columns[name][known] = column
    return Dynamics(n_epochs=found.n_epochs, **columns)

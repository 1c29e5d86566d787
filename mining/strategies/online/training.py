"""Train a head online: uniform, OHEM, focal or by gradient norm; the same seed gives the same model."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mining.learners.learner import Features, checked_training_set
from mining.learners.one_thread import one_thread
from mining.learners.softmax_head import HeadSettings, RowsOfEpoch, SoftmaxHead, StepWeights, train_epochs
from mining.strategies.online.rules import EasyFirst, Focal, GradientImportance, Ohem, Shuffled

CANDIDATES = 4
"""OHEM and gradient sampling look at this many items for each one that they train on."""
SMALLEST_BATCH = 8


@dataclass(frozen=True)
class OnlineStrategy:
    name: str
    title: str
    description: str
    reference: str


ONLINE_STRATEGIES: dict[str, OnlineStrategy] = {
    strategy.name: strategy
    for strategy in (
        OnlineStrategy("uniform", "Uniform", "Every item counts the same: what the others are compared with.", "SGD"),
        OnlineStrategy(
            "ohem",
            "Online hard example mining",
            "At every step the candidates are ranked by the loss now and only the top ones train the model.",
            "Shrivastava, Gupta & Girshick 2016",
        ),
        OnlineStrategy(
            "focal",
            "Focal loss",
            "What the model nearly has right is turned down, again at every step.",
            "Lin et al. 2017",
        ),
        OnlineStrategy(
            "gradient_importance",
            "Importance by gradient norm",
            "Items are drawn in proportion to the size of their gradient now, and weighed so that nothing is biased.",
            "Katharopoulos & Fleuret 2018; EL2N of Paul et al. 2021",
        ),
        OnlineStrategy(
            "curriculum",
            "Curriculum",
            "The easiest items first, then more and more of the others, until all are used.",
            "Bengio et al. 2009; Hacohen & Weinshall 2019",
        ),
    )
}


def train_online(
    name: str,
    features: Features,
    given: npt.ArrayLike,
    *,
    n_classes: int,
    settings: HeadSettings | None = None,
    seed: int = 0,
    boxes: npt.ArrayLike | None = None,
    image: npt.ArrayLike | None = None,
    difficulty: npt.ArrayLike | None = None,
    at_random: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> SoftmaxHead:
    """Train a softmax head on (n, d) features by one of `ONLINE_STRATEGIES`; returns it, with
    `.probabilities(features)`.

    All strategies take the same steps, each on as many items: those that look at more candidates see each item more
    often. Where there are few items, the batches of all of them shrink until there is something to choose from.
    `boxes` (n, 4) and `image` (n,) make OHEM suppress overlapping objects. The curriculum goes by
    `difficulty` (n,), out-of-fold loss for one; unknown counts as hardest. `at_random` gives the strategy's random
    control: the same weights, numbers and pace, for items drawn at random.
    """
    if name not in ONLINE_STRATEGIES:
        raise ValueError(f"no online strategy is called {name!r}; there are {', '.join(ONLINE_STRATEGIES)}")
    matrix, codes = checked_training_set(features, given, n_classes)
    chosen = settings or HeadSettings()
    most = max(SMALLEST_BATCH, len(codes) // CANDIDATES)
    chosen = replace(chosen, batch_size=min(chosen.batch_size, most))
    rule = _rule(name, chosen, boxes, image)
    if rule is not None and at_random:
        rule = Shuffled(rule)
    pace: RowsOfEpoch | None = None
    if name == "curriculum":
        pace = EasyFirst(_easy_to_hard(difficulty, len(codes), at_random, seed), chosen.epochs)
    if name in ("ohem", "gradient_importance"):
        chosen = replace(chosen, candidates=CANDIDATES)
    head: SoftmaxHead | None = None
    with one_thread():
        epochs = train_epochs(
            matrix, codes, n_classes=n_classes, settings=chosen, seed=seed, step_weights=rule, rows_of_epoch=pace
        )
        for done, latest in enumerate(epochs, start=1):
            head = latest
            if on_progress is not None:
                on_progress(done, chosen.epochs)
    assert head is not None
    return head


def _rule(
    name: str, settings: HeadSettings, boxes: npt.ArrayLike | None, image: npt.ArrayLike | None
) -> StepWeights | None:
    if name == "ohem":
        return Ohem(
            settings.batch_size,
            None if boxes is None else np.asarray(boxes, dtype=np.float64),
            None if image is None else np.asarray(image, dtype=np.int64),
        )
    if name == "gradient_importance":
        return GradientImportance(settings.batch_size)
    return Focal() if name == "focal" else None


def _easy_to_hard(difficulty: npt.ArrayLike | None, n_items: int, at_random: bool, seed: int) -> npt.NDArray[np.int64]:
    if at_random:
        return np.random.default_rng([seed, 90_001]).permutation(n_items)
    if difficulty is None:
        raise ValueError("the curriculum needs the difficulty of every item: out-of-fold loss, or time hardness")
    scores = np.asarray(difficulty, dtype=np.float64)
    if scores.shape != (n_items,):
        raise ValueError(f"difficulty has shape {scores.shape}; there are {n_items} items")
    return np.argsort(np.where(np.isnan(scores), np.inf, scores), kind="stable").astype(np.int64)

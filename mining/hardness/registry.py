"""Every measure of models, by name.

Higher is always harder. `MODEL_MEASURES` are those that need nothing but out-of-fold probabilities and the
given label; `OTHER_MEASURES` need features, several learners or epochs as well, and are described here so
that reports and documentation find one description of each.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mining.hardness import ambiguity, gradient, surprise
from mining.hardness.rows import (
    FloatArray,
    MeasureError,
    RowSummary,
    checked_probabilities,
    summarise_rows,
    summary_blocks,
)

FAMILIES = ("ambiguity", "surprise", "gradient", "neighbours", "dynamics")


@dataclass(frozen=True)
class MeasureDescription:
    """What a measure is called and means."""

    name: str
    family: str
    title: str
    formula: str
    meaning: str
    range: str
    reference: str
    needs_label: bool


@dataclass(frozen=True)
class Measure(MeasureDescription):
    """A measure of probabilities: arithmetic on the summary of each row."""

    of_rows: Callable[[RowSummary], FloatArray]

    def compute(self, probabilities: npt.ArrayLike, given: npt.ArrayLike) -> FloatArray:
        """Score (n, K) probabilities with (n,) label codes, -1 = no label. Shape (n,), NaN where it cannot be
        known.
        """
        return self.of_rows(summarise_rows(probabilities, given))


def compute_measures(
    probabilities: npt.ArrayLike, given: npt.ArrayLike, names: Sequence[str] | None = None
) -> dict[str, FloatArray]:
    """Compute the named measures (default: all of `MODEL_MEASURES`) in one pass over the probabilities.

    Returns a dict of (n,) arrays in the order of `names`. Raises `MeasureError` for an unknown name or a bad
    input.
    """
    chosen = tuple(MODEL_MEASURES) if names is None else tuple(names)
    unknown = [name for name in chosen if name not in MODEL_MEASURES]
    if unknown:
        raise MeasureError(
            f"no measure of probabilities is called {unknown[0]!r}; there are {', '.join(MODEL_MEASURES)}"
        )
    array = checked_probabilities(probabilities)
    columns = {name: np.empty(len(array)) for name in chosen}
    for block, rows in summary_blocks(array, given):
        for name, column in columns.items():
            column[block] = MODEL_MEASURES[name].of_rows(rows)
    return columns


def _by_name(measures: Iterable[Measure]) -> dict[str, Measure]:
    return {measure.name: measure for measure in measures}


MODEL_MEASURES: dict[str, Measure] = _by_name(
    [
        Measure(
            name="least_confidence",
            family="ambiguity",
            title="Least confidence",
            formula="1 - max p",
            meaning="How far the most likely class is from certain.",
            range="0 to 1 - 1/K",
            reference="Lewis & Gale 1994",
            needs_label=False,
            of_rows=ambiguity.least_confidence,
        ),
        Measure(
            name="margin",
            family="ambiguity",
            title="Margin",
            formula="1 - (p(1) - p(2))",
            meaning="How close the runner-up is to the most likely class.",
            range="0 to 1",
            reference="Scheffer, Decomain & Wrobel 2001",
            needs_label=False,
            of_rows=ambiguity.margin,
        ),
        Measure(
            name="entropy",
            family="ambiguity",
            title="Entropy",
            formula="-sum p ln p / ln K",
            meaning="How evenly the belief is spread over all classes.",
            range="0 to 1",
            reference="Shannon 1948; in nats it is FiftyOne's hardness",
            needs_label=False,
            of_rows=ambiguity.entropy,
        ),
        Measure(
            name="band",
            family="ambiguity",
            title="Probability band",
            formula="1 - |2p - 1|",
            meaning="How close the probability is to one half; for two classes only.",
            range="0 to 1",
            reference="Uncertainty sampling for two classes, Lewis & Gale 1994",
            needs_label=False,
            of_rows=ambiguity.band,
        ),
        Measure(
            name="loss",
            family="surprise",
            title="Loss",
            formula="-ln p_y",
            meaning="Cross-entropy of the given label, in nats.",
            range="0 to 36.04",
            reference="Cross-entropy; clipped at 2.2e-16 as scikit-learn's log_loss",
            needs_label=True,
            of_rows=surprise.loss,
        ),
        Measure(
            name="focal_loss",
            family="surprise",
            title="Focal loss",
            formula="-(1 - p_y)^2 ln p_y",
            meaning="The loss with what is nearly right turned down, in nats.",
            range="0 to 36.04",
            reference="Lin et al. 2017",
            needs_label=True,
            of_rows=surprise.focal_loss,
        ),
        Measure(
            name="normalized_margin",
            family="surprise",
            title="Normalised margin",
            formula="1 - (p_y - max_{k != y} p_k + 1) / 2",
            meaning="How much the model prefers another class; above one half it does.",
            range="0 to 1",
            reference="cleanlab, turned over; Northcutt, Jiang & Chuang 2021",
            needs_label=True,
            of_rows=surprise.normalized_margin,
        ),
        Measure(
            name="mistakenness",
            family="surprise",
            title="Mistakenness",
            formula="(m e^-H + 1) / 2, m = +1 where prediction and label differ, else -1",
            meaning="How likely the label is a mistake: high where the model is sure of another class.",
            range="0 to 1",
            reference="FiftyOne Brain",
            needs_label=True,
            of_rows=surprise.mistakenness,
        ),
        Measure(
            name="el2n",
            family="gradient",
            title="EL2N",
            formula="norm(p - onehot(y))",
            meaning="Size of the loss's derivative by the logits.",
            range="0 to sqrt 2",
            reference="Paul, Ganguli & Dziugaite 2021",
            needs_label=True,
            of_rows=gradient.el2n,
        ),
    ]
)

OTHER_MEASURES: dict[str, MeasureDescription] = {
    description.name: description
    for description in [
        MeasureDescription(
            name="grand_last_layer",
            family="gradient",
            title="GraNd, last layer",
            formula="norm(p - onehot(y)) norm([x, 1])",
            meaning="Size of the loss's derivative by the weights of the last layer; needs its features.",
            range="0 and up",
            reference="Paul, Ganguli & Dziugaite 2021, in closed form for the last layer",
            needs_label=True,
        ),
        MeasureDescription(
            name="kdn",
            family="neighbours",
            title="Disagreeing neighbours (kDN)",
            formula="share of the k = 10 nearest neighbours with another label",
            meaning="How often what looks alike is called something else; needs features.",
            range="0 to 1",
            reference="Smith, Martinez & Giraud-Carrier 2014",
            needs_label=True,
        ),
        MeasureDescription(
            name="instance_hardness",
            family="neighbours",
            title="Instance hardness",
            formula="1 - mean over learners of p_y",
            meaning="How little a committee of learners believes in the label; needs several learners.",
            range="0 to 1",
            reference="Smith, Martinez & Giraud-Carrier 2014",
            needs_label=True,
        ),
        MeasureDescription(
            name="variability",
            family="dynamics",
            title="Variability",
            formula="SD over epochs of p_y",
            meaning="How much the belief in the label moved during training; needs epochs.",
            range="0 to 1/2",
            reference="Swayamdipta et al. 2020 (dataset cartography)",
            needs_label=True,
        ),
        MeasureDescription(
            name="inverse_confidence",
            family="dynamics",
            title="1 - confidence",
            formula="1 - mean over epochs of p_y",
            meaning="How little the model believed in the label during training; needs epochs.",
            range="0 to 1",
            reference="Swayamdipta et al. 2020 (dataset cartography)",
            needs_label=True,
        ),
        MeasureDescription(
            name="forgetting",
            family="dynamics",
            title="Forgetting",
            formula="count of right-to-wrong turns; never learnt = number of epochs",
            meaning="How often the item was learnt and lost again; needs epochs.",
            range="0 to the number of epochs",
            reference="Toneva et al. 2019",
            needs_label=True,
        ),
        MeasureDescription(
            name="negated_aum",
            family="dynamics",
            title="Area under the margin, negated",
            formula="-mean over epochs of (z_y - max_{k != y} z_k)",
            meaning="How far the given class's logit stayed below the best other; needs epochs.",
            range="any number",
            reference="Pleiss et al. 2020",
            needs_label=True,
        ),
    ]
}

DESCRIPTIONS: dict[str, MeasureDescription] = {**MODEL_MEASURES, **OTHER_MEASURES}
"""Every measure of models that has a name."""

"""What the retraining of a round learns from: features, labels, the split, and what the noise gate stops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from mining.learners.features import Float32Array
from mining.strategies.noise_gate import TRAINABLE, NoiseGateSettings, gate_verdicts

from .comparison import main_measure
from .context import StageRun
from .features import features_of
from .hard_sets import strategy_table


@dataclass(frozen=True)
class TrainingSet:
    """(n,) columns in the order of the items; labels are -1 where there is none or no features."""

    items: np.ndarray
    features: Float32Array
    label: np.ndarray
    held: np.ndarray
    """Held out by the image's bytes, labelled or not."""
    stopped: np.ndarray
    """Kept from weighing more: the label that would be trained on looks wrong, or nobody has settled it."""
    loss: np.ndarray
    """Out-of-fold loss of the round's first learner, NaN where unknown."""
    boxes: np.ndarray | None
    """(n, 4) left, top, right, bottom as shares of the image, where every item is an object."""
    image: np.ndarray
    classes: list[str]
    confirmed: np.ndarray
    """The label is what people agree on: two or more judgments, three quarters of them behind it."""

    @property
    def train(self) -> np.ndarray:
        return np.asarray((self.label >= 0) & ~self.held)

    @property
    def heldout(self) -> np.ndarray:
        return np.asarray((self.label >= 0) & self.held)


def read_training_set(stage: StageRun) -> TrainingSet:
    """Read the files of the earlier stages; with `noise_gate` off in the round's parameters nothing is stopped."""
    items = stage.folder.read_table("items.parquet")
    measures = stage.folder.read_table("measures.parquet")
    features, known = features_of(stage, items)
    label = measures["label"].fill_null(-1).to_numpy().astype(np.int64)
    table = strategy_table(stage, measures)
    stopped = np.zeros(len(items), dtype=bool)
    if stage.params.get("noise_gate", True) and "probabilities" in table:
        # By the label that is used: where people's label has taken the place of a wrong one, it may be trained on.
        stopped = ~np.isin(gate_verdicts(table), TRAINABLE)
    main = main_measure(measures, stage.params)
    unknown = np.full(len(items), np.nan)
    return TrainingSet(
        items=items["item"].to_numpy(),
        features=features,
        label=np.where(known, label, -1),
        held=(measures["split"] == "test").to_numpy(),
        stopped=stopped,
        loss=table.get("loss", unknown) if main is not None else unknown,
        boxes=_boxes(items),
        image=items["image"].to_numpy(),
        classes=[entry["name"] for entry in stage.folder.read_json("snapshot.json")["classes"]],
        confirmed=_confirmed(measures),
    )


def _confirmed(measures: pl.DataFrame) -> np.ndarray:
    gate = NoiseGateSettings()
    agreed = (pl.col("consensus") == pl.col("label")) & (pl.col("consensus_confidence") >= gate.agreement)
    enough = pl.col("n_labels") >= gate.min_judgments
    return measures.select((agreed & enough).fill_null(False).alias("confirmed"))["confirmed"].to_numpy()


def _boxes(items: pl.DataFrame) -> np.ndarray | None:
    if items["box_x"].null_count():
        return None
    left, top, width, height = (items[f"box_{side}"].to_numpy() for side in ("x", "y", "width", "height"))
    return np.stack([left, top, left + width, top + height], axis=1)

"""Gradient: how much the item would pull on the model if it were trained on now.

For a softmax-linear model the derivative of the loss by the logits is p - onehot(y). So loss and gradient are
two readings of the same thing: by the logit of the given class it is 1 - p_y = 1 - e^-loss, and by the
weights of the last layer it is that vector times the item's features.
"""

import numpy as np
import numpy.typing as npt

from mining.hardness.rows import FloatArray, MeasureError, RowSummary, summarise_rows


def el2n(rows: RowSummary) -> FloatArray:
    """Norm of p - onehot(y), in [0, sqrt 2] (Paul et al. 2021, one network instead of their mean over
    several).
    """
    return rows.gradient_norm


def grand_last_layer(
    probabilities: npt.ArrayLike, given: npt.ArrayLike, features: npt.NDArray[np.floating]
) -> FloatArray:
    """Norm of the loss's derivative by the weights and bias of a softmax-linear layer: norm(p - onehot(y))
    norm([x, 1]).

    `probabilities` (n, K), `given` (n,) with -1 = no label, `features` (n, d): the inputs of that layer.
    Shape (n,).
    """
    rows = summarise_rows(probabilities, given)
    if features.ndim != 2 or len(features) != len(rows.given):
        raise MeasureError(f"features has shape {features.shape}; it must be ({len(rows.given)}, d)")
    squared = np.einsum("ij,ij->i", features, features, dtype=np.float64)
    return np.asarray(rows.gradient_norm * np.sqrt(squared + 1.0))


def logit_gradient_of_loss(loss: npt.ArrayLike) -> FloatArray:
    """Size of the derivative of the loss by the given class's logit, as a function of the loss in nats: 1 -
    e^-loss.
    """
    return np.asarray(-np.expm1(-np.asarray(loss, dtype=np.float64)))

"""Attributes of images as candidate reasons for hardness: what can be said of the pixels without knowing the class.

All take a batch of grey images of one size, (n, h, w), 8-bit or float in 0 .. 255, and return (n,). Sizes and class
frequencies come from the caller's tables.
"""

import numpy as np
import numpy.typing as npt

from mining.hardness.rows import FloatArray, MeasureError

IMAGES_AT_ONCE = 256
EDGE_THRESHOLD = 30.0
"""Gradient size, in grey levels over two pixels, from which a pixel counts as an edge."""
ATTRIBUTE_TITLES = {
    "brightness": "Brightness: mean grey level, 0 to 255",
    "contrast": "Contrast: SD of the grey levels",
    "sharpness": "Sharpness: log of one plus the variance of the Laplacian",
    "clutter": "Clutter: share of pixels on an edge",
    "image_size": "Size of the image: log of its pixels",
    "object_size": "Size of the object: log of its pixels",
    "object_share": "Object in the image: the share of it that the object takes",
    "copies": "Near-duplicates: how many other items look the same",
    "class_frequency": "Class frequency: how many items have the same label",
    "centre_distance": "Distance to the class centre: by the features, in units of the class's mean distance",
}


def image_attributes(images: npt.NDArray[np.generic]) -> dict[str, FloatArray]:
    """Return brightness, contrast, sharpness and clutter of (n, h, w) grey images; at least 3 x 3 pixels."""
    if images.ndim != 3 or min(images.shape[1:]) < 3:
        raise MeasureError(f"images must have shape (n, h, w) with 3 x 3 pixels or more, not {images.shape}")
    columns = {name: np.empty(len(images)) for name in ("brightness", "contrast", "sharpness", "clutter")}
    for start in range(0, len(images), IMAGES_AT_ONCE):
        rows = slice(start, start + IMAGES_AT_ONCE)
        grey = images[rows].astype(np.float64)
        columns["brightness"][rows] = grey.mean(axis=(1, 2))
        columns["contrast"][rows] = grey.std(axis=(1, 2))
        inner = grey[:, 1:-1, 1:-1]
        laplacian = grey[:, :-2, 1:-1] + grey[:, 2:, 1:-1] + grey[:, 1:-1, :-2] + grey[:, 1:-1, 2:] - 4.0 * inner
        # The variance spans five powers of ten; its logarithm is what a linear effect can be estimated of.
        columns["sharpness"][rows] = np.log1p(laplacian.var(axis=(1, 2)))
        down, across = grey[:, 2:, 1:-1] - grey[:, :-2, 1:-1], grey[:, 1:-1, 2:] - grey[:, 1:-1, :-2]
        columns["clutter"][rows] = (down * down + across * across >= EDGE_THRESHOLD**2).mean(axis=(1, 2))
    return columns


def class_frequency(given: npt.NDArray[np.integer]) -> FloatArray:
    """How many items share each item's label, (n,); NaN without one."""
    known = given >= 0
    counts = np.full(len(given), np.nan)
    counts[known] = np.bincount(given[known])[given[known]]
    return counts


def centre_distance(features: npt.NDArray[np.floating], given: npt.NDArray[np.integer]) -> FloatArray:
    """Distance of (n, d) features to the mean of the own class, over that class's mean distance; (n,), NaN without
    label.
    """
    distance = np.full(len(given), np.nan)
    for code in np.unique(given[given >= 0]):
        rows = np.flatnonzero(given == code)
        own = np.asarray(features[rows], dtype=np.float64)
        apart = np.sqrt(((own - own.mean(axis=0)) ** 2).sum(axis=1))
        distance[rows] = apart / apart.mean() if apart.mean() > 0.0 else 0.0
    return distance

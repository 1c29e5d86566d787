"""The held-out test: items that mining never sees, chosen by their bytes and nothing else."""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mining.learners.errors import LearnerError

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]


def held_out(
    sha256: Sequence[str], share: float = 0.2, *, groups: npt.ArrayLike | None = None, salt: str = ""
) -> BoolArray:
    """Mark the items of the held-out test, (n,) bool: about `share` of them.

    An image is in or out by a hash of its own sha256, so it stays where it is when others are added, removed
    or labelled; an object follows its image. Items of one of the `groups` (near-duplicates, a patient) go
    together, by the hash of the image whose sha256 is the lowest: large groups are no likelier to be held out than
    small ones, and an image that joins a group moves it only if it is the lowest. Classes are spread evenly but for
    chance: see `missing_classes`.
    `salt` makes another, independent split.
    """
    if not 0.0 < share < 1.0:
        raise LearnerError(f"the share of the held-out test must lie between 0 and 1, not {share}")
    # A million names as one block of bytes: no object stays for each.
    images, image = np.unique(np.array(sha256, dtype="S"), return_inverse=True)
    lots = (_lot(f"{salt}:held out:".encode() + bytes(name).lower()) for name in images)
    lot = np.fromiter(lots, dtype=np.float64, count=len(images))
    if groups is not None:
        codes = np.unique(np.asarray(groups), return_inverse=True)[1]
        if codes.shape != image.shape:
            raise LearnerError(f"groups has {codes.size} entries; there are {len(image)} items")
        # An image whose objects lie in several groups ties those groups together; one pass each way is
        # repeated until nothing changes.
        image = _lowest_within(codes, image)
    return np.asarray(lot[image] < share)


def _lot(text: bytes) -> float:
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") / 2.0**64


def missing_classes(given: npt.ArrayLike, held: npt.ArrayLike, n_classes: int) -> tuple[list[int], list[int]]:
    """Return the classes that the held-out test lacks, and those that the rest lacks; `given` (n,), -1 =
    no label.
    """
    codes, marked = np.asarray(given), np.asarray(held, dtype=bool)
    inside = np.bincount(codes[marked & (codes >= 0)], minlength=n_classes)
    outside = np.bincount(codes[~marked & (codes >= 0)], minlength=n_classes)
    return np.flatnonzero(inside == 0).tolist(), np.flatnonzero(outside == 0).tolist()


def _lowest_within(codes: IntArray, images: IntArray) -> IntArray:
    """Return (n,) the lowest of `images` among all that an item's group and image are tied to."""
    current = images
    while True:
        lowest = current
        for partition in (codes, images):
            least = np.full(int(partition.max(initial=-1)) + 1, len(images), dtype=np.intp)
            np.minimum.at(least, partition, lowest)
            lowest = least[partition]
        if np.array_equal(lowest, current):
            return current
        current = lowest

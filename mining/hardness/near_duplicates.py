"""Near-duplicates by perceptual hash: images that a person would call the same."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mining.hardness.rows import IntArray, MeasureError

HashArray = npt.NDArray[np.uint64]
N_BITS = 64
MOST_BITS = 7
ROWS_AT_ONCE = 2_000


def difference_hash(images: npt.NDArray[np.generic]) -> HashArray:
    """Hash (n, 8, 9) grey images to 64 bits: is each pixel darker than its right neighbour? Returns (n,)."""
    if images.ndim != 3 or images.shape[1:] != (8, 9):
        raise MeasureError(f"a difference hash is made of images of 9 x 8 pixels, shape (n, 8, 9), not {images.shape}")
    grey = images.astype(np.float64)
    darker = grey[:, :, :-1] < grey[:, :, 1:]
    return np.packbits(darker.reshape(len(images), 64), axis=1).view(">u8")[:, 0].astype(np.uint64)


def near_duplicate_groups(hashes: HashArray, most_bits: int = 4) -> IntArray:
    """Number groups of images whose hashes are chained by steps of at most `most_bits` differing bits; (n,) from 0.

    An image like no other is a group of its own. The bits are cut into `most_bits` + 1 bands: two hashes that differ in
    no more bits have one band in common, so only images that share a band are compared.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    if not 0 <= most_bits <= MOST_BITS:
        raise MeasureError(f"most_bits must be 0 to {MOST_BITS}, not {most_bits}")
    unique, inverse = np.unique(hashes, return_inverse=True)
    left, right = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    edges = np.linspace(0, N_BITS, most_bits + 2).round().astype(int)
    for low, high in pairwise(edges.tolist()) if most_bits else ():
        key = (unique >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(key, kind="stable")
        starts = np.flatnonzero(np.r_[True, key[order][1:] != key[order][:-1], True])
        for start, end in pairwise(starts.tolist()):
            if end - start > 1:
                first, second = _close_pairs(unique, order[start:end], most_bits)
                left.append(first)
                right.append(second)
    rows, columns = np.concatenate(left), np.concatenate(right)
    graph = coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(len(unique), len(unique)))
    groups = connected_components(graph, directed=False)[1]
    return np.asarray(groups[inverse], dtype=np.int64)


def _close_pairs(hashes: HashArray, members: IntArray, most_bits: int) -> tuple[IntArray, IntArray]:
    left, right = [], []
    for start in range(0, len(members), ROWS_AT_ONCE):
        chunk = members[start : start + ROWS_AT_ONCE]
        apart = np.bitwise_count(hashes[chunk][:, None] ^ hashes[members][None, :])
        first, second = np.nonzero(apart <= most_bits)
        different = chunk[first] < members[second]
        left.append(chunk[first[different]])
        right.append(members[second[different]])
    return np.concatenate(left), np.concatenate(right)

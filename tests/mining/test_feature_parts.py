"""How images are shared out in parts."""

from __future__ import annotations

import pytest

from mining.feature_parts import part_sizes


@pytest.mark.parametrize(
    ("n_images", "sizes"),
    [
        (0, []),
        (100, [100]),
        (1000, [256, 256, 256, 232]),
        (1025, [256, 128, 128, 128, 128, 128, 128, 1]),
        (10_000, [625] * 12 + [313, 312] * 4),
    ],
)
def test_parts_hold_all_images_and_the_last_of_many_are_halves(n_images, sizes):
    assert part_sizes(n_images) == sizes


def test_a_part_of_a_million_images_is_still_short():
    sizes = part_sizes(1_000_000)
    assert (sum(sizes), max(sizes), len(sizes)) == (1_000_000, 2048, 493)

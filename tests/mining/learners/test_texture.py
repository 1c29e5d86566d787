"""Statistics of texture: exact values on images whose patterns are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mining.learners.features import FeatureSettings, describe_images
from mining.learners.texture import N_PATTERNS, texture_statistics


def test_a_plain_image_is_one_pattern_without_contrast():
    (found,) = texture_statistics(np.full((1, 12, 12), 77, dtype=np.uint8))
    assert found.tolist() == [0.0] * 8 + [1.0, 0.0] + [0.0, 0.0, 0.0]


def test_contrast_of_stripes_is_known_at_each_scale():
    stripes = np.tile(np.array([0, 255], dtype=np.uint8), (1, 16, 8))
    (found,) = texture_statistics(stripes)
    np.testing.assert_allclose(found[N_PATTERNS:], [0.5, 0.0, 0.0])


def test_patterns_are_counted_by_their_brighter_neighbours():
    image = np.random.default_rng(0).integers(0, 256, (20, 20)).astype(np.uint8)
    sign = np.stack([np.roll(image, (-y, -x), (0, 1)) for y, x in
                     ((-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1))]) >= image  # fmt: skip
    turns = (sign != np.roll(sign, 1, axis=0)).sum(axis=0)
    pattern = np.where(turns <= 2, sign.sum(axis=0), 9)[1:-1, 1:-1]
    (found,) = texture_statistics(image[None])
    np.testing.assert_allclose(found[:N_PATTERNS], np.bincount(pattern.ravel(), minlength=10) / pattern.size, rtol=1e-6)


@given(arrays(np.uint8, (3, 9, 11)))
def test_shares_sum_to_one_and_turning_changes_nothing(images):
    found = texture_statistics(images)
    np.testing.assert_allclose(found[:, :N_PATTERNS].sum(axis=1), 1.0, rtol=1e-5)
    turned = texture_statistics(np.ascontiguousarray(np.rot90(images, axes=(1, 2))))
    np.testing.assert_allclose(found, turned, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["hog", "pixels"])
def test_they_come_after_hog_or_pixels(kind):
    images = np.random.default_rng(1).integers(0, 256, (4, 32, 32)).astype(np.uint8)
    plain = describe_images(images, FeatureSettings(kind=kind, size=32))
    with_texture = describe_images(images, FeatureSettings(kind=kind, size=32, texture_statistics=True))
    assert np.array_equal(with_texture[:, : plain.shape[1]], plain)
    assert np.array_equal(with_texture[:, plain.shape[1] :], texture_statistics(images))


@given(st.integers(2, 40))
def test_a_batch_is_described_like_each_image_alone(count):
    images = np.random.default_rng(count).integers(0, 256, (count, 8, 8)).astype(np.uint8)
    assert np.array_equal(texture_statistics(images)[1:2], texture_statistics(images[1:2]))

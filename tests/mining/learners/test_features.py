"""HOG of a batch equals scikit-image's; settings have stable keys; images of every mode are read."""

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image
from skimage.feature import hog

from mining.learners.errors import LearnerError
from mining.learners.features import FeatureSettings, colour_statistics, describe_images, image_array, sensible_settings
from mining.learners.hog import hog_block_grid, hog_features


@settings(max_examples=40, deadline=None)
@for_all(
    size=st.tuples(st.integers(12, 40), st.integers(12, 40)),
    cell=st.tuples(st.integers(2, 6), st.integers(2, 6)),
    block=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    orientations=st.sampled_from([4, 6, 8, 9, 12]),
    eight_bit=st.booleans(),
    colour=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_hog_equals_scikit_image(size, cell, block, orientations, eight_bit, colour, seed):
    generator = np.random.default_rng(seed)
    shape = (2, *size, 3) if colour else (2, *size)
    images = generator.integers(0, 256, shape).astype(np.uint8) if eight_bit else generator.random(shape)
    mine = hog_features(images, orientations=orientations, pixels_per_cell=cell, cells_per_block=block)
    theirs = [
        hog(
            image,
            orientations=orientations,
            pixels_per_cell=cell,
            cells_per_block=block,
            channel_axis=-1 if colour else None,
        )
        for image in images
    ]
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine, theirs, atol=1e-5)


def test_hog_of_real_photographs_equals_scikit_image():
    from skimage.data import lfw_subset

    faces = lfw_subset()[:40]
    theirs = [hog(face, pixels_per_cell=(5, 5), cells_per_block=(2, 2)) for face in faces]
    np.testing.assert_allclose(hog_features(faces, pixels_per_cell=(5, 5)), theirs, atol=1e-5)


def test_hog_of_many_images_has_no_seams(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (9, 16, 24)).astype(np.uint8)
    whole = hog_features(images)
    monkeypatch.setattr("mining.learners.hog.PIXELS_AT_ONCE", 16 * 24 * 2)
    np.testing.assert_array_equal(hog_features(images), whole)


def test_hog_grid_holds_the_blocks_of_every_window():
    image = np.random.default_rng(0).random((1, 64, 80))
    grid = hog_block_grid(image, pixels_per_cell=(8, 8))
    assert grid.shape == (1, 7, 9, 36)
    # Gradients at a window's own edge are zero when it is cut out first, so only what lies inside can be equal.
    inner = hog_block_grid(image[:, 8:56, 16:64], pixels_per_cell=(8, 8))
    np.testing.assert_allclose(grid[0, 2:5, 3:6], inner[0, 1:4, 1:4], atol=1e-6)


def test_images_too_small_for_one_block_are_refused():
    with pytest.raises(LearnerError, match="12 x 20 pixels are too small for HOG: one block needs 16 x 16"):
        hog_features(np.zeros((1, 20, 12)))


def test_settings_have_keys_that_never_change():
    assert FeatureSettings().key() == "e61213e7689b73ce"
    keys = {FeatureSettings(size=size, colour_statistics=colour).key() for size in (32, 64) for colour in (True, False)}
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "magic"}, "hog or pixels"),
        ({"size": 2}, "4 to 1024"),
        ({"size": 8}, "images of 16 pixels or more, not 8"),
    ],
)
def test_settings_are_checked(values, message):
    with pytest.raises(LearnerError, match=message):
        FeatureSettings(**values)


def test_size_follows_the_images():
    assert sensible_settings([32, 32, 28]).size == 32
    assert sensible_settings([224, 300]).size == 64


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I", "F", "I;16", "YCbCr"])
def test_every_mode_becomes_eight_bit(mode):
    image = Image.new(mode, (20, 10))
    assert image_array(image, FeatureSettings(size=16)).shape == (16, 16)
    assert image_array(image, FeatureSettings(size=16, colour_statistics=True)).shape == (16, 16, 3)


def test_transparency_is_laid_on_white_and_sixteen_bits_are_scaled():
    glass = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    assert (image_array(glass, FeatureSettings(size=16)) == 255).all()
    deep = Image.fromarray(np.full((8, 8), 65535, dtype=np.uint16))
    assert (image_array(deep, FeatureSettings(size=16)) == 255).all()
    plain = Image.fromarray(np.full((8, 8), 100, dtype=np.uint8))
    assert (image_array(plain, FeatureSettings(size=16)) == 100).all()


def test_colour_statistics_by_hand():
    images = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    images[..., 0] = 255
    numbers = colour_statistics(images)[0]
    assert numbers[:3].tolist() == [1.0, 0.0, 0.0]
    assert numbers[3:6].tolist() == [0.0, 0.0, 0.0]
    assert numbers[6:].reshape(3, 8).argmax(axis=1).tolist() == [7, 0, 0]


def test_description_with_colour_keeps_the_same_hog():
    generator = np.random.default_rng(0)
    image = Image.fromarray(generator.integers(0, 256, (32, 32, 3)).astype(np.uint8))
    plain, colour = FeatureSettings(size=32), FeatureSettings(size=32, colour_statistics=True)
    grey = describe_images(image_array(image, plain)[None], plain)
    both = describe_images(image_array(image, colour)[None], colour)
    np.testing.assert_allclose(both[:, : grey.shape[1]], grey, atol=1e-5)
    assert both.shape[1] == grey.shape[1] + 30


def test_pixels_are_scaled_to_one_and_sizes_are_checked():
    settings_ = FeatureSettings(kind="pixels", size=8)
    images = np.full((2, 8, 8), 255, dtype=np.uint8)
    assert describe_images(images, settings_).tolist() == [[1.0] * 64] * 2
    with pytest.raises(LearnerError, match=r"shape \(n, 8, 8\)"):
        describe_images(images[:, :4], settings_)

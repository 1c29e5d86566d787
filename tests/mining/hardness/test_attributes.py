"""Attributes, near-duplicates and label errors."""

import numpy as np
import pytest

from mining.hardness.attributes import centre_distance, class_frequency, image_attributes
from mining.hardness.confident_learning import probable_label_errors
from mining.hardness.near_duplicates import difference_hash, near_duplicate_groups
from mining.hardness.rows import MeasureError


def test_attributes_by_hand():
    flat = np.full((1, 8, 8), 100, dtype=np.uint8)
    assert {name: column[0] for name, column in image_attributes(flat).items()} == {
        "brightness": 100.0,
        "contrast": 0.0,
        "sharpness": 0.0,
        "clutter": 0.0,
    }
    step = np.zeros((1, 8, 8))
    step[:, :, 4:] = 200
    numbers = image_attributes(step)
    assert numbers["brightness"][0] == 100 and numbers["contrast"][0] == 100
    # Two of the six inner columns lie at the step.
    assert numbers["clutter"][0] == pytest.approx(2 / 6)


def test_blur_lowers_sharpness_and_clutter_and_batches_have_no_seams():
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(0).integers(0, 256, (300, 16, 16)).astype(np.float64)
    sharp, soft = image_attributes(noise), image_attributes(gaussian_filter(noise, (0, 2, 2)))
    assert (soft["sharpness"] < sharp["sharpness"]).all() and (soft["clutter"] < sharp["clutter"]).all()
    np.testing.assert_array_equal(image_attributes(noise[290:])["contrast"], sharp["contrast"][290:])
    with pytest.raises(MeasureError, match="3 x 3 pixels"):
        image_attributes(np.zeros((1, 2, 9)))


def test_class_frequency_and_distance_to_the_centre():
    given = np.array([0, 0, 0, 1, -1])
    assert class_frequency(given)[:4].tolist() == [3, 3, 3, 1] and np.isnan(class_frequency(given)[4])
    features = np.array([[0.0], [0.0], [3.0], [7.0], [9.0]])
    distance = centre_distance(features, given)
    assert distance[:4] == pytest.approx([0.75, 0.75, 1.5, 0.0]) and np.isnan(distance[4])


def test_near_duplicates_are_found_and_others_left_alone():
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**63, 3000).astype(np.uint64)
    close = hashes[:200].copy()
    for row in range(200):
        for bit in generator.choice(64, row % 5, replace=False):
            close[row] ^= np.uint64(1) << np.uint64(bit)
    groups = near_duplicate_groups(np.r_[hashes, close])
    np.testing.assert_array_equal(groups[3000:], groups[:200])
    assert len(np.unique(groups)) == 3000
    exact = near_duplicate_groups(np.r_[hashes, close], most_bits=0)
    assert len(np.unique(exact)) == 3000 + 160
    with pytest.raises(MeasureError, match="0 to 7"):
        near_duplicate_groups(hashes, most_bits=9)


def test_groups_equal_a_plain_search():
    generator = np.random.default_rng(1)
    centres = generator.integers(0, 2**63, 12).astype(np.uint64)
    hashes = centres[generator.integers(0, 12, 150)]
    for row in range(150):
        for bit in generator.choice(64, generator.integers(0, 6), replace=False):
            hashes[row] ^= np.uint64(1) << np.uint64(bit)
    label = np.arange(150)
    joined = np.bitwise_count(hashes[:, None] ^ hashes[None, :]) <= 5
    for _ in range(150):
        label = np.array([label[row].min() for row in joined])
    found = near_duplicate_groups(hashes, most_bits=5)
    np.testing.assert_array_equal(found[:, None] == found[None, :], label[:, None] == label[None, :])


def test_the_hash_minds_gradients_and_not_brightness():
    images = np.random.default_rng(0).integers(0, 200, (4, 8, 9))
    np.testing.assert_array_equal(difference_hash(images), difference_hash(images + 30))
    rising = np.tile(np.arange(9), (1, 8, 1))
    assert difference_hash(rising).tolist() == [2**64 - 1] and difference_hash(-rising).tolist() == [0]
    with pytest.raises(MeasureError, match="9 x 8"):
        difference_hash(np.zeros((1, 9, 8)))


def test_label_errors_are_cleanlabs():
    from cleanlab.filter import find_label_issues

    generator = np.random.default_rng(0)
    truth = generator.integers(0, 4, 800)
    given = np.where(generator.random(800) < 0.1, generator.integers(0, 4, 800), truth)
    logits = generator.normal(size=(800, 4)) + 3 * np.eye(4)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = find_label_issues(given, probabilities, filter_by="prune_by_noise_rate", n_jobs=1)
    np.testing.assert_array_equal(probable_label_errors(probabilities, given), expected)
    wrong = given != truth
    assert wrong[expected].mean() > 0.7
    # A class that nobody was given, items without a label and items without a prediction change nothing.
    wider = np.c_[probabilities, np.zeros(800)]
    given[0], wider[1] = -1, np.nan
    marked = probable_label_errors(wider, given)
    assert not marked[:2].any() and (marked[2:] == expected[2:]).mean() > 0.99
    assert not probable_label_errors(wider, np.zeros(800, dtype=int)).any()
